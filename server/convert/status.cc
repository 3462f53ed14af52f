#include "server/convert/status.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "google/rpc/error_details.pb.h"
#include "server/base/absl_string.h"
#include "server/base/utf8.h"

namespace posteriord::server {
namespace {

constexpr char kTypeUrlPrefix[] = "type.googleapis.com/";

// A status travels twice in metadata, which is limited to 8 KiB: as a message and in its details.
constexpr std::size_t kMaxMessageBytes = 1536;

template <typename Detail>
std::string TypeUrl() {
  return kTypeUrlPrefix + Detail::descriptor()->full_name();
}

template <typename Detail>
absl::Status WithDetail(absl::Status status, const Detail& detail) {
  status.SetPayload(TypeUrl<Detail>(), absl::Cord(detail.SerializeAsString()));
  return status;
}

}  // namespace

absl::Status WithReason(absl::Status status, std::string_view reason,
                        const std::map<std::string, std::string>& metadata) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kErrorDomain);
  info.mutable_metadata()->insert(metadata.begin(), metadata.end());
  return WithDetail(std::move(status), info);
}

absl::Status WithResource(absl::Status status, std::string_view type, std::string_view name) {
  google::rpc::ResourceInfo info;
  info.set_resource_type(std::string(type));
  info.set_resource_name(std::string(name));
  return WithDetail(std::move(status), info);
}

absl::Status WithRetryDelay(absl::Status status, std::chrono::milliseconds delay) {
  google::rpc::RetryInfo info;
  *info.mutable_retry_delay() =
      google::protobuf::util::TimeUtil::MillisecondsToDuration(delay.count());
  return WithDetail(std::move(status), info);
}

google::rpc::Status ToProto(const absl::Status& status) {
  if (!status.ok() && !status.GetPayload(TypeUrl<google::rpc::ErrorInfo>()).has_value()) {
    return ToProto(WithReason(status, absl::StatusCodeToString(status.code())));
  }
  google::rpc::Status message;
  message.set_code(static_cast<int>(status.code()));
  message.set_message(
      ToValidUtf8({status.message().data(), status.message().size()}, kMaxMessageBytes));
  status.ForEachPayload([&message](absl::string_view type_url, const absl::Cord& payload) {
    google::protobuf::Any& detail = *message.add_details();
    detail.set_type_url(std::string(type_url));
    detail.set_value(std::string(payload));
  });
  return message;
}

absl::Status FromProto(const google::rpc::Status& message) {
  absl::Status status(static_cast<absl::StatusCode>(message.code()), message.message());
  for (const google::protobuf::Any& detail : message.details()) {
    status.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return status;
}

}  // namespace posteriord::server
