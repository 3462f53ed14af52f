// Names of columns, and of arrays that are several columns.
#ifndef POSTERIORD_SERVER_DATA_COLUMN_NAMES_H_
#define POSTERIORD_SERVER_DATA_COLUMN_NAMES_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace posteriord::server {

// INVALID_ARGUMENT unless the names are non-empty UTF-8 of at most 128 bytes, all different;
// RESOURCE_EXHAUSTED when there are more than `max_columns` or they take more than 1 MiB together,
// as they travel in one message.
absl::Status CheckColumnNames(const std::vector<std::string>& names, std::int64_t max_columns);

// Columns by name.
class ColumnIndex {
 public:
  explicit ColumnIndex(const std::vector<std::string>& names);

  // Positions of the column called `name` or, when there is none, of the columns "<name>.0",
  // "<name>.1", ... of the array called `name`; empty when there is neither.
  std::vector<int> Find(std::string_view name) const;

 private:
  std::map<std::string, int, std::less<>> positions_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_DATA_COLUMN_NAMES_H_
