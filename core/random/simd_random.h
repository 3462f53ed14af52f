// Vectorised building blocks of the samplers: uniforms, pairs of normals, the scaled complementary
// error function, normal quantiles, and normals truncated to a half line or an interval. Always
// double precision, whatever the chain's: the tails need it and this is not where the time goes.
// Every lane is computed by the same operations, so a result depends on its address only, not on
// its place in a vector.
//
// Internal to core; include from .cc files only. The instruction set is that of the build.
#ifndef POSTERIORD_CORE_RANDOM_SIMD_RANDOM_H_
#define POSTERIORD_CORE_RANDOM_SIMD_RANDOM_H_

#include <hwy/highway.h>

#include <cstdint>
// Must follow highway.h.
#include <hwy/contrib/math/math-inl.h>

#include "core/random/random_block.h"

namespace posteriord::core::simd {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using D64 = hn::RebindToUnsigned<D>;
using V = hn::Vec<D>;
using V64 = hn::Vec<D64>;
using M = hn::Mask<D>;

// Elements that one vector holds: 2, 4 or 8.
inline constexpr std::size_t kLanes = hn::MaxLanes(D());

struct UniformPair {
  V first;
  V second;
};

namespace internal {

// 32 x 32 -> 64 bit product of the low halves of the lanes.
HWY_INLINE V64 MultiplyLow(V64 a, V64 b) {
  const hn::Repartition<std::uint32_t, D64> d32;
  return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b));
}

// The top 52 bits as the midpoint of one of 2^52 equal cells of (0, 1): never 0, never 1, and
// 1 - u has the same distribution exactly.
HWY_INLINE V ToUniform(V64 bits) {
  const D d;
  const D64 d64;
  const V64 one = hn::Set(d64, 0x3FF0000000000000ull);
  const V in_1_2 = hn::BitCast(d, hn::Or(hn::ShiftRight<12>(bits), one));
  return hn::Sub(in_1_2, hn::Set(d, 1.0 - 0x1p-53));
}

template <std::size_t kSize>
HWY_INLINE V Polynomial(V x, const double (&coefficients)[kSize]) {
  const D d;
  // Even and odd part side by side: half the latency of plain Horner.
  const V x2 = hn::Mul(x, x);
  constexpr std::size_t kTop = kSize - 1;
  constexpr std::size_t kEvenTop = kTop - kTop % 2;
  constexpr std::size_t kOddTop = kTop % 2 == 1 ? kTop : kTop - 1;
  V even = hn::Set(d, coefficients[kEvenTop]);
  for (std::size_t i = kEvenTop; i >= 2; i -= 2) {
    even = hn::MulAdd(even, x2, hn::Set(d, coefficients[i - 2]));
  }
  V odd = hn::Set(d, coefficients[kOddTop]);
  for (std::size_t i = kOddTop; i >= 3; i -= 2) {
    odd = hn::MulAdd(odd, x2, hn::Set(d, coefficients[i - 2]));
  }
  return hn::MulAdd(odd, x, even);
}

// exp(x) for floor <= x <= 0, exp(floor) below that. A floor well above -708 keeps the result and
// its products clear of the subnormal numbers, on which arithmetic is a hundred times slower.
HWY_INLINE V ExpAbove(double floor, V x) {
  const D d;
  return hn::Exp(d, hn::Max(x, hn::Set(d, floor)));
}

}  // namespace internal

