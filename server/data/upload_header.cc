#include "server/data/upload_header.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/base/field_violation.h"
#include "server/data/column_names.h"
#include "server/data/split.h"

namespace posteriord::server {
namespace {

constexpr std::size_t kMaxDisplayNameBytes = 128;
constexpr std::size_t kMaxRequestIdBytes = 64;

bool IsRequestId(const std::string& text) {
  return text.size() <= kMaxRequestIdBytes && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isprint(static_cast<unsigned char>(c));
         });
}

}  // namespace

absl::Status CheckUploadHeader(const v1::UploadDatasetHeader& header) {
  FieldViolations violations;
  if (header.format() == v1::DATASET_FORMAT_UNSPECIFIED ||
      !v1::DatasetFormat_IsValid(header.format())) {
    violations.Add("header.format", "must be DATASET_FORMAT_CSV, _NPY or _NPZ");
  }
  if (header.display_name().size() > kMaxDisplayNameBytes) {
    violations.Add("header.display_name",
                   absl::StrCat("is longer than ", kMaxDisplayNameBytes, " bytes"));
  }
  if (!IsRequestId(header.request_id())) {
    violations.Add("header.request_id", absl::StrCat("must be at most ", kMaxRequestIdBytes,
                                                     " printable ASCII characters"));
  }
  CheckSplit(header.split(), "header.split", violations);
  if (!v1::Standardization_IsValid(header.standardization())) {
    violations.Add("header.standardization", "is not a known value");
  }
  return violations.ToStatus();
}

absl::StatusOr<std::vector<v1::Dataset::Column>> AssignRoles(
    const v1::UploadDatasetHeader& header, const std::vector<std::string>& columns) {
  std::vector<v1::Dataset::Column> result(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    result[i].set_name(columns[i]);
    result[i].set_role(v1::COLUMN_ROLE_INPUT);
  }
  const ColumnIndex index(columns);
  FieldViolations violations;
  const auto assign = [&](const auto& names, std::string_view field, v1::ColumnRole role) {
    for (int i = 0; i < names.size(); ++i) {
      const std::string path = absl::StrCat("header.", std::string(field), "[", i, "]");
      const std::vector<int> found = index.Find(names[i]);
      if (found.empty()) {
        violations.Add(path, absl::StrCat("there is no column '", names[i], "'"));
      }
      for (const int column : found) {
        v1::Dataset::Column& assigned = result[static_cast<std::size_t>(column)];
        if (assigned.role() != v1::COLUMN_ROLE_INPUT) {
          violations.Add(path,
                         absl::StrCat("column '", assigned.name(), "' is given a role twice"));
          break;
        }
        assigned.set_role(role);
      }
    }
  };
  assign(header.target_columns(), "target_columns", v1::COLUMN_ROLE_TARGET);
  assign(header.ignored_columns(), "ignored_columns", v1::COLUMN_ROLE_IGNORED);
  if (violations.empty() && std::none_of(result.begin(), result.end(), [](const auto& column) {
        return column.role() == v1::COLUMN_ROLE_INPUT;
      })) {
    violations.Add("header.target_columns",
                   "every column is a target or ignored: none is an input");
  }
  if (!violations.empty()) return violations.ToStatus();
  return result;
}

absl::Status CheckRowCount(const v1::UploadDatasetHeader& header, std::int64_t rows) {
  FieldViolations violations;
  CheckSplitOf(header.split(), rows, "header.split", violations);
  return violations.ToStatus();
}

}  // namespace posteriord::server
