#include "server/convert/resource_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/field_violation.h"

namespace posteriord::server {
namespace {

constexpr std::string_view kJobs = "jobs/";
constexpr std::string_view kDatasets = "datasets/";
constexpr std::size_t kMaxIdBytes = 64;

absl::StatusOr<std::string> ParseName(std::string_view collection, std::string_view name,
                                      std::string_view field) {
  if (name.empty()) return FieldViolation(field, "is required");
  const std::string_view id = name.substr(std::min(collection.size(), name.size()));
  const bool valid = name.starts_with(collection) && !id.empty() && id.size() <= kMaxIdBytes &&
                     std::all_of(id.begin(), id.end(), [](unsigned char c) {
                       return absl::ascii_islower(c) || absl::ascii_isdigit(c);
                     });
  if (valid) return std::string(id);
  return FieldViolation(field, absl::StrCat("must be \"", ToAbsl(collection),
                                            "\" and an id of lower-case letters and digits, not \"",
                                            ToAbsl(name), "\""));
}

}  // namespace

std::string JobName(std::string_view id) { return std::string(kJobs).append(id); }
std::string DatasetName(std::string_view id) { return std::string(kDatasets).append(id); }

absl::StatusOr<std::string> ParseJobName(std::string_view name, std::string_view field) {
  return ParseName(kJobs, name, field);
}

absl::StatusOr<std::string> ParseDatasetName(std::string_view name, std::string_view field) {
  return ParseName(kDatasets, name, field);
}

}  // namespace posteriord::server
