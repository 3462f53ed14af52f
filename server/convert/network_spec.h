// The network of a job spec: checks and defaults. See job_spec.h, whose steps these are parts
// of.
#ifndef POSTERIORD_SERVER_CONVERT_NETWORK_SPEC_H_
#define POSTERIORD_SERVER_CONVERT_NETWORK_SPEC_H_

#include <optional>
#include <string>

#include "posteriord/v1/network.pb.h"
#include "server/convert/field_checker.h"

namespace posteriord::server {

// Widest input, layer or side of an image.
inline constexpr int kMaxWidth = 65536;

// "network.layers[index]".
std::string LayerPath(int index);

// Checks whatever does not depend on the data and fills in its defaults.
void CompleteNetwork(v1::Network& network, FieldChecker& checker);

// Checks the shapes of the layers for samples of `inputs` numbers, and gives layers without a prior
// precision their fan-in. False when something is wrong, or was before, so that the network has no
// shape.
bool CompleteNetworkForInputs(int inputs, v1::Network& network, FieldChecker& checker);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_NETWORK_SPEC_H_
