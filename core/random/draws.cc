#include "core/random/draws.h"

#include <algorithm>
#include <cmath>

#include "core/random/simd_array.h"
#include "core/random/simd_random.h"

namespace posteriord::core {
namespace {

using simd::D;
using simd::kLanes;
using simd::V;
namespace hn = simd::hn;

// N(mean, sd^2) beyond `limit` in direction `sign`.
template <typename T>
void DrawNormalBeyond(double sign, double variance, const RandomBlock& random,
                      std::uint64_t first_entry, absl::Span<const T> mean,
                      absl::Span<const T> limit, absl::Span<T> out) {
  const D d;
  const double sd = std::sqrt(variance);
  const simd::Uniforms uniforms(random);
  simd::ForEachVector(
      out,
      [&](std::size_t i, std::size_t, V m, V l) {
        const V depth = hn::Mul(hn::Sub(l, m), hn::Set(d, sign / sd));
        const V u = uniforms.At(first_entry + i).first;
        const V excess = simd::DrawExcess(simd::MakeUpperTail(depth), u);
        return hn::MulAdd(excess, hn::Set(d, sign * sd), l);
      },
      mean, limit);
}

}  // namespace

void DrawUniforms(const RandomBlock& random, std::uint64_t first_entry, absl::Span<double> out) {
  const simd::Uniforms uniforms(random);
  double buffer[kLanes];
  for (std::size_t i = 0; i < out.size(); i += kLanes) {
    simd::StoreAs(uniforms.At(first_entry + i).first, buffer);
    std::copy_n(buffer, std::min(kLanes, out.size() - i), out.data() + i);
  }
}

double DrawUniform(const RandomBlock& random, std::uint64_t entry) {
  double uniform = 0;
  DrawUniforms(random, entry, {&uniform, 1});
  return uniform;
}

template <typename T>
void DrawNormals(const RandomBlock& random, std::uint64_t first_entry, absl::Span<T> out) {
  const D d;
  const simd::Uniforms uniforms(random);
  // Pairs through a small buffer; an odd start skips the first of its pair.
  constexpr std::size_t kBuffer = 4 * kLanes;
  alignas(64) double buffer[kBuffer];
  std::size_t done = 0;
  std::uint64_t pair = first_entry / 2;
  std::size_t skip = first_entry % 2;
  while (done < out.size()) {
    simd::UniformPair low, high;
    uniforms.AtTwo(pair, low, high);
    const simd::NormalPair normals = simd::NormalsFromUniforms(low);
    const simd::NormalPair more = simd::NormalsFromUniforms(high);
    hn::StoreInterleaved2(normals.first, normals.second, d, buffer);
    hn::StoreInterleaved2(more.first, more.second, d, buffer + 2 * kLanes);
    const std::size_t count = std::min(kBuffer - skip, out.size() - done);
    if (count == kBuffer) {
      for (std::size_t i = 0; i < kBuffer; i += kLanes) {
        simd::StoreAs(hn::Load(d, buffer + i), out.data() + done + i);
      }
    } else {
      for (std::size_t i = 0; i < count; ++i) out[done + i] = static_cast<T>(buffer[skip + i]);
    }
    done += count;
    pair += 2 * kLanes;
    skip = 0;
  }
}

template <typename T>
void DrawNormalAbove(double variance, const RandomBlock& random, std::uint64_t first_entry,
                     absl::Span<const T> mean, absl::Span<const T> limit, absl::Span<T> out) {
  DrawNormalBeyond(1, variance, random, first_entry, mean, limit, out);
}

template <typename T>
void DrawNormalBelow(double variance, const RandomBlock& random, std::uint64_t first_entry,
                     absl::Span<const T> mean, absl::Span<const T> limit, absl::Span<T> out) {
  DrawNormalBeyond(-1, variance, random, first_entry, mean, limit, out);
}

#define POSTERIORD_INSTANTIATE(T)                                                                  \
  template void DrawNormals<T>(const RandomBlock&, std::uint64_t, absl::Span<T>);                  \
  template void DrawNormalAbove<T>(double, const RandomBlock&, std::uint64_t, absl::Span<const T>, \
                                   absl::Span<const T>, absl::Span<T>);                            \
  template void DrawNormalBelow<T>(double, const RandomBlock&, std::uint64_t, absl::Span<const T>, \
                                   absl::Span<const T>, absl::Span<T>)
POSTERIORD_INSTANTIATE(float);
POSTERIORD_INSTANTIATE(double);
#undef POSTERIORD_INSTANTIATE

}  // namespace posteriord::core
