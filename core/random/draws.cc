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
// density of the latent is proportional to N(mean, scale^2).
struct PieceConstants {
  PieceConstants(double piece_slope, double piece_sign, double variance, double output_variance)
      : slope(piece_slope), sign(piece_sign) {
    const double joint = output_variance + slope * slope * variance;
    gain = slope * variance / joint;  // mean = prior mean + gain (output - slope prior mean)
    scale = std::sqrt(variance * output_variance / joint);
    log_scale = std::log(scale);
    half_joint_precision = 0.5 / joint;
  }
  double slope;
  double sign;
  double gain;
  double scale;
  double log_scale;
  double half_joint_precision;
};

// A piece for one vector of entries.
struct Piece {
  V residual;  // output - slope * prior mean
  V depth;     // distance from the mean to the half line, in standard deviations
};

HWY_INLINE Piece MakePiece(const PieceConstants& constants, V mean, V output) {
  const D d;
  const V residual = hn::NegMulAdd(hn::Set(d, constants.slope), mean, output);
  const V piece_mean = hn::MulAdd(hn::Set(d, constants.gain), residual, mean);
  return {residual, hn::Mul(piece_mean, hn::Set(d, -constants.sign / constants.scale))};
}

// log of the integral of the joint density over the piece, up to a common constant.
HWY_INLINE V LogWeight(const PieceConstants& constants, const Piece& piece,
                       const simd::UpperTail& tail, V log_at_knot) {
  const D d;
  const V log_at_mean =
      hn::Mul(hn::Mul(piece.residual, piece.residual), hn::Set(d, -constants.half_joint_precision));
  const V log_highest = hn::IfThenElse(hn::Gt(piece.depth, hn::Zero(d)), log_at_knot, log_at_mean);
  return hn::Add(hn::Add(log_highest, simd::LogRelativeMass(tail)),
                 hn::Set(d, constants.log_scale));
}

// A piece is settled when its mean lies so deep inside, and the other's outside, that the other
// piece and the truncation both weigh less than e^-40, beyond the resolution of a uniform: this is
// the depth of the mean from which that holds. (The other piece's weight is at most half its scale
// times the density at the knot, which is exp(-depth^2 / 2) of that at this mean.)
double SettledDepth(const PieceConstants& piece, const PieceConstants& other) {
  return -std::sqrt(2 * (40 + std::max(0.0, other.log_scale - piece.log_scale)));
}

HWY_INLINE V Select(M mask, V yes, V no) { return hn::IfThenElse(mask, yes, no); }

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
  const PieceConstants negative(activation.negative_slope, -1, variance, output_variance);
  const PieceConstants positive(activation.positive_slope, 1, variance, output_variance);
  const V settled_negative = hn::Set(d, SettledDepth(negative, positive));
  const V settled_positive = hn::Set(d, SettledDepth(positive, negative));
  const simd::Uniforms uniforms(random);
  const V half_precision = hn::Set(d, -0.5 / variance);
  const V half_output_precision = hn::Set(d, -0.5 / output_variance);
  ForEachVector(mean, output, out, [&](std::size_t i, V m, V x) {
    const V zero = hn::Zero(d);
    const Piece below = MakePiece(negative, m, x);
    const Piece above = MakePiece(positive, m, x);
    const simd::UniformPair u = uniforms.At(first_entry + i);
    const auto step = [&](M is_above) {
      return Select(is_above, hn::Set(d, positive.scale), hn::Set(d, -negative.scale));
    };

    // Most entries, when the noise is small: one piece, untruncated.
    const M settled_above =
        hn::And(hn::Lt(above.depth, settled_positive), hn::Gt(below.depth, zero));
    const M settled_below =
        hn::And(hn::Lt(below.depth, settled_negative), hn::Gt(above.depth, zero));
    const M settled = hn::Or(settled_above, settled_below);
    const V untruncated =
        hn::Mul(hn::Sub(simd::NormalQuantile(hn::Sub(hn::Set(d, 1.0), u.second), u.second),
                        Select(settled_above, above.depth, below.depth)),
                step(settled_above));
    if (hn::AllTrue(d, settled)) return untruncated;

    const V log_at_knot =
        hn::MulAdd(hn::Mul(m, m), half_precision, hn::Mul(hn::Mul(x, x), half_output_precision));
    const simd::UpperTail tail_below = simd::MakeUpperTail(below.depth);
    const simd::UpperTail tail_above = simd::MakeUpperTail(above.depth);
    // P(above) = 1 / (1 + odds).
    const V odds =
        simd::internal::ExpClamped(hn::Sub(LogWeight(negative, below, tail_below, log_at_knot),
                                           LogWeight(positive, above, tail_above, log_at_knot)));
    const M is_above = hn::Lt(hn::MulAdd(u.first, odds, u.first), hn::Set(d, 1.0));
    const simd::UpperTail tail{Select(is_above, tail_above.depth, tail_below.depth),
                               Select(is_above, tail_above.mass, tail_below.mass),
                               Select(is_above, tail_above.complement, tail_below.complement),
                               Select(is_above, tail_above.erfcx, tail_below.erfcx)};
    return Select(settled, untruncated, hn::Mul(simd::DrawExcess(tail, u.second), step(is_above)));
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
