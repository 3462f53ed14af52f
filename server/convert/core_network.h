// Translation of a network on the wire to the one that core samples.
#ifndef POSTERIORD_SERVER_CONVERT_CORE_NETWORK_H_
#define POSTERIORD_SERVER_CONVERT_CORE_NETWORK_H_

#include "core/spec.h"
#include "posteriord/v1/network.pb.h"

namespace posteriord::server {

// REQUIRES: not a flatten layer, which core has no need of.
core::LayerSpec ToCoreLayer(const v1::Layer& layer);

// REQUIRES: CompleteNetwork and CompleteNetworkForInputs found nothing wrong.
core::NetworkSpec ToCoreNetwork(const v1::Network& complete, int inputs);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_CORE_NETWORK_H_
