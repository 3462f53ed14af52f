// Job files: a posteriord.v1.Job, written as protobuf JSON or as a protobuf text message.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_JOB_FILE_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_JOB_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "posteriord/v1/job.pb.h"

namespace posteriord::client {

// Parses the text of a job file. The extension of `file_name` decides on the format (.json; or
// .textproto, .txtpb, .pbtxt, .txt); without such an extension, text that begins with a brace is
// JSON. Only the form is checked, the server judges the content.
// Errors: INVALID_ARGUMENT, one line per problem: "file:line:column: what is wrong", or for
// well-formed JSON "file: field: what is wrong".
absl::StatusOr<v1::Job> ParseJobFile(const std::string& file_name, const std::string& text);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_JOB_FILE_H_
