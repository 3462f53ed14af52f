// Order of the parameters in a flat draw.
#ifndef POSTERIORD_CORE_MODEL_PARAMETER_LAYOUT_H_
#define POSTERIORD_CORE_MODEL_PARAMETER_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/spec.h"

namespace posteriord::core {

// One array of parameters, row-major.
struct ParameterArray {
  // "<layer>.weight", "<layer>.bias", or a learned scale (core/model/layer_scales.h).
  std::string name;
  // [units, inputs], [channels, input channels, height, width], [units] or [1].
  std::vector<std::int64_t> shape;
  std::int64_t offset = 0;  // of the first entry in the flat draw
  std::int64_t size = 0;    // number of entries
};

// Layer by layer: weights, biases, what is learned of noise and priors.
struct ParameterLayout {
  std::vector<ParameterArray> arrays;
  std::int64_t size = 0;  // number of parameters in all
};

ParameterLayout MakeParameterLayout(const NetworkSpec& network);

// How many of the latents, the first ones, are sampled: all but those that are the targets.
int FreeLatents(const NetworkSpec& network);

// Number of parameters and, with intermediate noise, of latents that are not the targets: what a
// gradient sampler moves. REQUIRES: no scale is learned.
std::int64_t PositionDimension(const NetworkSpec& network, std::int64_t train_samples);

// Shape of what the layer makes of an input of this shape. REQUIRES: the layer fits the input.
Shape OutputShape(const LayerSpec& layer, const Shape& input);

// Shape of each latent: shapes[0] = inputs, shapes[i] = outputs of layer i - 1.
std::vector<Shape> LayerShapes(const NetworkSpec& network);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_MODEL_PARAMETER_LAYOUT_H_
