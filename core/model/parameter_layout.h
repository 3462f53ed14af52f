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
  std::string name;                 // "<layer>.weight" or "<layer>.bias"
  std::vector<std::int64_t> shape;  // [units, inputs] or [units]
  std::int64_t offset = 0;          // of the first entry in the flat draw
  std::int64_t size = 0;            // number of entries
};

// Layer by layer, weights before biases.
struct ParameterLayout {
  std::vector<ParameterArray> arrays;
  std::int64_t size = 0;  // number of parameters in all
};

ParameterLayout MakeParameterLayout(const NetworkSpec& network);

// Width of each latent: widths[0] = inputs, widths[i] = outputs of layer i - 1.
std::vector<int> LayerWidths(const NetworkSpec& network);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_MODEL_PARAMETER_LAYOUT_H_
