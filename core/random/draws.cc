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

// Sets out[i + lane] to what vector_op(i, count, a[i ...], b[i ...]) returns in that lane, a vector
// at a time. The last may count fewer lanes than a vector has; the others then repeat the last
// entry.
template <typename T, typename VectorOp>
void ForEachVector(absl::Span<const T> a, absl::Span<const T> b, absl::Span<T> out,
                   VectorOp&& vector_op) {
  const std::size_t whole = out.size() - out.size() % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    StoreAs(vector_op(i, kLanes, LoadAsDouble(a.data() + i), LoadAsDouble(b.data() + i)),
            out.data() + i);
  }
  const std::size_t rest = out.size() - whole;
  if (rest == 0) return;
  T a_rest[kLanes], b_rest[kLanes], out_rest[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::size_t i = whole + std::min(lane, rest - 1);
    a_rest[lane] = a[i];
    b_rest[lane] = b[i];
  }
  StoreAs(vector_op(whole, rest, LoadAsDouble(a_rest), LoadAsDouble(b_rest)), out_rest);
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

// Draws a latent in front of an activation of two linear pieces that meet in 0, given its prior
// mean and what came out of the activation: a mixture of two truncated normals.
class TwoPieceMixture {
 public:
  TwoPieceMixture(const TwoPieceLinear& activation, double variance, double output_variance)
      : negative_(activation.negative_slope, -1, variance, output_variance),
        positive_(activation.positive_slope, 1, variance, output_variance),
        settled_negative_(SettledDepth(negative_, positive_)),
        settled_positive_(SettledDepth(positive_, negative_)) {}

  // What is known of some latents: how deep each piece's mean lies, and the uniforms to use.
  struct Lanes {
    V depth_below;
    V depth_above;
    simd::UniformPair u;
  };

  HWY_INLINE Lanes At(V prior_mean, V output, simd::UniformPair u) const {
    return {negative_.Depth(prior_mean, output), positive_.Depth(prior_mean, output), u};
  }

  // Lanes of which only the positive or only the negative piece weighs, untruncated.
  struct Settled {
    M above;
    M below;
  };

  HWY_INLINE Settled FindSettled(const Lanes& lanes) const {
    const D d;
    const V zero = hn::Zero(d);
    return {hn::And(hn::Lt(lanes.depth_above, hn::Set(d, settled_positive_)),
                    hn::Gt(lanes.depth_below, zero)),
            hn::And(hn::Lt(lanes.depth_below, hn::Set(d, settled_negative_)),
                    hn::Gt(lanes.depth_above, zero))};
  }

  // The draw where a piece is settled; of no meaning elsewhere.
  HWY_INLINE V DrawSettled(const Lanes& lanes, M above) const {
    const D d;
    const V normal = simd::NormalQuantile(hn::Sub(hn::Set(d, 1.0), lanes.u.second), lanes.u.second);
    return hn::Mul(hn::Sub(normal, Select(above, lanes.depth_above, lanes.depth_below)),
                   Step(above));
  }

  // The draw anywhere.
  HWY_INLINE V Draw(const Lanes& lanes) const {
    const D d;
    const V one = hn::Set(d, 1.0);
    const V erfcx_below = simd::TailErfcx(lanes.depth_below);
    const V erfcx_above = simd::TailErfcx(lanes.depth_above);
    // Relative to the higher of the two, no weight overflows.
    const V height_below = Height(lanes.depth_below);
    const V height_above = Height(lanes.depth_above);
    const V knot = Negligible(hn::Max(height_below, height_above));
    const V lower = Negligible(hn::Abs(hn::Sub(height_below, height_above)));
    const M below_higher = hn::Gt(height_below, height_above);
    const V weight_below =
        RelativeWeight(lanes.depth_below, erfcx_below, Select(below_higher, one, lower), knot);
    const V weight_above =
        RelativeWeight(lanes.depth_above, erfcx_above, Select(below_higher, lower, one), knot);
    const V below = hn::Mul(hn::Mul(weight_below, hn::Set(d, negative_.scale)), lanes.u.first);
    const V above =
        hn::Mul(hn::Mul(weight_above, hn::Set(d, positive_.scale)), hn::Sub(one, lanes.u.first));
    const M is_above = hn::Lt(below, above);
    const simd::UpperTail tail =
        simd::MakeUpperTail(Select(is_above, lanes.depth_above, lanes.depth_below),
                            Select(is_above, erfcx_above, erfcx_below));
    return hn::Mul(simd::DrawExcess(tail, lanes.u.second), Step(is_above));
  }

 private:
  // exp(-height), or what weighs as little beside 1.
  static HWY_INLINE V Negligible(V height) {
    return simd::internal::ExpAbove(-600, hn::Neg(height));
  }

