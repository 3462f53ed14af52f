// The network of a job spec: checks, defaults, translation to core. See job_spec.h, whose steps
// these are parts of.
#ifndef POSTERIORD_SERVER_CONVERT_NETWORK_SPEC_H_
#define POSTERIORD_SERVER_CONVERT_NETWORK_SPEC_H_

#include <optional>
#include <string>

#include "core/spec.h"
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

// REQUIRES: both of the above found nothing wrong.
core::NetworkSpec ToCoreNetwork(const v1::Network& complete, int inputs);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_NETWORK_SPEC_H_
