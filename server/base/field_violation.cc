#include "server/base/field_violation.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "server/base/utf8.h"

namespace posteriord::server {

void FieldViolations::Add(std::string_view field, std::string_view description) {
  if (++count_ > kMaxViolations) return;
  google::rpc::BadRequest::FieldViolation& violation = *bad_request_.add_field_violations();
  violation.set_field(ToValidUtf8(field, kMaxTextBytes));
  violation.set_description(ToValidUtf8(description, kMaxTextBytes));
}

void FieldViolations::AddFrom(const absl::Status& status) {
  google::rpc::BadRequest other;
  const auto payload = status.GetPayload(kBadRequestTypeUrl);
  if (!payload.has_value() || !other.ParseFromString(std::string(*payload))) return;
  for (const auto& violation : other.field_violations()) {
    Add(violation.field(), violation.description());
  }
}

absl::Status FieldViolations::ToStatus() const {
  if (empty()) return absl::OkStatus();
  std::string message;
  for (const auto& violation : bad_request_.field_violations()) {
    absl::StrAppend(&message, message.empty() ? "" : "; ", violation.field(), ": ",
                    violation.description());
  }
  if (count_ > kMaxViolations) {
    absl::StrAppend(&message, "; and ", count_ - kMaxViolations, " more");
  }
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kBadRequestTypeUrl, absl::Cord(bad_request_.SerializeAsString()));
  return status;
}

absl::Status FieldViolation(std::string_view field, std::string_view description) {
  FieldViolations violations;
  violations.Add(field, description);
  return violations.ToStatus();
}

}  // namespace posteriord::server
