#include "server/data/column_names.h"

#include <cstddef>
#include <set>

#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/utf8.h"

namespace posteriord::server {
namespace {

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxBytesOfAllNames = 1 << 20;

}  // namespace

absl::Status CheckColumnNames(const std::vector<std::string>& names, std::int64_t max_columns) {
  if (static_cast<std::int64_t>(names.size()) > max_columns) {
    return absl::ResourceExhaustedError(
        absl::StrCat(names.size(), " columns are more than the limit of ", max_columns));
  }
  std::set<std::string_view> seen;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    if (name.empty())
      return absl::InvalidArgumentError(absl::StrCat("column ", i + 1, " has no name"));
    if (name.size() > kMaxNameBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("the name of column ", i + 1, " is longer than ", kMaxNameBytes, " bytes"));
    }
    if (!IsValidUtf8(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the name of column ", i + 1, " is not UTF-8"));
    }
    if (!seen.insert(name).second) {
      return absl::InvalidArgumentError(absl::StrCat("two columns are called '", name, "'"));
    }
    bytes += name.size();
  }
  if (bytes > kMaxBytesOfAllNames) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the names of the columns take more than ", kMaxBytesOfAllNames, " bytes"));
  }
  return absl::OkStatus();
}

ColumnIndex::ColumnIndex(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) positions_[names[i]] = static_cast<int>(i);
}

std::vector<int> ColumnIndex::Find(std::string_view name) const {
  if (const auto found = positions_.find(name); found != positions_.end()) return {found->second};
  std::vector<int> columns;
  while (true) {
    const auto found = positions_.find(absl::StrCat(ToAbsl(name), ".", columns.size()));
    if (found == positions_.end()) return columns;
    columns.push_back(found->second);
  }
}

}  // namespace posteriord::server
