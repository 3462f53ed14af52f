#include "core/diagnostics/monte_carlo_error.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cassert>
#include <cmath>
#include <cstddef>

#include "core/diagnostics/moments.h"
#include "core/diagnostics/quiet_policy.h"

namespace posteriord::core {
namespace {

constexpr double kBelowMinusOneSigma = 0.15865525393145705;  // Phi(-1)

}  // namespace

double MeanStandardError(double standard_deviation, double effective_sample_size) {
  return standard_deviation / std::sqrt(effective_sample_size);
}

double StandardDeviationStandardError(absl::Span<const double> squared_deviations,
                                      double effective_sample_size) {
  const auto n = static_cast<double>(squared_deviations.size());
  const double variance = Mean(squared_deviations);
  const double spread = Variance(squared_deviations) * (n - 1) / n;
  return std::sqrt(spread / effective_sample_size / variance) / 2;
}

double QuantileStandardError(absl::Span<const double> sorted, double probability,
                             double effective_sample_size) {
  assert(!sorted.empty());
  const double a = effective_sample_size * probability + 1;
  const double b = effective_sample_size * (1 - probability) + 1;
  const auto n = static_cast<double>(sorted.size());
  // In this order, a number that could not be found would give the whole range.
  const double j = std::max(
      1.0, std::floor(n * boost::math::ibeta_inv(a, b, kBelowMinusOneSigma, QuietPolicy())));
  const double k =
      std::min(n, std::ceil(n * boost::math::ibetac_inv(a, b, kBelowMinusOneSigma, QuietPolicy())));
  // Halved first: the difference may be too large for a double.
  return sorted[static_cast<std::size_t>(k) - 1] / 2 - sorted[static_cast<std::size_t>(j) - 1] / 2;
}

}  // namespace posteriord::core
