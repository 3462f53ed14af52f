#include "core/random/draws.h"

#include <algorithm>
#include <cmath>

#include "core/random/simd_random.h"

namespace posteriord::core {
namespace {

using simd::D;
using simd::kLanes;
using simd::M;
using simd::V;
namespace hn = simd::hn;

V LoadAsDouble(const double* from) { return hn::LoadU(D(), from); }
V LoadAsDouble(const float* from) {
  return hn::PromoteTo(D(), hn::LoadU(hn::Rebind<float, D>(), from));
}
void StoreAs(V value, double* to) { hn::StoreU(value, D(), to); }
void StoreAs(V value, float* to) {
  const hn::Rebind<float, D> d32;
  hn::StoreU(hn::DemoteTo(d32, value), d32, to);
}

// Calls vector_op(i, pointers) for every whole vector of the arrays, and for the rest on copies
// padded by repeating the last entry.
template <typename T, typename VectorOp>
void ForEachVector(absl::Span<const T> a, absl::Span<const T> b, absl::Span<T> out,
                   VectorOp&& vector_op) {
  const std::size_t whole = out.size() - out.size() % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    StoreAs(vector_op(i, LoadAsDouble(a.data() + i), LoadAsDouble(b.data() + i)), out.data() + i);
  }
  const std::size_t rest = out.size() - whole;
  if (rest == 0) return;
  T a_rest[kLanes], b_rest[kLanes], out_rest[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::size_t i = whole + std::min(lane, rest - 1);
    a_rest[lane] = a[i];
    b_rest[lane] = b[i];
  }
  StoreAs(vector_op(whole, LoadAsDouble(a_rest), LoadAsDouble(b_rest)), out_rest);
  std::copy_n(out_rest, rest, out.data() + whole);
}

// One linear piece of the activation, seen as the half line beyond 0 in direction `sign`. There the
// density of the latent is proportional to that of N(mean, scale^2), where
//   mean = (output_variance * prior mean + slope * variance * output) / joint.
struct Piece {
  Piece(double slope, double sign, double variance, double output_variance) {
    const double joint = output_variance + slope * slope * variance;
    scale = std::sqrt(variance * output_variance / joint);
    depth_per_mean = -sign * output_variance / (joint * scale);
    depth_per_output = -sign * slope * variance / (joint * scale);
  }

  // Distance from the mean to the half line in standard deviations: negative inside of it.
  HWY_INLINE V Depth(V prior_mean, V output) const {
    const D d;
    return hn::MulAdd(prior_mean, hn::Set(d, depth_per_mean),
                      hn::Mul(output, hn::Set(d, depth_per_output)));
  }

  double scale;
  double depth_per_mean;
  double depth_per_output;
};

// A piece is settled when its mean lies so deep inside, and the other's outside, that the other
// piece and the truncation both weigh less than e^-40, beyond the resolution of a uniform: this is
// the depth of the mean from which that holds. (The other piece's weight is at most half its scale
// times the density at the knot, which is exp(-depth^2 / 2) of that at this mean.)
double SettledDepth(const Piece& piece, const Piece& other) {
  return -std::sqrt(2 * (40 + std::max(0.0, std::log(other.scale / piece.scale))));
}

// Half the square of how deep the mean of a piece lies inside of it: the log of the density there
// over that at 0, which both pieces share.
HWY_INLINE V Height(V depth) {
  const D d;
  const V inside = hn::Min(depth, hn::Zero(d));
  return hn::Mul(hn::Mul(inside, inside), hn::Set(d, 0.5));
}

// Integral of the density over a piece, relative to the density at 0, to scale * sqrt(2 pi), and to
// exp(top). `relative_height` is exp(height - top), `relative_knot` exp(-top).
HWY_INLINE V RelativeWeight(V depth, V erfcx, V relative_height, V relative_knot) {
  const D d;
  const V outside = hn::Mul(hn::Mul(hn::Set(d, 0.5), erfcx), relative_knot);
  return hn::IfThenElse(hn::Gt(depth, hn::Zero(d)), outside, hn::Sub(relative_height, outside));
}

HWY_INLINE V Select(M mask, V yes, V no) { return hn::IfThenElse(mask, yes, no); }
HWY_INLINE M Select(M mask, M yes, M no) {
  return hn::Or(hn::And(mask, yes), hn::AndNot(mask, no));
}

// N(mean, sd^2) beyond `limit` in direction `sign`.
template <typename T>
void DrawNormalBeyond(double sign, double variance, const RandomBlock& random,
                      std::uint64_t first_entry, absl::Span<const T> mean,
                      absl::Span<const T> limit, absl::Span<T> out) {
  const D d;
  const double sd = std::sqrt(variance);
  const simd::Uniforms uniforms(random);
  ForEachVector(mean, limit, out, [&](std::size_t i, V m, V l) {
    const V depth = hn::Mul(hn::Sub(l, m), hn::Set(d, sign / sd));
    const V u = uniforms.At(first_entry + i).first;
    return hn::MulAdd(simd::DrawExcess(simd::MakeUpperTail(depth), u), hn::Set(d, sign * sd), l);
  });
}

}  // namespace

