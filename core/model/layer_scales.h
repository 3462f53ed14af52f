// Variances and precisions of a layer: fixed by the spec or learned along with the parameters.
#ifndef POSTERIORD_CORE_MODEL_LAYER_SCALES_H_
#define POSTERIORD_CORE_MODEL_LAYER_SCALES_H_

#include <array>
#include <cstdint>
#include <optional>

#include "core/spec.h"

namespace posteriord::core {

struct LayerScales {
  double noise_variance = 0;
  double weight_precision = 0;  // of each weight a priori; of no meaning without weights
  double bias_precision = 0;    // of each bias a priori; likewise

  bool operator==(const LayerScales&) const = default;
};

// The scales that the spec gives.
LayerScales ScalesOf(const LayerSpec& spec);

// One scale that a layer may learn.
struct LearnableScale {
  const char* name;  // in draws and observables: "<layer>.<name>"
  const char* description;
  double LayerScales::*value;
  bool is_variance;  // the prior is that of 1 / value
  std::optional<GammaSpec> LayerSpec::*precision_prior;
  std::uint64_t element;  // of its draw in the block RandomUse::kScales

  double precision(const LayerScales& scales) const {
    return is_variance ? 1 / (scales.*value) : scales.*value;
  }
  void set_precision(double precision, LayerScales& scales) const {
    scales.*value = is_variance ? 1 / precision : precision;
  }
};

// In the order of a flat draw.
inline constexpr std::array<LearnableScale, 3> kLearnableScales = {{
    {"noise_variance", "learned variance of the layer's noise", &LayerScales::noise_variance, true,
     &LayerSpec::noise_precision_prior, 0},
    {"weight_precision", "learned precision of the weights' prior", &LayerScales::weight_precision,
     false, &LayerSpec::weight_precision_prior, 1},
    {"bias_precision", "learned precision of the biases' prior", &LayerScales::bias_precision,
     false, &LayerSpec::bias_precision_prior, 2},
}};

// Calls visit(scale, its prior) for every scale that the layer learns.
template <typename Visit>
void ForEachLearnedScale(const LayerSpec& layer, Visit&& visit) {
  for (const LearnableScale& scale : kLearnableScales) {
    if (const auto& prior = layer.*scale.precision_prior) visit(scale, *prior);
  }
}

inline bool LearnsScales(const LayerSpec& layer) {
  bool learns = false;
  ForEachLearnedScale(layer, [&learns](const auto&, const auto&) { learns = true; });
  return learns;
}

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_MODEL_LAYER_SCALES_H_
