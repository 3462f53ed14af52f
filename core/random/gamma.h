// Draws from gamma distributions, addressed like all others.
#ifndef POSTERIORD_CORE_RANDOM_GAMMA_H_
#define POSTERIORD_CORE_RANDOM_GAMMA_H_

#include <cstdint>

#include "core/random/random_block.h"
#include "core/spec.h"

namespace posteriord::core {

// x with density proportional to x^(shape - 1) exp(-rate x), by inverting the distribution function
// at the element's first uniform. REQUIRES: shape and rate > 0.
double DrawGamma(const GammaSpec& gamma, const RandomBlock& random, std::uint64_t element);

// log density, normalised. REQUIRES: x > 0.
double LogGammaDensity(const GammaSpec& gamma, double x);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_RANDOM_GAMMA_H_
