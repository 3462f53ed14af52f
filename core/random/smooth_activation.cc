#include "core/random/smooth_activation.h"

#include "core/random/simd_array.h"
#include "core/random/simd_random.h"
#include "core/random/simd_smooth.h"

namespace posteriord::core {

using simd::D;
using simd::V;
namespace hn = simd::hn;

template <typename T>
void Evaluate(const SmoothActivation& activation, absl::Span<const T> z, absl::Span<T> out) {
  simd::WithSmooth(activation.kind, [&](auto f) {
    simd::ForEachVector(
        out,
        [&](std::size_t, std::size_t, V at) {
          return hn::Mul(hn::Set(D(), activation.scale), f.Value(at));
        },
        z);
  });
}

template <typename T>
void EvaluateSlope(const SmoothActivation& activation, absl::Span<const T> z, absl::Span<T> out) {
  simd::WithSmooth(activation.kind, [&](auto f) {
    simd::ForEachVector(
        out,
        [&](std::size_t, std::size_t, V at) {
          return hn::Mul(hn::Set(D(), activation.scale), f.Slope(at));
        },
        z);
  });
}

template void Evaluate<float>(const SmoothActivation&, absl::Span<const float>, absl::Span<float>);
template void Evaluate<double>(const SmoothActivation&, absl::Span<const double>,
                               absl::Span<double>);
template void EvaluateSlope<float>(const SmoothActivation&, absl::Span<const float>,
                                   absl::Span<float>);
template void EvaluateSlope<double>(const SmoothActivation&, absl::Span<const double>,
                                    absl::Span<double>);

}  // namespace posteriord::core
