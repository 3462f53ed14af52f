// The functions of smooth activations on vectors: a traits class each, with
//   Value(z), Slope(z)      f and f'
//   kLowest, kHighest       bounds of f; kHighest may be infinite
//   Bracket(low, high)      an interval that contains all z with low <= f(z) <= high
//
// Internal to core; include from .cc files only.
#ifndef POSTERIORD_CORE_RANDOM_SIMD_SMOOTH_H_
#define POSTERIORD_CORE_RANDOM_SIMD_SMOOTH_H_

#include <limits>

#include "core/random/simd_random.h"
#include "core/random/smooth_activation.h"

namespace posteriord::core::simd {

struct Bounds {
  V low;
  V high;
};

// Bracket of an increasing function from the reals onto (-1, 1), whose inverse is right to 1e-10 up
// to the edge. Beyond it the inverse is too sensitive to be of use.
template <typename Inverse>
HWY_INLINE Bounds BracketByInverse(V low, V high, Inverse&& inverse) {
  const D d;
  const V infinity = hn::Set(d, std::numeric_limits<double>::infinity());
  const V edge = hn::Set(d, 1 - 1e-5);
  const V minus_edge = hn::Neg(edge);
  const auto find = [&](V value, double direction) {
    const V z = inverse(hn::Min(hn::Max(value, minus_edge), edge));
    const V slack = hn::MulAdd(hn::Abs(z), hn::Set(d, 1e-9), hn::Set(d, 1e-9));
    return hn::MulAdd(slack, hn::Set(d, direction), z);
  };
  Bounds bounds{hn::Neg(infinity), infinity};
  const M has_low = hn::Gt(low, minus_edge);
  const M has_high = hn::Lt(high, edge);
  if (!hn::AllFalse(d, has_low)) bounds.low = hn::IfThenElse(has_low, find(low, -1), bounds.low);
  if (!hn::AllFalse(d, has_high)) {
    bounds.high = hn::IfThenElse(has_high, find(high, 1), bounds.high);
  }
  return bounds;
}

struct Tanh {
  static constexpr double kLowest = -1;
  static constexpr double kHighest = 1;

  static HWY_INLINE V Value(V z) { return hn::Tanh(D(), z); }

  // 1 / cosh^2, which does not cancel where tanh is close to 1.
  static HWY_INLINE V Slope(V z) {
    const D d;
    const V decay = internal::ExpAbove(-700, hn::Mul(hn::Abs(z), hn::Set(d, -2.0)));
    const V sum = hn::Add(hn::Set(d, 1.0), decay);
    return hn::Div(hn::Mul(hn::Set(d, 4.0), decay), hn::Mul(sum, sum));
  }

  static HWY_INLINE Bounds Bracket(V low, V high) {
    return BracketByInverse(low, high, [](V f) {
      const D d;
      const V one = hn::Set(d, 1.0);
      return hn::Mul(hn::Set(d, 0.5), hn::Log(d, hn::Div(hn::Add(one, f), hn::Sub(one, f))));
    });
  }
};

struct Erf {
  static constexpr double kLowest = -1;
  static constexpr double kHighest = 1;

  static HWY_INLINE V Value(V z) {
    const D d;
    // Taylor's series near 0: 2 / sqrt(pi) (-1)^n / (n! (2n + 1)).
    static constexpr double kSeries[] = {
        1.1283791670955125739,     -0.37612638903183752464,   0.11283791670955125739,
        -0.026866170645131251760,  0.0052239776254421878422,  -0.00085483270234508528325,
        0.00012055332981789664251, -1.4925650358406250977e-5, 1.6462114365889247401e-6,
        -1.6365844691234924317e-7, 1.4807192815879217239e-8,  -1.2290555301717927353e-9,
        9.4227590646504109706e-11};
    const V size = hn::Abs(z);
    const V square = hn::Mul(z, z);
    const V gauss = internal::ExpAbove(-700, hn::Neg(square));
    const V outside = hn::NegMulAdd(Erfcx(size), gauss, hn::Set(d, 1.0));
    const V near = hn::Mul(z, internal::Polynomial(hn::Min(square, hn::Set(d, 0.25)), kSeries));
    return hn::IfThenElse(hn::Lt(size, hn::Set(d, 0.5)), near, hn::CopySign(outside, z));
  }

  static HWY_INLINE V Slope(V z) {
    const D d;
    const V gauss = internal::ExpAbove(-700, hn::Neg(hn::Mul(z, z)));
    return hn::Mul(hn::Set(d, 1.1283791670955125739), gauss);
  }

  static HWY_INLINE Bounds Bracket(V low, V high) {
    return BracketByInverse(low, high, [](V f) {
      const D d;
      const V half = hn::Set(d, 0.5);
      const V p = hn::MulAdd(half, f, half);
      const V q = hn::NegMulAdd(half, f, half);
      return hn::Mul(hn::Set(d, 0.70710678118654752440), NormalQuantile(p, q));
    });
  }
};

struct Gelu {
  static constexpr double kLowest = -0.17;  // -0.169971... at -0.7518
  static constexpr double kHighest = std::numeric_limits<double>::infinity();

  static HWY_INLINE V Value(V z) { return hn::Mul(z, MakeUpperTail(hn::Neg(z)).mass); }

  static HWY_INLINE V Slope(V z) {
    const D d;
    const V gauss = internal::ExpAbove(-700, hn::Mul(hn::Mul(z, z), hn::Set(d, -0.5)));
    const V density = hn::Mul(hn::Set(d, 0.39894228040143267794), gauss);
    return hn::MulAdd(z, density, MakeUpperTail(hn::Neg(z)).mass);
  }

  // f(z) is at most z above 0, and falls short of it by 0.17 at most.
  static HWY_INLINE Bounds Bracket(V low, V high) {
    const D d;
    const V zero = hn::Zero(d);
    const V infinity = hn::Set(d, std::numeric_limits<double>::infinity());
    return {hn::IfThenElse(hn::Gt(low, zero), low, hn::Neg(infinity)),
            hn::Add(hn::Max(high, zero), hn::Set(d, 0.17))};
  }
};

// Calls f with the traits of a kind.
template <typename Function>
auto WithSmooth(SmoothKind kind, Function&& f) {
  switch (kind) {
    case SmoothKind::kTanh:
      return f(Tanh());
    case SmoothKind::kErf:
      return f(Erf());
    case SmoothKind::kGelu:
      break;
  }
  return f(Gelu());
}

}  // namespace posteriord::core::simd

#endif  // POSTERIORD_CORE_RANDOM_SIMD_SMOOTH_H_