template <typename T>
void DrawNormals(const RandomBlock& random, std::uint64_t first_entry, absl::Span<T> out) {
  const D d;
  const simd::Uniforms uniforms(random);
  const auto normal = [&d](V u) { return simd::NormalQuantile(u, hn::Sub(hn::Set(d, 1.0), u)); };
  // Pairs through a small buffer; an odd start skips the first of its pair.
  constexpr std::size_t kBuffer = 2 * kLanes;
  alignas(64) double buffer[kBuffer];
  std::size_t done = 0;
  std::uint64_t pair = first_entry / 2;
  std::size_t skip = first_entry % 2;
  while (done < out.size()) {
    const simd::UniformPair u = uniforms.At(pair);
    hn::StoreInterleaved2(normal(u.first), normal(u.second), d, buffer);
    const std::size_t count = std::min(kBuffer - skip, out.size() - done);
    for (std::size_t i = 0; i < count; ++i) out[done + i] = static_cast<T>(buffer[skip + i]);
    done += count;
    pair += kLanes;
    skip = 0;
  }
}

template <typename T>
void DrawBeforeTwoPieceLinear(const TwoPieceLinear& activation, double variance,
                              double output_variance, const RandomBlock& random,
                              std::uint64_t first_entry, absl::Span<const T> mean,
                              absl::Span<const T> output, absl::Span<T> out) {
  const D d;
  const Piece negative(activation.negative_slope, -1, variance, output_variance);
  const Piece positive(activation.positive_slope, 1, variance, output_variance);
  const V settled_negative = hn::Set(d, SettledDepth(negative, positive));
  const V settled_positive = hn::Set(d, SettledDepth(positive, negative));
  const simd::Uniforms uniforms(random);
  ForEachVector(mean, output, out, [&](std::size_t i, V m, V x) {
    const V zero = hn::Zero(d);
    const V one = hn::Set(d, 1.0);
    const V depth_below = negative.Depth(m, x);
    const V depth_above = positive.Depth(m, x);
    const simd::UniformPair u = uniforms.At(first_entry + i);

    // Most entries, when the noise is small: one piece, untruncated.
    const M settled_above =
        hn::And(hn::Lt(depth_above, settled_positive), hn::Gt(depth_below, zero));
    const M settled_below =
        hn::And(hn::Lt(depth_below, settled_negative), hn::Gt(depth_above, zero));
    const M settled = hn::Or(settled_above, settled_below);
    const V settled_depth = Select(settled_above, depth_above, depth_below);
    const auto step = [&](M is_above) {
      return Select(is_above, hn::Set(d, positive.scale), hn::Set(d, -negative.scale));
    };
    if (hn::AllTrue(d, settled)) {
      const V normal = simd::NormalQuantile(hn::Sub(one, u.second), u.second);
      return hn::Mul(hn::Sub(normal, settled_depth), step(settled_above));
    }

    const V erfcx_below = simd::TailErfcx(depth_below);
    const V erfcx_above = simd::TailErfcx(depth_above);
    // Relative to the higher of the two, no weight overflows.
    const V height_below = Height(depth_below);
    const V height_above = Height(depth_above);
    const V knot = simd::internal::ExpClamped(hn::Neg(hn::Max(height_below, height_above)));
    const V lower =
        simd::internal::ExpClamped(hn::Neg(hn::Abs(hn::Sub(height_below, height_above))));
    const M below_higher = hn::Gt(height_below, height_above);
    const V weight_below =
        RelativeWeight(depth_below, erfcx_below, Select(below_higher, one, lower), knot);
    const V weight_above =
        RelativeWeight(depth_above, erfcx_above, Select(below_higher, lower, one), knot);
    const V below = hn::Mul(hn::Mul(weight_below, hn::Set(d, negative.scale)), u.first);
    const V above =
        hn::Mul(hn::Mul(weight_above, hn::Set(d, positive.scale)), hn::Sub(one, u.first));
    const M is_above = Select(settled, settled_above, hn::Lt(below, above));
    // A settled lane is given the whole line, so that it does not depend on the lanes beside it.
    const simd::UpperTail truncated = simd::MakeUpperTail(
        Select(is_above, depth_above, depth_below), Select(is_above, erfcx_above, erfcx_below));
    const simd::UpperTail tail{truncated.depth, Select(settled, one, truncated.mass),
                               Select(settled, zero, truncated.complement), truncated.erfcx};
    return hn::Mul(simd::DrawExcess(tail, u.second), step(is_above));
  });
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
  template void DrawBeforeTwoPieceLinear<T>(                                                       \
      const TwoPieceLinear&, double, double, const RandomBlock&, std::uint64_t,                    \
      absl::Span<const T>, absl::Span<const T>, absl::Span<T>);                                    \
  template void DrawNormalAbove<T>(double, const RandomBlock&, std::uint64_t, absl::Span<const T>, \
                                   absl::Span<const T>, absl::Span<T>);                            \
  template void DrawNormalBelow<T>(double, const RandomBlock&, std::uint64_t, absl::Span<const T>, \
                                   absl::Span<const T>, absl::Span<T>)
POSTERIORD_INSTANTIATE(float);
POSTERIORD_INSTANTIATE(double);
#undef POSTERIORD_INSTANTIATE

}  // namespace posteriord::core
