#include "core/model/layer_scales.h"

#include <variant>

namespace posteriord::core {

LayerScales ScalesOf(const LayerSpec& spec) {
  LayerScales scales{.noise_variance = spec.noise_variance};
  const auto set_precisions = [&scales](const auto& affine) {
    scales.weight_precision = affine.weight_precision;
    scales.bias_precision = affine.bias_precision;
  };
  if (const auto* dense = std::get_if<DenseSpec>(&spec.operation)) set_precisions(*dense);
  if (const auto* conv = std::get_if<Conv2dSpec>(&spec.operation)) set_precisions(*conv);
  return scales;
}

}  // namespace posteriord::core
