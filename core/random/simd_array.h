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

// Sets out[i + lane] to what vector_op(i, count, in[i ...]...) returns in that lane, a vector at a
// time, with one vector for each array `in` of the size of `out`. The last may count fewer lanes
// than a vector has; the others then repeat the last entry.
template <typename T, typename VectorOp, typename... Inputs>
void ForEachVector(absl::Span<T> out, VectorOp&& vector_op, const Inputs&... in) {
  const std::size_t whole = out.size() - out.size() % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    StoreAs(vector_op(i, kLanes, LoadAsDouble(in.data() + i)...), out.data() + i);
  }
  const std::size_t rest = out.size() - whole;
  if (rest == 0) return;
  T out_rest[kLanes];
  StoreAs(vector_op(whole, rest, LoadRest<T>(in, whole)...), out_rest);
  std::copy_n(out_rest, rest, out.data() + whole);
}

}  // namespace posteriord::core::simd

#endif  // POSTERIORD_CORE_RANDOM_SIMD_ARRAY_H_
