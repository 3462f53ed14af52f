// What split R-hat and effective sample size need to know about the chains of one observable.
#ifndef POSTERIORD_CORE_DIAGNOSTICS_SEGMENTS_H_
#define POSTERIORD_CORE_DIAGNOSTICS_SEGMENTS_H_

#include <complex>
#include <cstddef>
#include <cstdint>
#include <unsupported/Eigen/FFT>
#include <vector>

#include "absl/types/span.h"

namespace posteriord::core {

// Statistics of equally long stretches of chains: of whole chains or of their halves.
struct Segments {
  std::int64_t points = 0;                    // n, in each segment
  std::vector<double> means;                  // one per segment
  std::vector<double> summed_autocovariance;  // at lags 0 .. n - 1, over the segments

  // Average over the segments. REQUIRES: 0 <= lag < points.
  double autocovariance(std::size_t lag) const {
    return summed_autocovariance[lag] / static_cast<double>(means.size());
  }

  // Takes in further segments. REQUIRES: as many points in each, unless this is empty.
  void Add(const Segments& other);
};

// Computes segments, reusing its working memory and Fourier plans. Not thread-safe.
//
// The autocovariance at lag t of a segment x of mean m is 1/n sum_{i < n - t} (x_i - m)(x_{i+t} -
// m), at all lags in O(n log n).
class SegmentAnalyser {
 public:
  SegmentAnalyser();

  // The chain as one segment. REQUIRES: at least 1 point, all finite.
  Segments Whole(absl::Span<const double> chain);

  // Its halves, which show a drift within the chain as a difference of their means. The middle
  // point of an odd number is left out. REQUIRES: at least 2 points, all finite.
  Segments Halves(absl::Span<const double> chain);

 private:
  Eigen::FFT<double> fft_;
  std::vector<double> padded_;
  std::vector<std::complex<double>> spectrum_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_SEGMENTS_H_
