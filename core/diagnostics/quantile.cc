#include "core/diagnostics/quantile.h"

#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>

namespace posteriord::core {

double Quantile(absl::Span<const double> sorted, double probability) {
  assert(!sorted.empty() && probability >= 0 && probability <= 1);
  const double h = probability * static_cast<double>(sorted.size() - 1);
  const double nearest = std::round(h);
  const bool whole = std::abs(h - nearest) <= 4 * std::numeric_limits<double>::epsilon() * nearest;
  const double below = whole ? nearest : std::floor(h);
  const auto j = static_cast<std::size_t>(below);
  if (whole) return sorted[j];
  return std::lerp(sorted[j], sorted[j + 1], h - below);
}

}  // namespace posteriord::core
