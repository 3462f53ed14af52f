// The server's errors as absl::Status, and as text for people.
#ifndef POSTERIORD_CLIENT_POSTERIORD_ERROR_H_
#define POSTERIORD_CLIENT_POSTERIORD_ERROR_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"

namespace posteriord::client {

// Same code and message; every detail becomes a payload under its type URL.
absl::Status ToAbslStatus(const grpc::Status& status);
absl::Status ToAbslStatus(const google::rpc::Status& status);

// Fills `detail` (a google.rpc.BadRequest, ErrorInfo, ResourceInfo, ...) with the detail of its
// type that the server attached to the error. False when there is none.
bool GetErrorDetail(const absl::Status& status, google::protobuf::Message& detail);

// The error in words, several lines without a final newline:
//
//   INVALID_ARGUMENT: the job is not valid
//     job.spec.schedule.draws: must be at least 1
//     reason: BAD_SPEC (limit: 3)
//     resource: jobs/a1 (posteriord.v1.Job)
//
// What is said twice is left out: a message that only repeats the fields, a reason that is the
// code.
std::string DescribeError(const absl::Status& status);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORD_ERROR_H_
