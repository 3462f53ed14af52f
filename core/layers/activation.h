// Elementwise piecewise-linear activation: v' = s(v). No parameters; its input given its output is
// a mixture of truncated normals, entry by entry (core/random/draws.h).
#ifndef POSTERIORD_CORE_LAYERS_ACTIVATION_H_
#define POSTERIORD_CORE_LAYERS_ACTIVATION_H_

#include <memory>

#include "core/layers/layer.h"

namespace posteriord::core {

template <typename T>
std::unique_ptr<const Layer<T>> MakeActivation(const LayerSpec& spec, Eigen::Index inputs);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LAYERS_ACTIVATION_H_
