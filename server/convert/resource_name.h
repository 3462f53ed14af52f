// Names of resources on the wire: "jobs/{job}" and "datasets/{dataset}".
#ifndef POSTERIORD_SERVER_CONVERT_RESOURCE_NAME_H_
#define POSTERIORD_SERVER_CONVERT_RESOURCE_NAME_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace posteriord::server {

std::string JobName(std::string_view id);
std::string DatasetName(std::string_view id);

// The id in a name. Errors: INVALID_ARGUMENT, naming `field`, the request's field that holds it.
absl::StatusOr<std::string> ParseJobName(std::string_view name, std::string_view field);
absl::StatusOr<std::string> ParseDatasetName(std::string_view name, std::string_view field);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_RESOURCE_NAME_H_
