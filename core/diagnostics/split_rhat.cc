#include "core/diagnostics/split_rhat.h"

#include <cmath>
#include <optional>

#include "core/diagnostics/moments.h"

namespace posteriord::core {

std::optional<double> SplitRhat(const Segments& halves) {
  if (halves.points < 2) return std::nullopt;
  const auto n = static_cast<double>(halves.points);
  const double within = halves.autocovariance(0) * n / (n - 1);
  const double between = Variance(halves.means);
  if (within == 0 && between == 0) return std::nullopt;
  return std::sqrt((n - 1) / n + between / within);
}

}  // namespace posteriord::core
