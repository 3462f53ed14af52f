#include "core/diagnostics/effective_sample_size.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>

#include "core/diagnostics/moments.h"

namespace posteriord::core {

std::optional<double> EffectiveSampleSize(const Segments& segments) {
  if (segments.points < kLeastPoints) return std::nullopt;
  const auto n = static_cast<std::size_t>(segments.points);
  const auto points = static_cast<double>(n * segments.means.size());
  const double biased = segments.autocovariance(0);
  const double within = biased * static_cast<double>(n) / static_cast<double>(n - 1);
  const double total = biased + (segments.means.size() > 1 ? Variance(segments.means) : 0);
  if (total == 0) return points;
  const auto correlation = [&](std::size_t lag) {
    return 1 - (within - segments.autocovariance(lag)) / total;
  };

  double tau = -1;
  double even = 1;
  double odd = correlation(1);
  double least_pair = std::numeric_limits<double>::infinity();
  for (std::size_t lag = 2; lag + 2 < n && even + odd > 0; lag += 2) {
    least_pair = std::min(least_pair, even + odd);
    tau += 2 * least_pair;
    even = correlation(lag);
    odd = correlation(lag + 1);
  }
  // The pair that ended the sequence still tells something: its even lag lowers the bias.
  if (even > 0 || even + odd >= 0) tau += even;
  return points / std::max(tau, 1 / std::log10(points));
}

}  // namespace posteriord::core
