// Errors with details, and as messages.
#ifndef POSTERIORD_SERVER_CONVERT_STATUS_H_
#define POSTERIORD_SERVER_CONVERT_STATUS_H_

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"

namespace posteriord::server {

// The domain of our error reasons.
inline constexpr char kErrorDomain[] = "posteriord";

// Attaches a google.rpc.ErrorInfo: `reason`, UPPER_SNAKE_CASE, says to programs what went wrong.
// Replaces the one attached before.
absl::Status WithReason(absl::Status status, std::string_view reason,
                        const std::map<std::string, std::string>& metadata = {});

// Attaches a google.rpc.ResourceInfo naming what the error is about, such as "jobs/abc".
absl::Status WithResource(absl::Status status, std::string_view type, std::string_view name);

// Attaches a google.rpc.RetryInfo: when to try again.
absl::Status WithRetryDelay(absl::Status status, std::chrono::milliseconds delay);

// The message of a status, its payloads as details. An error without a reason gets that of its
// code, such as "NOT_FOUND".
google::rpc::Status ToProto(const absl::Status& status);

absl::Status FromProto(const google::rpc::Status& message);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_STATUS_H_
