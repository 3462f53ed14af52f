// The chains that a call asks for.
#ifndef POSTERIORD_SERVER_SERVICES_CHAIN_SELECTION_H_
#define POSTERIORD_SERVER_SERVICES_CHAIN_SELECTION_H_

#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"

namespace posteriord::server {

// Indices without repetition, in the order asked for; all `chain_count` when none are named.
// Errors: INVALID_ARGUMENT naming "chains[i]".
absl::StatusOr<std::vector<int>> SelectChains(
    const google::protobuf::RepeatedField<std::int32_t>& asked, int chain_count);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_CHAIN_SELECTION_H_
