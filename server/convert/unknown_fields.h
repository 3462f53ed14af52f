// Fields that this build has never heard of.
#ifndef POSTERIORD_SERVER_CONVERT_UNKNOWN_FIELDS_H_
#define POSTERIORD_SERVER_CONVERT_UNKNOWN_FIELDS_H_

#include <string_view>

#include "google/protobuf/message.h"
#include "server/base/field_violation.h"

namespace posteriord::server {

// Adds a violation for every unknown field in `message`, found at `path`. A newer client may have
// asked for something that this server would otherwise silently leave out.
void CheckUnknownFields(const google::protobuf::Message& message, std::string_view path,
                        FieldViolations& violations);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_UNKNOWN_FIELDS_H_