  // From 0 into a piece, in units of its scale.
  HWY_INLINE V Step(M above) const {
    const D d;
    return Select(above, hn::Set(d, positive_.scale), hn::Set(d, -negative_.scale));
  }

  Piece negative_;
  Piece positive_;
  double settled_negative_;
  double settled_positive_;
};

// Latents set aside, to be drawn a whole vector at a time, and where in the output they belong.
class Deferred {
 public:
  static constexpr std::size_t kVectors = 8;

  // How many latents wait.
  std::size_t size() const { return size_; }
  bool full() const { return size_ > (kVectors - 1) * kLanes; }

  // Adds the lanes of `mask`; lane 0 is entry `first` of the output.
  HWY_INLINE void Add(const TwoPieceMixture::Lanes& lanes, M mask, std::size_t first) {
    const D d;
    const hn::RebindToSigned<D> d64;
    hn::CompressStore(lanes.depth_below, mask, d, depth_below_ + size_);
    hn::CompressStore(lanes.depth_above, mask, d, depth_above_ + size_);
    hn::CompressStore(lanes.u.first, mask, d, first_uniform_ + size_);
    hn::CompressStore(lanes.u.second, mask, d, second_uniform_ + size_);
    const auto entries = hn::Iota(d64, static_cast<std::int64_t>(first));
    hn::CompressStore(entries, hn::RebindMask(d64, mask), d64, entry_ + size_);
    size_ += hn::CountTrue(d, mask);
  }

  // Draws them all. Lanes beyond the last hold what was there before: numbers, if useless ones.
  template <typename T>
  void Draw(const TwoPieceMixture& mixture, absl::Span<T> out) {
    const D d;
    alignas(64) double drawn[kLanes];
    for (std::size_t i = 0; i < size_; i += kLanes) {
      const TwoPieceMixture::Lanes lanes{
          hn::LoadU(d, depth_below_ + i),
          hn::LoadU(d, depth_above_ + i),
          {hn::LoadU(d, first_uniform_ + i), hn::LoadU(d, second_uniform_ + i)}};
      hn::Store(mixture.Draw(lanes), d, drawn);
      const std::size_t count = std::min(kLanes, size_ - i);
      for (std::size_t lane = 0; lane < count; ++lane) {
        out[static_cast<std::size_t>(entry_[i + lane])] = static_cast<T>(drawn[lane]);
      }
    }
    size_ = 0;
  }

 private:
  static constexpr std::size_t kCapacity = kVectors * kLanes;
  std::size_t size_ = 0;
  double depth_below_[kCapacity] = {};
  double depth_above_[kCapacity] = {};
  double first_uniform_[kCapacity] = {};
  double second_uniform_[kCapacity] = {};
  std::int64_t entry_[kCapacity] = {};
};

// N(mean, sd^2) beyond `limit` in direction `sign`.
template <typename T>
void DrawNormalBeyond(double sign, double variance, const RandomBlock& random,
                      std::uint64_t first_entry, absl::Span<const T> mean,
                      absl::Span<const T> limit, absl::Span<T> out) {
  const D d;
  const double sd = std::sqrt(variance);
  const simd::Uniforms uniforms(random);
  ForEachVector(mean, limit, out, [&](std::size_t i, std::size_t, V m, V l) {
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
  // Pairs through a small buffer; an odd start skips the first of its pair.
  constexpr std::size_t kBuffer = 2 * kLanes;
  alignas(64) double buffer[kBuffer];
  std::size_t done = 0;
  std::uint64_t pair = first_entry / 2;
  std::size_t skip = first_entry % 2;
  while (done < out.size()) {
    const simd::NormalPair normals = simd::NormalsFromUniforms(uniforms.At(pair));
    hn::StoreInterleaved2(normals.first, normals.second, d, buffer);
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
  const TwoPieceMixture mixture(activation, variance, output_variance);
  const simd::Uniforms uniforms(random);
  // Most latents are settled when the noise is small. Those that are not take many times as long,
  // so that one of them must not hold up its whole vector.
  Deferred deferred;
  ForEachVector(mean, output, out, [&](std::size_t i, std::size_t count, V m, V x) {
    const TwoPieceMixture::Lanes lanes = mixture.At(m, x, uniforms.At(first_entry + i));
    const auto [above, below] = mixture.FindSettled(lanes);
    const M settled = hn::Or(above, below);
    const M unsettled = hn::AndNot(settled, hn::FirstN(d, count));
    if (!hn::AllFalse(d, unsettled)) {
      if (deferred.full()) deferred.Draw(mixture, out);
      deferred.Add(lanes, unsettled, i);
    }
    return hn::AllFalse(d, settled) ? hn::Zero(d) : mixture.DrawSettled(lanes, above);
  });
  deferred.Draw(mixture, out);
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
