#include "core/diagnostics/segments.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/diagnostics/moments.h"

namespace posteriord::core {

void Segments::Add(const Segments& other) {
  if (means.empty()) {
    *this = other;
    return;
  }
  assert(points == other.points);
  means.insert(means.end(), other.means.begin(), other.means.end());
  for (std::size_t lag = 0; lag < summed_autocovariance.size(); ++lag) {
    summed_autocovariance[lag] += other.summed_autocovariance[lag];
  }
}

SegmentAnalyser::SegmentAnalyser() { fft_.SetFlag(Eigen::FFT<double>::HalfSpectrum); }

// Wiener-Khinchin, padded so that the periodic correlation does not wrap around.
Segments SegmentAnalyser::Whole(absl::Span<const double> chain) {
  const double mean = Mean(chain);
  const std::size_t size = std::bit_ceil(2 * chain.size());
  padded_.assign(size, 0.0);
  std::transform(chain.begin(), chain.end(), padded_.begin(),
                 [mean](double point) { return point - mean; });
  fft_.fwd(spectrum_, padded_);
  for (std::complex<double>& value : spectrum_) value = std::norm(value);
  fft_.inv(padded_, spectrum_, static_cast<Eigen::Index>(size));

  Segments segment = {.points = static_cast<std::int64_t>(chain.size()),
                      .means = {mean},
                      .summed_autocovariance = {padded_.begin(), padded_.begin() + chain.size()}};
  const auto points = static_cast<double>(chain.size());
  for (double& autocovariance : segment.summed_autocovariance) autocovariance /= points;
  return segment;
}

Segments SegmentAnalyser::Halves(absl::Span<const double> chain) {
  assert(chain.size() >= 2);
  const std::size_t n = chain.size() / 2;
  Segments halves = Whole(chain.first(n));
  halves.Add(Whole(chain.last(n)));
  return halves;
}

}  // namespace posteriord::core
