// Tables as NumPy arrays.
#ifndef POSTERIORD_SERVER_DATA_NPY_SOURCE_H_
#define POSTERIORD_SERVER_DATA_NPY_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/data/dataset_limits.h"
#include "server/data/npy_header.h"
#include "server/data/table_source.h"
#include "server/store/file.h"

namespace posteriord::server {

// One array of one or two dimensions, rows first. A two-dimensional array x of width w has columns
// x.0 ... x.(w-1), a one-dimensional one the column x. Integers beyond 2^53 are rounded to the
// nearest double.
class NpySource : public TableSource {
 public:
  // The array called `name` that takes the bytes from `begin` to `end` of a file. REQUIRES: `file`
  // outlives this.
  static absl::StatusOr<std::unique_ptr<NpySource>> Open(const File& file, std::int64_t begin,
                                                         std::int64_t end, const std::string& name,
                                                         const DatasetLimits& limits);

  std::int64_t rows() const { return rows_; }
  const std::vector<std::string>& columns() const override { return columns_; }
  absl::StatusOr<std::int64_t> Read(Eigen::Ref<Eigen::MatrixXd> rows) override;

 private:
  NpySource(const File& file, NpyHeader header) : file_(file), header_(std::move(header)) {}

  const File& file_;
  const NpyHeader header_;
  std::vector<std::string> columns_;
  std::int64_t rows_ = 0;
  std::int64_t next_row_ = 0;
  std::vector<char> buffer_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_DATA_NPY_SOURCE_H_