// The uniforms of a block, a vector at a time; holds the key schedule, so make one per array.
class Uniforms {
 public:
  explicit Uniforms(const RandomBlock& block) {
    const D64 d;
    std::uint32_t k0 = block.key()[0];
    std::uint32_t k1 = block.key()[1];
    for (int round = 0; round < kRounds; ++round) {
      hn::StoreU(hn::Set(d, k0), d, keys_[2 * round]);
      hn::StoreU(hn::Set(d, k1), d, keys_[2 * round + 1]);
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    for (int word = 1; word < 4; ++word) {
      hn::StoreU(hn::Set(d, block.counter()[word]), d, counter_[word]);
    }
  }

  // Uniform doubles on (0, 1) at elements element, element + 1, ..., one per lane.
  HWY_INLINE UniformPair At(std::uint64_t element) const {
    const D64 d;
    return AtElements(hn::Add(hn::Set(d, element), hn::Iota(d, 0)));
  }

  // Uniform doubles on (0, 1) at any elements, one per lane.
  HWY_INLINE UniformPair AtElements(V64 elements) const {
    Counters counters = CountersOf(elements);
    for (int round = 0; round < kRounds; ++round) Round(round, counters);
    return ToPair(counters);
  }

  // Those at element, element + 1, ... of two vectors, made side by side: every round waits for the
  // one before, and while one vector waits the other goes on.
  HWY_INLINE void AtTwo(std::uint64_t element, UniformPair& low, UniformPair& high) const {
    const D64 d;
    const V64 elements = hn::Add(hn::Set(d, element), hn::Iota(d, 0));
    Counters a = CountersOf(elements);
    Counters b = CountersOf(hn::Add(elements, hn::Set(d, std::uint64_t{kLanes})));
    for (int round = 0; round < kRounds; ++round) {
      Round(round, a);
      Round(round, b);
    }
    low = ToPair(a);
    high = ToPair(b);
  }

 private:
  // Only the low halves of the lanes count; what collects above them is never read.
  struct Counters {
    V64 c0;
    V64 c1;
    V64 c2;
    V64 c3;
  };

  HWY_INLINE Counters CountersOf(V64 elements) const {
    const D64 d;
    return {elements, hn::Or(hn::LoadU(d, counter_[1]), hn::ShiftRight<32>(elements)),
            hn::LoadU(d, counter_[2]), hn::LoadU(d, counter_[3])};
  }

  HWY_INLINE void Round(int round, Counters& c) const {
    const D64 d;
    const V64 p0 = internal::MultiplyLow(c.c0, hn::Set(d, 0xD2511F53ull));
    const V64 p1 = internal::MultiplyLow(c.c2, hn::Set(d, 0xCD9E8D57ull));
    c.c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c.c1), hn::LoadU(d, keys_[2 * round]));
    c.c1 = p1;
    c.c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c.c3), hn::LoadU(d, keys_[2 * round + 1]));
    c.c3 = p0;
  }

  static HWY_INLINE UniformPair ToPair(const Counters& c) {
    const V64 low32 = hn::Set(D64(), 0xFFFFFFFFull);
    return {internal::ToUniform(hn::Or(hn::ShiftLeft<32>(c.c1), hn::And(c.c0, low32))),
            internal::ToUniform(hn::Or(hn::ShiftLeft<32>(c.c3), hn::And(c.c2, low32)))};
  }

  static constexpr int kRounds = 10;
  std::uint64_t keys_[2 * kRounds][kLanes];
  std::uint64_t counter_[4][kLanes];  // element 0 is not kept
};

// erfcx(x) = exp(x^2) erfc(x) for x >= 0; relative error below 1e-15. (1 + 2x) erfcx(x) is smooth
// in t = (x - 3.75) / (x + 3.75) in [-1, 1] (Shepherd and Laframboise, Math. Comp. 36, 1981); the
// coefficients are our Chebyshev fit of degree 22 in 60-digit arithmetic, as powers of t.
HWY_INLINE V Erfcx(V x) {
  const D d;
  static constexpr double kCoefficients[] = {
      1.2375126308378275289,      -0.14024059858554525625,   0.0035854154854790256379,
      0.082276738489995062602,    -0.10880393014244461271,   0.092304321164281249882,
      -0.058693398576649338403,   0.028362277372111138829,   -0.0097465796832652622308,
      0.0017556261651970650726,   0.00029371437804495802994, -0.00029015535246077655304,
      0.000051646529741774161256, 0.00002238756571491181656, -0.000011438048033346893551,
      -9.7926257073035220322e-7,  1.7419821586224815923e-6,  -5.0844653786873021975e-8,
      -2.4857126248016742872e-7,  1.8790823223700481258e-8,  3.1979266716668042918e-8,
      -1.9551358868985616548e-9,  -2.6231073471334757612e-9};
  const V k = hn::Set(d, 3.75);
  const V scale = hn::MulAdd(hn::Set(d, 2.0), x, hn::Set(d, 1.0));
  const V x_plus_k = hn::Add(x, k);
  const V reciprocal = hn::Div(hn::Set(d, 1.0), hn::Mul(scale, x_plus_k));  // one division for both
  const V t = hn::Mul(hn::Mul(hn::Sub(x, k), scale), reciprocal);
  return hn::Mul(internal::Polynomial(t, kCoefficients), hn::Mul(x_plus_k, reciprocal));
}

