#include "core/random/gamma.h"

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <limits>

#include "core/random/draws.h"

namespace posteriord::core {

double DrawGamma(const GammaSpec& gamma, const RandomBlock& random, std::uint64_t element) {
  const double unit = boost::math::gamma_p_inv(gamma.shape, DrawUniform(random, element));
  // A small shape puts much of the mass below the smallest number.
  return std::max(unit / gamma.rate, std::numeric_limits<double>::min());
}

double LogGammaDensity(const GammaSpec& gamma, double x) {
  return gamma.shape * std::log(gamma.rate) - boost::math::lgamma(gamma.shape) +
         (gamma.shape - 1) * std::log(x) - gamma.rate * x;
}

}  // namespace posteriord::core
