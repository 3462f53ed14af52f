// Elementwise activation: v' = s(v). No parameters; its input given its output is drawn entry by
// entry (core/random): exactly where s is piecewise linear, by a slice-sampling transition where s
// is smooth.
#ifndef POSTERIORD_CORE_LAYERS_ACTIVATION_H_
#define POSTERIORD_CORE_LAYERS_ACTIVATION_H_

#include <memory>
#include <variant>

#include "core/layers/layer.h"
#include "core/random/piecewise_linear.h"
#include "core/random/smooth_activation.h"

namespace posteriord::core {

std::variant<PiecewiseLinear, SmoothActivation> ActivationFunction(const ActivationSpec& spec);

template <typename T>
std::unique_ptr<const Layer<T>> MakeActivation(const LayerSpec& spec, const Shape& input);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LAYERS_ACTIVATION_H_
