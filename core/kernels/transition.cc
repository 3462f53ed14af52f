#include "core/kernels/transition.h"

#include "core/random/draws.h"

namespace posteriord::core {

double DrawUniform(const RandomBlock& random, std::uint64_t element) {
  double uniform = 0;
  DrawUniforms(random, element, {&uniform, 1});
  return uniform;
}

}  // namespace posteriord::core
