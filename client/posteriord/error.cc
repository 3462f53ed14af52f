#include "posteriord/error.h"

#include <map>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/rpc/error_details.pb.h"

namespace posteriord::client {
namespace {

std::string TypeUrl(const google::protobuf::Message& message) {
  return absl::StrCat("type.googleapis.com/", message.GetTypeName());
}

}  // namespace

absl::Status ToAbslStatus(const google::rpc::Status& status) {
  absl::Status result(static_cast<absl::StatusCode>(status.code()), status.message());
  for (const google::protobuf::Any& detail : status.details()) {
    result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return result;
}

absl::Status ToAbslStatus(const grpc::Status& status) {
  google::rpc::Status rich;
  // Details that do not parse are no reason to lose the error itself.
  if (!rich.ParseFromString(status.error_details())) rich.Clear();
  rich.set_code(status.error_code());
  rich.set_message(status.error_message());
  return ToAbslStatus(rich);
}

bool GetErrorDetail(const absl::Status& status, google::protobuf::Message& detail) {
  const absl::optional<absl::Cord> payload = status.GetPayload(TypeUrl(detail));
  return payload.has_value() && detail.ParseFromString(std::string(*payload));
}

std::string DescribeError(const absl::Status& status) {
  const std::string code = absl::StatusCodeToString(status.code());
  const std::string message(status.message());
  std::string fields;
  bool message_repeats_fields = true;
  if (google::rpc::BadRequest detail; GetErrorDetail(status, detail)) {
    for (const auto& violation : detail.field_violations()) {
      const std::string line = absl::StrCat(violation.field(), ": ", violation.description());
      message_repeats_fields = message_repeats_fields && absl::StrContains(message, line);
      absl::StrAppend(&fields, "\n  ", line);
    }
  }
  std::string text = absl::StrCat(code, ":");
  if (fields.empty() || !message_repeats_fields) absl::StrAppend(&text, " ", message);
  absl::StrAppend(&text, fields);
  if (google::rpc::ErrorInfo detail; GetErrorDetail(status, detail)) {
    const std::map<std::string, std::string> metadata(detail.metadata().begin(),
                                                      detail.metadata().end());
    // A reason that only names the code says nothing new.
    if (detail.reason() != code || !metadata.empty()) {
      absl::StrAppend(&text, "\n  reason: ", detail.reason());
    }
    if (!metadata.empty()) {
      absl::StrAppend(&text, " (", absl::StrJoin(metadata, ", ", absl::PairFormatter(": ")), ")");
    }
  }
  if (google::rpc::ResourceInfo detail; GetErrorDetail(status, detail)) {
    absl::StrAppend(&text, "\n  resource: ", detail.resource_name());
    if (!detail.resource_type().empty()) {
      absl::StrAppend(&text, " (", detail.resource_type(), ")");
    }
  }
  return text;
}

}  // namespace posteriord::client
