// Tables as zip archives of NumPy arrays.
#ifndef POSTERIORD_SERVER_DATA_NPZ_SOURCE_H_
#define POSTERIORD_SERVER_DATA_NPZ_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/data/dataset_limits.h"
#include "server/data/npy_source.h"
#include "server/data/table_source.h"
#include "server/store/file.h"

namespace posteriord::server {

// Arrays side by side, in the order of the archive, as numpy.savez and savez_compressed write them.
// They are unpacked, one after another, into a file without a name that never grows beyond the
// limits; names in the archive are not used as paths.
class NpzSource : public TableSource {
 public:
  // Unpacks into `directory`.
  static absl::StatusOr<std::unique_ptr<NpzSource>> Open(const File& file, std::int64_t size,
                                                         const DatasetLimits& limits,
                                                         const std::string& directory);

  const std::vector<std::string>& columns() const override { return columns_; }
  absl::StatusOr<std::int64_t> Read(Eigen::Ref<Eigen::MatrixXd> rows) override;

 private:
  explicit NpzSource(File unpacked) : unpacked_(std::move(unpacked)) {}

  // Adds the array that takes the bytes from `begin` to `end` of unpacked_.
  absl::Status Add(std::int64_t begin, std::int64_t end, const std::string& name,
                   const DatasetLimits& limits);

  const File unpacked_;
  std::vector<std::unique_ptr<NpySource>> arrays_;
  std::vector<std::string> columns_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_DATA_NPZ_SOURCE_H_