// Quantile of the standard normal at probability p, given also 1 - p to full precision, so that
// both tails are exact. Relative error about 1e-16 (Wichura, algorithm AS 241, Applied Statistics
// 37, 1988). REQUIRES: p and 1 - p are positive.
HWY_INLINE V NormalQuantile(V p, V one_minus_p) {
  const D d;
  // Central part, |p - 1/2| <= 0.425.
  static constexpr double kCentralNumerator[] = {
      3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
      1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
      3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr double kCentralDenominator[] = {1.0,
                                                   4.2313330701600911252e+1,
                                                   6.8718700749205790830e+2,
                                                   5.3941960214247511077e+3,
                                                   2.1213794301586595867e+4,
                                                   3.9307895800092710610e+4,
                                                   2.8729085735721942674e+4,
                                                   5.2264952788528545610e+3};
  const V q = hn::Mul(hn::Set(d, 0.5), hn::Sub(p, one_minus_p));
  const V r = hn::NegMulAdd(q, q, hn::Set(d, 0.180625));
  V result = hn::Div(hn::Mul(q, internal::Polynomial(r, kCentralNumerator)),
                     internal::Polynomial(r, kCentralDenominator));
  const M outside = hn::Gt(hn::Abs(q), hn::Set(d, 0.425));
  if (hn::AllFalse(d, outside)) return result;

  static constexpr double kTailNumerator[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                              5.76949722146069140550e0,  3.64784832476320460504e0,
                                              1.27045825245236838258e0,  2.41780725177450611770e-1,
                                              2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double kTailDenominator[] = {1.0,
                                                2.05319162663775882187e0,
                                                1.67638483018380384940e0,
                                                6.89767334985100004550e-1,
                                                1.48103976427480074590e-1,
                                                1.51986665636164571966e-2,
                                                5.47593808499534494600e-4,
                                                1.05075007164441684324e-9};
  const V log_tail = hn::Log(d, hn::Min(p, one_minus_p));
  const V root = hn::Sqrt(hn::Neg(log_tail));
  const V s = hn::Sub(root, hn::Set(d, 1.6));
  V tail =
      hn::Div(internal::Polynomial(s, kTailNumerator), internal::Polynomial(s, kTailDenominator));
  const M far = hn::And(outside, hn::Gt(root, hn::Set(d, 5.0)));
  if (!hn::AllFalse(d, far)) {
    static constexpr double kFarNumerator[] = {
        6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
        2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
        2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static constexpr double kFarDenominator[] = {1.0,
                                                 5.99832206555887937690e-1,
                                                 1.36929880922735805310e-1,
                                                 1.48753612908506148525e-2,
                                                 7.86869131145613259100e-4,
                                                 1.84631831751005468180e-5,
                                                 1.42151175831644588870e-7,
                                                 2.04426310338993978564e-15};
    const V f = hn::Sub(root, hn::Set(d, 5.0));
    tail = hn::IfThenElse(
        far,
        hn::Div(internal::Polynomial(f, kFarNumerator), internal::Polynomial(f, kFarDenominator)),
        tail);
  }
  return hn::IfThenElse(outside, hn::CopySign(tail, q), result);
}

struct NormalPair {
  V first;
  V second;
};

// Two independent standard normals from two uniforms (Box and Muller, Ann. Math. Statist. 29,
// 1958): a point of the plane in polar coordinates. Our Chebyshev fits of sine and cosine within an
// eighth of a turn, in 60-digit arithmetic, are exact to rounding.
HWY_INLINE NormalPair NormalsFromUniforms(UniformPair u) {
  const D d;
  static constexpr double kSine[] = {1.5707963267948966143,     -0.64596409750624431573,
                                     0.079692626246043003134,   -0.0046817541323409759917,
                                     0.00016044115074219091052, -3.598643352982309702e-6,
                                     5.6339337815378539538e-8};
  static constexpr double kCosine[] = {0.99999999999999999997,    -1.2337005501361698118,
                                       0.2536695079010467091,     -0.020863480763311209103,
                                       0.00091926027418315572082, -0.000025202036770460258445,
                                       4.7106097267578230119e-7,  -6.3212568696285884105e-9};
  const V radius = hn::Sqrt(hn::Mul(hn::Set(d, -2.0), hn::Log(d, u.first)));
  // The angle is `quarters` quarter turns and `rest`, exactly.
  const V turn = hn::Mul(u.second, hn::Set(d, 4.0));
  const V quarters = hn::Round(turn);
  const V rest = hn::Sub(turn, quarters);
  const V square = hn::Mul(rest, rest);
  const V sine = hn::Mul(rest, internal::Polynomial(square, kSine));
  const V cosine = internal::Polynomial(square, kCosine);
  // After an odd number of quarter turns sine and cosine change places; the signs go as + + - - for
  // the sine and + - - + for the cosine.
  const hn::RebindToSigned<D> di;
  const auto quarter = hn::ConvertTo(di, quarters);
  const auto one = hn::Set(di, 1);
  const M odd = hn::RebindMask(d, hn::TestBit(quarter, one));
  const V sine_sign = hn::BitCast(d, hn::ShiftLeft<62>(hn::And(quarter, hn::Set(di, 2))));
  const V cosine_sign =
      hn::BitCast(d, hn::ShiftLeft<62>(hn::And(hn::Add(quarter, one), hn::Set(di, 2))));
  return {hn::Mul(radius, hn::Xor(hn::IfThenElse(odd, sine, cosine), cosine_sign)),
          hn::Mul(radius, hn::Xor(hn::IfThenElse(odd, cosine, sine), sine_sign))};
}

// Upper tail of the standard normal beyond `depth`, in pieces that neither underflow nor cancel.
struct UpperTail {
  V depth;       // a
  V mass;        // Q(a) = P(N(0, 1) > a); underflows beyond a = 37
  V complement;  // 1 - Q(a)
  V erfcx;       // erfcx(|a| / sqrt 2)
};

// erfcx(|depth| / sqrt 2).
HWY_INLINE V TailErfcx(V depth) {
  return Erfcx(hn::Mul(hn::Abs(depth), hn::Set(D(), 0.70710678118654752440)));
}

// `erfcx` is TailErfcx(depth).
HWY_INLINE UpperTail MakeUpperTail(V depth, V erfcx) {
  const D d;
  const V gauss = internal::ExpAbove(-700, hn::Mul(hn::Mul(depth, depth), hn::Set(d, -0.5)));
  const V small = hn::Mul(hn::Mul(gauss, erfcx), hn::Set(d, 0.5));
  const V large = hn::Sub(hn::Set(d, 1.0), small);
  const M positive = hn::Gt(depth, hn::Zero(d));
  return {depth, hn::IfThenElse(positive, small, large), hn::IfThenElse(positive, large, small),
          erfcx};
}

HWY_INLINE UpperTail MakeUpperTail(V depth) { return MakeUpperTail(depth, TailErfcx(depth)); }

// Excess y = x - a > 0 of a standard normal x conditioned on x > a, by inversion of the tail at
// the uniform u: Q(a + y) = u Q(a). Exact to rounding at every depth.
HWY_INLINE V DrawExcess(const UpperTail& tail, V u) {
  const D d;
  const V zero = hn::Zero(d);
  const V one = hn::Set(d, 1.0);
  // Shallow: the quantile of the tail's probability itself. The floor keeps lanes that take the
  // other branch out of trouble.
  const V floor = hn::Set(d, 1e-300);
  const V upper = hn::Max(hn::Mul(u, tail.mass), floor);
  const V lower = hn::Max(hn::MulAdd(u, tail.complement, hn::Sub(one, u)), floor);
  V excess = hn::Sub(NormalQuantile(lower, upper), tail.depth);

  // Deep: Newton's method on log Q(a + y) = log Q(a) + log u, from the Rayleigh excess. The start
  // is off by at most log(1 + y/a) in the logarithm; three steps reach rounding error for a > 5.
  const M deep = hn::Gt(tail.depth, hn::Set(d, 5.0));
  if (!hn::AllFalse(d, deep)) {
    const V a = hn::Max(tail.depth, one);
    const V log_u = hn::Log(d, u);
    const V twice = hn::Mul(hn::Set(d, -2.0), log_u);
    V y = hn::Div(twice, hn::Add(a, hn::Sqrt(hn::MulAdd(a, a, twice))));
    const V root_half = hn::Set(d, 0.70710678118654752440);
    const V scale = hn::Set(d, 1.25331413731550025121);  // sqrt(pi / 2)
    for (int step = 0; step < 3; ++step) {
      const V e = Erfcx(hn::Mul(hn::Add(a, y), root_half));
      const V f = hn::Add(hn::Sub(hn::Mul(y, hn::MulAdd(hn::Set(d, 0.5), y, a)),
                                  hn::Log(d, hn::Div(e, tail.erfcx))),
                          log_u);
      // Hazard of the normal at a + y is sqrt(2 / pi) / e.
      y = hn::NegMulAdd(f, hn::Mul(scale, e), y);
    }
    excess = hn::IfThenElse(deep, y, excess);
  }
  return hn::Max(excess, zero);
}

// The standard normal on an interval of a given width, which begins `depth` from 0 and extends away
// from 0 or over it: the end at `depth` is the one nearer to 0, and depth >= -width / 2. Any other
// interval is the mirror image of one of these.
//
// Log density at the ends, relative to the highest in the interval.
struct IntervalEnds {
  V near;
  V far;
};

HWY_INLINE IntervalEnds LogDensityAtEnds(V depth, V width) {
  const D d;
  const V half = hn::Set(d, 0.5);
  const V inside = hn::Min(depth, hn::Zero(d));
  const V far = hn::Add(depth, width);
  const V slope = hn::MulAdd(width, half, depth);  // (far^2 - depth^2) / 2 = width * slope
  const V from_peak = hn::Mul(hn::Mul(far, far), half);
  const V from_near = hn::Mul(width, slope);
  return {hn::Neg(hn::Mul(hn::Mul(inside, inside), half)),
          hn::Neg(hn::IfThenElse(hn::Lt(depth, hn::Zero(d)), from_peak, from_near))};
}

struct Interval {
  V depth;
  V width;
  V mass;       // integral of exp(-x^2 / 2) / sqrt(2 pi), relative to the highest exp(-x^2 / 2)
  V erfcx;      // TailErfcx(depth)
  V far_share;  // Q(depth + width) / Q(depth), Q the upper tail
  V share;      // 1 - far_share
  M narrow;     // on which the density varies little: tails would cancel
};

namespace internal {

// Integral of exp(-depth s - s^2 / 2) over 0 < s < y where the exponent varies by less than 1.2
// and y < 1/2: Gauss and Legendre's rule with 8 points, relative error below 1e-16.
HWY_INLINE V NarrowIntegral(V depth, V y) {
  const D d;
  static constexpr double kPoints[] = {0.18343464249564980494, 0.52553240991632898582,
                                       0.79666647741362673959, 0.96028985649753623168};
  static constexpr double kWeights[] = {0.36268378337836198297, 0.31370664587788728734,
                                        0.22238103445337447054, 0.10122853629037625915};
  const V half = hn::Mul(y, hn::Set(d, 0.5));
  const auto density = [&](double point) {
    const V s = hn::Mul(half, hn::Set(d, 1 + point));
    return hn::Exp(d, hn::Neg(hn::Mul(s, hn::MulAdd(s, hn::Set(d, 0.5), depth))));
  };
  V sum = hn::Zero(d);
  for (int i = 0; i < 4; ++i) {
    const V both = hn::Add(density(-kPoints[i]), density(kPoints[i]));
    sum = hn::MulAdd(both, hn::Set(d, kWeights[i]), sum);
  }
  return hn::Mul(half, sum);
}

// Depth and width where they are narrow, and something as harmless elsewhere.
struct NarrowInterval {
  explicit HWY_INLINE NarrowInterval(const Interval& interval)
      : depth(hn::IfThenElseZero(interval.narrow, interval.depth)),
        width(hn::IfThenElse(interval.narrow, interval.width, hn::Set(D(), 0.25))) {}
  V depth;
  V width;
};

}  // namespace internal

// REQUIRES: width > 0, depth >= -width / 2 to rounding.
HWY_INLINE Interval MakeInterval(V depth, V width) {
  const D d;
  const V one = hn::Set(d, 1.0);
  const V half = hn::Set(d, 0.5);
  const IntervalEnds ends = LogDensityAtEnds(depth, width);
  Interval interval{depth, width, {}, TailErfcx(depth), {}, {}, {}};
  const V tail_near = hn::Mul(hn::Mul(half, interval.erfcx), internal::ExpAbove(-700, ends.near));
  const V tail_far =
      hn::Mul(hn::Mul(half, TailErfcx(hn::Add(depth, width))), internal::ExpAbove(-700, ends.far));
  const V beyond_near =
      hn::IfThenElse(hn::Lt(depth, hn::Zero(d)), hn::Sub(one, tail_near), tail_near);
  interval.mass = hn::Sub(beyond_near, tail_far);
  interval.far_share = hn::Div(tail_far, beyond_near);
  interval.share = hn::Div(interval.mass, beyond_near);
  const V variation = hn::Mul(width, hn::MulAdd(width, half, depth));
  interval.narrow = hn::And(hn::Lt(width, half), hn::Lt(variation, one));
  if (!hn::AllFalse(d, interval.narrow)) {
    const internal::NarrowInterval narrow(interval);
    const V integral = internal::NarrowIntegral(narrow.depth, narrow.width);
    // From the density at the near end to the highest one.
    const V rise = internal::ExpAbove(-700, ends.near);
    const V mass = hn::Mul(hn::Mul(integral, rise), hn::Set(d, 0.39894228040143267794));
    interval.mass = hn::IfThenElse(interval.narrow, mass, interval.mass);
  }
  return interval;
}

// Excess over interval.depth of a standard normal conditioned on the interval, by inversion at the
// uniform u: Q(depth + y) = u Q(depth) + (1 - u) Q(depth + width). In two steps, so that other
// draws can share the first: DrawExcess() of the tail beyond interval.depth at TailShare() is y, to
// the precision of 1, and ConfineExcess() makes it precise for narrow intervals as well.
HWY_INLINE V TailShare(const Interval& interval, V u) {
  return hn::MulAdd(u, interval.share, interval.far_share);
}

HWY_INLINE V ConfineExcess(const Interval& interval, V u, V excess) {
  const D d;
  if (!hn::AllFalse(d, interval.narrow)) {
    // Newton's method on the integral. The density varies by a factor below 3.4, so that the
    // fraction of the width is off by 1/7 at first, then by 1e-2, 1e-4, 1e-8 and rounding.
    const internal::NarrowInterval narrow(interval);
    const V one_minus_u = hn::Sub(hn::Set(d, 1.0), u);
    const V target = hn::Mul(one_minus_u, internal::NarrowIntegral(narrow.depth, narrow.width));
    V y = hn::Mul(one_minus_u, narrow.width);
    for (int step = 0; step < 5; ++step) {
      const V error = hn::Sub(internal::NarrowIntegral(narrow.depth, y), target);
      const V log_density = hn::Neg(hn::Mul(y, hn::MulAdd(y, hn::Set(d, 0.5), narrow.depth)));
      y = hn::Sub(y, hn::Div(error, hn::Exp(d, log_density)));
      y = hn::Min(hn::Max(y, hn::Zero(d)), narrow.width);
    }
    excess = hn::IfThenElse(interval.narrow, y, excess);
  }
  return hn::Min(excess, interval.width);
}

}  // namespace posteriord::core::simd

#endif  // POSTERIORD_CORE_RANDOM_SIMD_RANDOM_H_
