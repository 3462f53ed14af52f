#include "core/random/draw_before_piecewise_linear.h"

#include <algorithm>
#include <cmath>

#include "core/random/draws.h"
#include "core/random/simd_array.h"
#include "core/random/simd_random.h"

namespace posteriord::core {
namespace {

using simd::D;
using simd::kLanes;
using simd::M;
using simd::V;
namespace hn = simd::hn;

// Log of the weight that does not count beside 1: beyond the resolution of a uniform.
constexpr double kNegligibleLog = 40;

// A linear piece of the activation, seen as the half line beyond a knot in direction `sign`. There
// the density of the latent is proportional to that of N(mean, scale^2). Prior means and outputs
// are measured from the knot and from the piece's value there.
struct HalfLine {
  HalfLine(double slope, double sign, double variance, double output_variance) {
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

HWY_INLINE V Select(M mask, V yes, V no) { return hn::IfThenElse(mask, yes, no); }

HWY_INLINE M NoLane() { return hn::FirstN(D(), 0); }

// Log of the highest density on a half line over that at its knot: half the square of how deep the
// mean lies inside.
HWY_INLINE V Height(V depth) {
  const D d;
  const V inside = hn::Min(depth, hn::Zero(d));
  return hn::Mul(hn::Mul(inside, inside), hn::Set(d, 0.5));
}

// exp(log) for log <= 0, or what weighs as little beside 1.
HWY_INLINE V NegligibleExp(V log) { return simd::internal::ExpAbove(-600, log); }

// Integral of the density over a half line, relative to scale * sqrt(2 pi) and to a common density
// exp(top). `relative_height` and `relative_knot` are the highest density and that at the knot over
// exp(top).
HWY_INLINE V RelativeWeight(V depth, V erfcx, V relative_height, V relative_knot) {
  const D d;
  const V outside = hn::Mul(hn::Mul(hn::Set(d, 0.5), erfcx), relative_knot);
  return Select(hn::Gt(depth, hn::Zero(d)), outside, hn::Sub(relative_height, outside));
}

// What some latents are conditioned on.
struct Latents {
  V mean;    // prior mean
  V output;  // what came out of the activation
};

// A normal in the terms of its mean and standard deviation, the latter of either sign.
struct Normal {
  V mean;
  V step;
};

// A mixture draws latents by Draw() from a pair of uniforms. Where one piece alone weighs,
// untruncated, it is settled: FindSettled() tells, cheaply, and SettledNormal() is the
// distribution; elsewhere its result has no meaning.

// The fast path of the most common case, in which the pieces meet in the origin (ReLU and its
// like): both share the density at the knot.
class KinkMixture {
 public:
  KinkMixture(double negative_slope, double positive_slope, double variance, double output_variance)
      : negative_(negative_slope, -1, variance, output_variance),
        positive_(positive_slope, 1, variance, output_variance),
        settled_negative_(SettledDepth(negative_, positive_)),
        settled_positive_(SettledDepth(positive_, negative_)) {}

  struct Depths {
    V below;
    V above;
  };

  HWY_INLINE Depths At(const Latents& latents) const {
    return {negative_.Depth(latents.mean, latents.output),
            positive_.Depth(latents.mean, latents.output)};
  }

  struct Settled {
    M above;
    M below;

    HWY_INLINE M Any() const { return hn::Or(above, below); }
  };

  HWY_INLINE Settled FindSettled(const Depths& depths) const {
    const D d;
    const V zero = hn::Zero(d);
    return {
        hn::And(hn::Lt(depths.above, hn::Set(d, settled_positive_)), hn::Gt(depths.below, zero)),
        hn::And(hn::Lt(depths.below, hn::Set(d, settled_negative_)), hn::Gt(depths.above, zero))};
  }

  HWY_INLINE Normal SettledNormal(const Depths& depths, const Settled& settled) const {
    const V depth = Select(settled.above, depths.above, depths.below);
    const V step = Step(settled.above);
    return {hn::Neg(hn::Mul(depth, step)), step};
  }

  HWY_INLINE V Draw(const Latents& latents, const simd::UniformPair& u) const {
    const D d;
    const V one = hn::Set(d, 1.0);
    const Depths depths = At(latents);
    const V erfcx_below = simd::TailErfcx(depths.below);
    const V erfcx_above = simd::TailErfcx(depths.above);
    // Relative to the higher of the two, no weight overflows.
    const V height_below = Height(depths.below);
    const V height_above = Height(depths.above);
    const V knot = NegligibleExp(hn::Neg(hn::Max(height_below, height_above)));
    const V lower = NegligibleExp(hn::Neg(hn::Abs(hn::Sub(height_below, height_above))));
    const M below_higher = hn::Gt(height_below, height_above);
    const V weight_below =
        RelativeWeight(depths.below, erfcx_below, Select(below_higher, one, lower), knot);
    const V weight_above =
        RelativeWeight(depths.above, erfcx_above, Select(below_higher, lower, one), knot);
    const V below = hn::Mul(hn::Mul(weight_below, hn::Set(d, negative_.scale)), u.first);
    const V above =
        hn::Mul(hn::Mul(weight_above, hn::Set(d, positive_.scale)), hn::Sub(one, u.first));
    const M is_above = hn::Lt(below, above);
    const simd::UpperTail tail = simd::MakeUpperTail(Select(is_above, depths.above, depths.below),
                                                     Select(is_above, erfcx_above, erfcx_below));
    return hn::Mul(simd::DrawExcess(tail, u.second), Step(is_above));
  }

 private:
  // A piece is settled when its mean lies so deep inside, and the other's outside, that the other
  // piece and the truncation are negligible: this is the depth of the mean from which that holds.
  // (The other piece's weight is at most half its scale times the density at the knot, which is
  // exp(-depth^2 / 2) of that at this mean.)
  static double SettledDepth(const HalfLine& piece, const HalfLine& other) {
    return -std::sqrt(2 * (kNegligibleLog + std::max(0.0, std::log(other.scale / piece.scale))));
  }

  // From 0 into a piece, in units of its scale.
  HWY_INLINE V Step(M above) const {
    const D d;
    return Select(above, hn::Set(d, positive_.scale), hn::Set(d, -negative_.scale));
  }

  HalfLine negative_;
  HalfLine positive_;
  double settled_negative_;
  double settled_positive_;
};

// Any two or three pieces: a half line below a knot, one above a knot, and, if kBetween, what lies
// between these two knots.
template <bool kBetween>
class PieceMixture {
 public:
  PieceMixture(const PiecewiseLinear& s, double variance, double output_variance)
      : lower_(s.knot(0), s.piece(0), s.piece(1), output_variance),
        upper_(s.knot(kUpperKnot), s.piece(kUpperKnot), s.piece(kUpperKnot + 1), output_variance),
        below_(s.piece(0).slope, -1, variance, output_variance),
        above_(s.piece(kUpperKnot + 1).slope, 1, variance, output_variance),
        up_(s.piece(1).slope, 1, variance, output_variance),
        down_(s.piece(1).slope, -1, variance, output_variance),
        width_((upper_.at - lower_.at) / up_.scale),
        margin_below_{Margin(below_, above_), Margin(below_, up_)},
        margin_above_{Margin(above_, below_), Margin(above_, up_)},
        margin_between_{Margin(up_, below_), Margin(up_, above_)} {}

  // How deep the means of the pieces lie, and the logs of densities. The latter are relative to the
  // highest between the knots, or, without a piece there, to that just below the knot.
  struct Depths {
    V below;
    V above;
    V knot_below;    // log density on the lower side of the lower knot
    V knot_above;    // log density on the upper side of the upper knot
    V height_below;  // highest log density on the piece
    V height_above;
    V near;        // the piece between, seen from the knot that is nearer to its mean
    M lower_near;  // whether that is the lower one
  };

  HWY_INLINE Depths At(const Latents& latents) const {
    const D d;
    const V from_lower = hn::Sub(latents.mean, hn::Set(d, lower_.at));
    const V from_upper = hn::Sub(latents.mean, hn::Set(d, upper_.at));
    Depths depths;
    depths.below = below_.Depth(from_lower, hn::Sub(latents.output, hn::Set(d, lower_.below)));
    depths.above = above_.Depth(from_upper, hn::Sub(latents.output, hn::Set(d, upper_.above)));
    if constexpr (kBetween) {
      const V up = up_.Depth(from_lower, hn::Sub(latents.output, hn::Set(d, lower_.above)));
      const V down = down_.Depth(from_upper, hn::Sub(latents.output, hn::Set(d, upper_.below)));
      depths.lower_near = hn::Ge(up, down);
      depths.near = hn::Max(up, down);
      const simd::IntervalEnds ends = simd::LogDensityAtEnds(depths.near, hn::Set(d, width_));
      depths.knot_below =
          hn::Sub(Select(depths.lower_near, ends.near, ends.far), lower_.Jump(latents.output));
      depths.knot_above =
          hn::Add(Select(depths.lower_near, ends.far, ends.near), upper_.Jump(latents.output));
    } else {
      depths.lower_near = NoLane();
      depths.near = hn::Zero(d);
      depths.knot_below = hn::Zero(d);
      depths.knot_above = upper_.Jump(latents.output);
    }
    depths.height_below = hn::Add(depths.knot_below, Height(depths.below));
    depths.height_above = hn::Add(depths.knot_above, Height(depths.above));
    return depths;
  }

  struct Settled {
    M below;
    M between;
    M above;

    HWY_INLINE M Any() const { return hn::Or(hn::Or(below, above), between); }
  };

  // No piece weighs more than its scale times its highest density; one whose mean lies deep inside
  // weighs as much.
  HWY_INLINE Settled FindSettled(const Depths& depths) const {
    const D d;
    const V deep = hn::Set(d, -std::sqrt(2 * kNegligibleLog));
    const V difference = hn::Sub(depths.height_above, depths.height_below);
    Settled settled;
    settled.below = hn::And(hn::Lt(depths.below, deep),
                            hn::Gt(hn::Neg(difference), hn::Set(d, margin_below_[0])));
    settled.above =
        hn::And(hn::Lt(depths.above, deep), hn::Gt(difference, hn::Set(d, margin_above_[0])));
    settled.between = NoLane();
    if constexpr (kBetween) {
      settled.below =
          hn::And(settled.below, hn::Gt(depths.height_below, hn::Set(d, margin_below_[1])));
      settled.above =
          hn::And(settled.above, hn::Gt(depths.height_above, hn::Set(d, margin_above_[1])));
      settled.between =
          hn::And(hn::Lt(depths.near, deep),
                  hn::And(hn::Gt(hn::Neg(depths.height_below), hn::Set(d, margin_between_[0])),
                          hn::Gt(hn::Neg(depths.height_above), hn::Set(d, margin_between_[1]))));
    }
    return settled;
  }

  HWY_INLINE Normal SettledNormal(const Depths& depths, const Settled& settled) const {
    const Origin origin = OriginOf(depths, settled.above, settled.between);
    return {hn::NegMulAdd(origin.depth, origin.step, origin.knot), origin.step};
  }

  HWY_INLINE V Draw(const Latents& latents, const simd::UniformPair& uniforms) const {
    const D d;
    const V one = hn::Set(d, 1.0);
    const Depths depths = At(latents);
    const V erfcx_below = simd::TailErfcx(depths.below);
    const V erfcx_above = simd::TailErfcx(depths.above);
    // Relative to the highest of all, no weight overflows.
    V top = hn::Max(depths.height_below, depths.height_above);
    if constexpr (kBetween) top = hn::Max(top, hn::Zero(d));
    const auto weight = [&](const HalfLine& piece, V depth, V erfcx, V height, V knot) {
      return hn::Mul(hn::Set(d, piece.scale),
                     RelativeWeight(depth, erfcx, NegligibleExp(hn::Sub(height, top)),
                                    NegligibleExp(hn::Sub(knot, top))));
    };
    const V weight_below =
        weight(below_, depths.below, erfcx_below, depths.height_below, depths.knot_below);
    const V weight_above =
        weight(above_, depths.above, erfcx_above, depths.height_above, depths.knot_above);
    // Both ends of the uniform's range, where it is finest, belong to the outer pieces.
    const V u = uniforms.first;
    const V one_minus_u = hn::Sub(one, u);
    if constexpr (kBetween) {
      const simd::Interval between = simd::MakeInterval(depths.near, hn::Set(d, width_));
      const V weight_between =
          hn::Mul(hn::Set(d, up_.scale), hn::Mul(between.mass, NegligibleExp(hn::Neg(top))));
      const M is_above = hn::Lt(hn::Mul(u, hn::Add(weight_below, weight_between)),
                                hn::Mul(one_minus_u, weight_above));
      const M is_below = hn::Lt(hn::Mul(one_minus_u, hn::Add(weight_above, weight_between)),
                                hn::Mul(u, weight_below));
      const M is_between = hn::Not(hn::Or(is_above, is_below));
      const Origin origin = OriginOf(depths, is_above, is_between);
      const V erfcx = Select(is_between, between.erfcx, Select(is_above, erfcx_above, erfcx_below));
      const V share =
          Select(is_between, simd::TailShare(between, uniforms.second), uniforms.second);
      const V excess = simd::DrawExcess(simd::MakeUpperTail(origin.depth, erfcx), share);
      const V within = simd::ConfineExcess(between, uniforms.second, excess);
      return hn::MulAdd(Select(is_between, within, excess), origin.step, origin.knot);
    } else {
      const M is_above = hn::Lt(hn::Mul(u, weight_below), hn::Mul(one_minus_u, weight_above));
      const Origin origin = OriginOf(depths, is_above, NoLane());
      const simd::UpperTail tail =
          simd::MakeUpperTail(origin.depth, Select(is_above, erfcx_above, erfcx_below));
      return hn::MulAdd(simd::DrawExcess(tail, uniforms.second), origin.step, origin.knot);
    }
  }

 private:
  static constexpr std::size_t kUpperKnot = kBetween ? 1 : 0;

  struct Knot {
    Knot(double where, const PiecewiseLinear::Piece& lower, const PiecewiseLinear::Piece& upper,
         double output_variance)
        : at(where),
          below(lower.At(where)),
          above(upper.At(where)),
          middle(below / 2 + above / 2),
          jump_per_output((above - below) / output_variance) {}

    // Log density on its upper side over that on its lower side:
    //   ((output - below)^2 - (output - above)^2) / (2 output_variance).
    HWY_INLINE V Jump(V output) const {
      const D d;
      return hn::Mul(hn::Sub(output, hn::Set(d, middle)), hn::Set(d, jump_per_output));
    }

    double at;
    double below;  // value of the activation on its lower side
    double above;
    double middle;
    double jump_per_output;
  };

  // Where a piece is entered, and how: a draw is knot + step * excess.
  struct Origin {
    V depth;
    V knot;
    V step;
  };

  HWY_INLINE Origin OriginOf(const Depths& depths, M above, M between) const {
    const D d;
    const V lower = hn::Set(d, lower_.at);
    const V upper = hn::Set(d, upper_.at);
    Origin origin{Select(above, depths.above, depths.below), Select(above, upper, lower),
                  Select(above, hn::Set(d, above_.scale), hn::Set(d, -below_.scale))};
    if constexpr (kBetween) {
      const V scale = hn::Set(d, up_.scale);
      origin.depth = Select(between, depths.near, origin.depth);
      origin.knot = Select(between, Select(depths.lower_near, lower, upper), origin.knot);
      origin.step = Select(between, Select(depths.lower_near, scale, hn::Neg(scale)), origin.step);
    }
    return origin;
  }

  // By how much the highest log density on a piece must exceed that on the other to settle it.
  static double Margin(const HalfLine& piece, const HalfLine& other) {
    return kNegligibleLog + std::max(0.0, std::log(other.scale / piece.scale));
  }

  Knot lower_;
  Knot upper_;
  HalfLine below_;
  HalfLine above_;
  // The piece between the knots, beyond the lower and beyond the upper one.
  HalfLine up_;
  HalfLine down_;
  double width_;  // of that piece, in units of its scale
  // Of each piece over the other two.
  double margin_below_[2];
  double margin_above_[2];
  double margin_between_[2];
};

// Entries are worked through in groups of this many, whose intermediate results stay in the cache.
constexpr std::size_t kGroup = 256;
static_assert(kGroup % kLanes == 0);

// Latents of a group set aside, to be drawn a whole vector at a time, and their entries in the
// block.
class Deferred {
 public:
  // Adds the lanes of `mask`; lane 0 is entry `first`.
  HWY_INLINE void Add(const Latents& latents, M mask, std::uint64_t first) {
    const D d;
    const simd::D64 d64;
    hn::CompressStore(latents.mean, mask, d, mean_ + size_);
    hn::CompressStore(latents.output, mask, d, output_ + size_);
    hn::CompressStore(hn::Iota(d64, first), hn::RebindMask(d64, mask), d64, entry_ + size_);
    size_ += hn::CountTrue(d, mask);
  }

  // Draws them all; out[0] is entry `first`. Lanes beyond the last hold what was there before:
  // numbers, if useless ones.
  template <typename T, typename Mixture>
  void Draw(const Mixture& mixture, const simd::Uniforms& uniforms, std::uint64_t first,
            absl::Span<T> out) {
    const D d;
    alignas(64) double drawn[kLanes];
    for (std::size_t i = 0; i < size_; i += kLanes) {
      const simd::UniformPair u = uniforms.AtElements(hn::LoadU(simd::D64(), entry_ + i));
      const Latents latents{hn::LoadU(d, mean_ + i), hn::LoadU(d, output_ + i)};
      hn::Store(mixture.Draw(latents, u), d, drawn);
      const std::size_t count = std::min(kLanes, size_ - i);
      for (std::size_t lane = 0; lane < count; ++lane) {
        out[static_cast<std::size_t>(entry_[i + lane] - first)] = static_cast<T>(drawn[lane]);
      }
    }
    size_ = 0;
  }

 private:
  // A vector is stored whole, also behind the last latent.
  static constexpr std::size_t kCapacity = kGroup + kLanes;
  std::size_t size_ = 0;
  double mean_[kCapacity] = {};
  double output_[kCapacity] = {};
  std::uint64_t entry_[kCapacity] = {};
};

// The arrays of a call.
template <typename T>
struct Entries {
  // At most kGroup of them.
  Entries Group(std::size_t begin) const {
    return {random, first_entry + begin, mean.subspan(begin, kGroup), output.subspan(begin, kGroup),
            out.subspan(begin, kGroup)};
  }

  const RandomBlock& random;
  std::uint64_t first_entry;
  absl::Span<const T> mean;
  absl::Span<const T> output;
  absl::Span<T> out;
};

// The normals of a group's latents.
class SettledNormals {
 public:
  HWY_INLINE void Set(std::size_t i, const Normal& normal) {
    hn::Store(normal.mean, D(), mean_ + i);
    hn::Store(normal.step, D(), step_ + i);
  }

  template <typename T>
  void Draw(const Entries<T>& group) {
    const D d;
    DrawNormals<double>(group.random, kSettledNormals + group.first_entry,
                        absl::MakeSpan(normal_, group.out.size()));
    simd::ForEachVector(group.out, [&](std::size_t i, std::size_t) {
      return hn::MulAdd(hn::Load(d, normal_ + i), hn::Load(d, step_ + i), hn::Load(d, mean_ + i));
    });
  }

 private:
  alignas(64) double mean_[kGroup] = {};
  alignas(64) double step_[kGroup] = {};
  alignas(64) double normal_[kGroup] = {};
};

template <typename T, typename Mixture>
void DrawMixture(const Mixture& mixture, const Entries<T>& entries) {
  const D d;
  const simd::Uniforms uniforms(entries.random);
  // Most latents are settled when the noise is small. Those that are not take many times as long,
  // so that one of them must not hold up its whole vector.
  Deferred deferred;
  SettledNormals normals;
  for (std::size_t begin = 0; begin < entries.out.size(); begin += kGroup) {
    const Entries<T> group = entries.Group(begin);
    bool any_settled = false;
    simd::ForEachVector(
        group.out.size(),
        [&](std::size_t i, std::size_t count, V mean, V output) {
          const Latents latents{mean, output};
          const auto depths = mixture.At(latents);
          const auto settled = mixture.FindSettled(depths);
          const M any = settled.Any();
          normals.Set(i, mixture.SettledNormal(depths, settled));
          any_settled |= !hn::AllFalse(d, any);
          const M unsettled = hn::AndNot(any, hn::FirstN(d, count));
          if (!hn::AllFalse(d, unsettled)) {
            deferred.Add(latents, unsettled, group.first_entry + i);
          }
        },
        group.mean, group.output);
    if (any_settled) normals.Draw(group);
    deferred.Draw(mixture, uniforms, group.first_entry, group.out);
  }
}

// One piece everywhere is settled everywhere.
template <typename T>
void DrawLinear(const PiecewiseLinear::Piece& piece, double variance, double output_variance,
                const Entries<T>& entries) {
  const D d;
  const HalfLine line(piece.slope, 1, variance, output_variance);
  const V step = hn::Set(d, line.scale);
  SettledNormals normals;
  for (std::size_t begin = 0; begin < entries.out.size(); begin += kGroup) {
    const Entries<T> group = entries.Group(begin);
    simd::ForEachVector(
        group.out.size(),
        [&](std::size_t i, std::size_t, V mean, V output) {
          const V depth = line.Depth(mean, hn::Sub(output, hn::Set(d, piece.offset)));
          normals.Set(i, {hn::Neg(hn::Mul(depth, step)), step});
        },
        group.mean, group.output);
    normals.Draw(group);
  }
}

// Whether two pieces meet in the origin.
bool IsKink(const PiecewiseLinear& s) {
  return s.knot(0) == 0 && s.piece(0).offset == 0 && s.piece(1).offset == 0;
}

}  // namespace

template <typename T>
void DrawBeforePiecewiseLinear(const PiecewiseLinear& activation, double variance,
                               double output_variance, const RandomBlock& random,
                               std::uint64_t first_entry, absl::Span<const T> mean,
                               absl::Span<const T> output, absl::Span<T> out) {
  const Entries<T> entries{random, first_entry, mean, output, out};
  switch (activation.size()) {
    case 1:
      return DrawLinear(activation.piece(0), variance, output_variance, entries);
    case 2:
      if (IsKink(activation)) {
        return DrawMixture(KinkMixture(activation.piece(0).slope, activation.piece(1).slope,
                                       variance, output_variance),
                           entries);
      }
      return DrawMixture(PieceMixture<false>(activation, variance, output_variance), entries);
    default:
      return DrawMixture(PieceMixture<true>(activation, variance, output_variance), entries);
  }
}

template void DrawBeforePiecewiseLinear<float>(const PiecewiseLinear&, double, double,
                                               const RandomBlock&, std::uint64_t,
                                               absl::Span<const float>, absl::Span<const float>,
                                               absl::Span<float>);
template void DrawBeforePiecewiseLinear<double>(const PiecewiseLinear&, double, double,
                                                const RandomBlock&, std::uint64_t,
                                                absl::Span<const double>, absl::Span<const double>,
                                                absl::Span<double>);

}  // namespace posteriord::core
