// A table being read from an uploaded file.
#ifndef POSTERIORD_SERVER_DATA_TABLE_SOURCE_H_
#define POSTERIORD_SERVER_DATA_TABLE_SOURCE_H_

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace posteriord::server {

// Hands out rows of finite numbers, from first to last. Memory does not grow with their number.
class TableSource {
 public:
  virtual ~TableSource() = default;

  // Checked by CheckColumnNames. Never empty.
  virtual const std::vector<std::string>& columns() const = 0;

  // Fills `rows`, which has as many columns, from the top. Returns the number of rows filled, less
  // than asked for only at the end. Errors: INVALID_ARGUMENT, saying where; RESOURCE_EXHAUSTED.
  virtual absl::StatusOr<std::int64_t> Read(Eigen::Ref<Eigen::MatrixXd> rows) = 0;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_DATA_TABLE_SOURCE_H_
