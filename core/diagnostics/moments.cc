#include "core/diagnostics/moments.h"

#include <cassert>

namespace posteriord::core {

double Mean(absl::Span<const double> values) {
  assert(!values.empty());
  double sum = 0;
  for (const double value : values) sum += value - values[0];
  return values[0] + sum / static_cast<double>(values.size());
}

double Variance(absl::Span<const double> values) {
  assert(values.size() >= 2);
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size() - 1);
}

}  // namespace posteriord::core
