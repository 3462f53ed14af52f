// A slice-sampling transition on the real line (Neal, "Slice sampling", Annals of Statistics 31,
// 2003): stepping out by a given width, then shrinkage.
#ifndef POSTERIORD_CORE_RANDOM_SLICE_SAMPLING_H_
#define POSTERIORD_CORE_RANDOM_SLICE_SAMPLING_H_

#include <cmath>

namespace posteriord::core {

// From x to a point that leaves exp(log_density) invariant. `uniform()` gives uniforms on (0, 1);
// it is called once for the level, twice for the interval, then once for every proposal. The
// interval is stepped out at most kMaxSteps times in all, split between its ends at random, which
// keeps the transition exact. REQUIRES: log_density(x) is finite.
template <typename LogDensity, typename Uniform>
double SliceSample(const LogDensity& log_density, double x, double width, Uniform&& uniform) {
  constexpr int kMaxSteps = 64;
  const double level = log_density(x) + std::log(uniform());
  double low = x - width * uniform();
  double high = low + width;
  int left = static_cast<int>(kMaxSteps * uniform());
  int right = kMaxSteps - 1 - left;
  for (; left > 0 && log_density(low) > level; --left) low -= width;
  for (; right > 0 && log_density(high) > level; --right) high += width;
  while (true) {
    const double proposal = low + (high - low) * uniform();
    if (log_density(proposal) > level) return proposal;
    // Rounding has closed the interval on x.
    if (proposal == x || high - low <= 1e-15 * std::abs(x)) return x;
    (proposal < x ? low : high) = proposal;
  }
}

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_RANDOM_SLICE_SAMPLING_H_
