// Arrays of floats or doubles, a vector of doubles at a time.
//
// Internal to core; include from .cc files only.
#ifndef POSTERIORD_CORE_RANDOM_SIMD_ARRAY_H_
#define POSTERIORD_CORE_RANDOM_SIMD_ARRAY_H_

#include <algorithm>
#include <cstddef>

#include "absl/types/span.h"
#include "core/random/simd_random.h"

namespace posteriord::core::simd {

HWY_INLINE V LoadAsDouble(const double* from) { return hn::LoadU(D(), from); }
HWY_INLINE V LoadAsDouble(const float* from) {
  return hn::PromoteTo(D(), hn::LoadU(hn::Rebind<float, D>(), from));
}

HWY_INLINE void StoreAs(V value, double* to) { hn::StoreU(value, D(), to); }
HWY_INLINE void StoreAs(V value, float* to) {
  const hn::Rebind<float, D> d32;
  hn::StoreU(hn::DemoteTo(d32, value), d32, to);
}

// The entries from `begin`, of which there are fewer than lanes; the last is repeated.
template <typename T>
V LoadRest(absl::Span<const T> from, std::size_t begin) {
  T rest[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    rest[lane] = from[std::min(begin + lane, from.size() - 1)];
  }
  return LoadAsDouble(rest);
}

// Calls vector_op(i, count, in[i ...]...) for i = 0, kLanes, ..., with one vector for each of the
// arrays `in` of `size` entries. The last may count fewer lanes than a vector has; the others then
// repeat the last entry.
template <typename VectorOp, typename... Inputs>
void ForEachVector(std::size_t size, VectorOp&& vector_op, const Inputs&... in) {
  const std::size_t whole = size - size % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    vector_op(i, kLanes, LoadAsDouble(in.data() + i)...);
  }
  if (whole < size) vector_op(whole, size - whole, LoadRest(in, whole)...);
}

// Sets out[i + lane] to what vector_op returns in that lane. REQUIRES: the arrays are of one size.
template <typename T, typename VectorOp, typename... Inputs>
void ForEachVector(absl::Span<T> out, VectorOp&& vector_op, const Inputs&... in) {
  ForEachVector(
      out.size(),
      [&](std::size_t i, std::size_t count, const auto&... vectors) {
        const V result = vector_op(i, count, vectors...);
        if (count == kLanes) return StoreAs(result, out.data() + i);
        T rest[kLanes];
        StoreAs(result, rest);
        std::copy_n(rest, count, out.data() + i);
      },
      in...);
}

}  // namespace posteriord::core::simd

#endif  // POSTERIORD_CORE_RANDOM_SIMD_ARRAY_H_
