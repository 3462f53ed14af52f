// Dense layer: v' = b + W v, with conjugate Gaussian updates of parameters (affine.h) and input
// (linear_input.h).
#ifndef POSTERIORD_CORE_LAYERS_DENSE_H_
#define POSTERIORD_CORE_LAYERS_DENSE_H_

#include <memory>

#include "core/layers/layer.h"

namespace posteriord::core {

// The parameter matrix has one column per unit: its bias (if any), then its weights.
template <typename T>
std::unique_ptr<const Layer<T>> MakeDense(const LayerSpec& spec, const Shape& input);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LAYERS_DENSE_H_
