#include "tests/core/testing/normal_reference.h"

#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cmath>
#include <limits>

namespace posteriord::testing {
namespace {

// Digits to spare: the weights below lose up to 36 of them by cancellation when magnitudes span
// 1e-12 to 1e12.
using Real =
    boost::multiprecision::number<boost::multiprecision::cpp_bin_float<
                                      80, boost::multiprecision::digit_base_10, void, std::int64_t>,
                                  boost::multiprecision::et_off>;

const Real& Pi() {
  static const Real pi = boost::math::constants::pi<Real>();
  return pi;
}

// exp(x^2) erfc(x), x >= 0: the power series of erf near 0 (all terms positive), the continued
// fraction of Laplace beyond.
Real Erfcx(const Real& x) {
  if (x < 4) {
    // erf(x) = 2 x exp(-x^2) / sqrt(pi) sum_n (2 x^2)^n / (2n + 1)!!
    Real term = 1;
    Real sum = 1;
    for (int n = 1; term > sum * std::numeric_limits<Real>::epsilon(); ++n) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return exp(x * x) - 2 * x * sum / sqrt(Pi());
  }
  const int terms = 20 + static_cast<int>(5000 / (x * x));  // error exp(-2 x sqrt(2 terms))
  Real fraction = x;
  for (int n = terms; n >= 1; --n) fraction = x + Real(n) / 2 / fraction;
  return 1 / (sqrt(Pi()) * fraction);
}

Real UpperTail(const Real& a) {
  if (a < 0) return 1 - UpperTail(-a);
  return Erfcx(a / sqrt(Real(2))) * exp(-a * a / 2) / 2;
}

Real LogUpperTailExact(const Real& a) {
  if (a < 0) return log(UpperTail(a));
  return log(Erfcx(a / sqrt(Real(2))) / 2) - a * a / 2;
}

// Density over upper tail.
Real Hazard(const Real& a) {
  if (a < 0) return exp(-a * a / 2) / sqrt(2 * Pi()) / UpperTail(a);
  return sqrt(2 / Pi()) / Erfcx(a / sqrt(Real(2)));
}

// P(a < N(0, 1) < b), from the tail on their side.
Real IntervalProbability(const Real& a, const Real& b) {
  return a + b < 0 ? UpperTail(-b) - UpperTail(-a) : UpperTail(a) - UpperTail(b);
}

}  // namespace

double RelativeErrorOfErfcx(double x, double computed) {
  return static_cast<double>(Real(computed) / Erfcx(Real(x)) - 1);
}

double RelativeErrorOfQuantile(double p, double one_minus_p, double computed) {
  // Mirrored to the upper tail; one Newton step on the logarithm of the tail finds the quantile.
  const double tail = std::min(p, one_minus_p);
  const Real x = p < one_minus_p ? -computed : computed;
  const Real error = (log(Real(tail)) - LogUpperTailExact(x)) / Hazard(x);  // x - quantile
  return static_cast<double>(error / (x - error));
}

ExcessError ErrorOfExcess(double depth, double u, double computed) {
  const Real a = depth;
  const Real hazard = Hazard(a + computed);
  const Real residual = log(Real(u)) + LogUpperTailExact(a) - LogUpperTailExact(a + computed);
  return {static_cast<double>(residual / hazard), static_cast<double>(abs(Hazard(a) / hazard - 1))};
}

double ErrorOfExcessWithin(double depth, double width, double u, double computed) {
  const Real a = depth;
  const Real b = a + Real(width);
  const Real x = a + computed;
  const Real target = u * UpperTail(a) + (1 - Real(u)) * UpperTail(b);
  return static_cast<double>((target - UpperTail(x)) * sqrt(2 * Pi()) * exp(x * x / 2));
}

double RelativeErrorOfIntervalMass(double depth, double width, double computed) {
  const Real a = depth;
  const Real highest = depth < 0 ? Real(0) : -a * a / 2;
  return static_cast<double>(computed / (IntervalProbability(a, a + Real(width)) * exp(-highest)) -
                             1);
}

double LogUpperTail(double a) {
  if (a < 0) return std::log1p(-0.5 * std::erfc(-a * M_SQRT1_2));
  if (a < 30) return std::log(0.5 * std::erfc(a * M_SQRT1_2));
  double fraction = a;  // Laplace's continued fraction of the Mills ratio
  for (int n = 20; n >= 1; --n) fraction = a + n / fraction;
  return -0.5 * a * a - std::log(fraction * std::sqrt(2 * M_PI));
}

PiecewiseLinearReference::PiecewiseLinearReference(const Inputs& in) : inputs_(in) {
  // By the formulas for (z - m)^2 / V + (x - a z - b)^2 / D on each piece.
  const Real variance = in.variance;
  const Real output_variance = in.output_variance;
  const std::size_t size = in.activation.size();
  std::vector<Real> log_weights;
  for (std::size_t i = 0; i < size; ++i) {
    const Real slope = in.activation.piece(i).slope;
    const Real offset = in.activation.piece(i).offset;
    const Real precision = 1 / variance + slope * slope / output_variance;
    const Real mean =
        (Real(in.mean) / variance + slope * (Real(in.output) - offset) / output_variance) /
        precision;
    const Real scale = 1 / sqrt(precision);
    const Real from_mean = mean - in.mean;
    const Real from_output = Real(in.output) - offset - slope * mean;
    Real log_weight = -from_mean * from_mean / (2 * variance) -
                      from_output * from_output / (2 * output_variance) + log(scale);
    Piece piece{.mean = static_cast<double>(mean),
                .scale = static_cast<double>(scale),
                .depth = 0,
                .lower_near = true,
                .width = std::numeric_limits<double>::infinity(),
                .log_tail = 0,
                .share = 1,
                .probability = 0,
                .log_odds = 0};
    const bool has_lower = i > 0;
    const bool has_upper = i + 1 < size;
    const Real lower = has_lower ? (in.activation.knot(i - 1) - mean) / scale : Real(0);
    const Real upper = has_upper ? (in.activation.knot(i) - mean) / scale : Real(0);
    if (has_lower && has_upper) {
      log_weight += log(IntervalProbability(lower, upper));
      piece.lower_near = lower + upper >= 0;
      piece.depth = static_cast<double>(piece.lower_near ? lower : Real(-upper));
      piece.width = static_cast<double>(upper - lower);
    } else if (has_lower || has_upper) {
      const Real depth = has_lower ? lower : Real(-upper);
      log_weight += LogUpperTailExact(depth);
      piece.lower_near = has_lower;
      piece.depth = static_cast<double>(depth);
    } else {
      piece.depth = -piece.width;
    }
    piece.log_tail = LogUpperTail(piece.depth);
    if (std::isfinite(piece.width)) {
      piece.share = -std::expm1(LogUpperTail(piece.depth + piece.width) - piece.log_tail);
    }
    log_weights.push_back(log_weight);
    pieces_.push_back(piece);
  }
  for (std::size_t i = 0; i < size; ++i) {
    Real others = 0;
    for (std::size_t j = 0; j < size; ++j) {
      if (j != i) others += exp(log_weights[j] - log_weights[i]);
    }
    pieces_[i].probability = static_cast<double>(1 / (1 + others));
    pieces_[i].log_odds = static_cast<double>(-log(others));
  }
}

double PiecewiseLinearReference::Cdf(double z) const {
  double below = 0;  // probability of the pieces below that of z
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    if (i + 1 < pieces_.size() && z >= inputs_.activation.knot(i)) {
      below += piece.probability;
      continue;
    }
    if (pieces_.size() == 1) return std::exp(LogUpperTail((piece.mean - z) / piece.scale));
    // How much of the piece lies between its nearer end and z.
    const double x = (z - piece.mean) / piece.scale * (piece.lower_near ? 1 : -1);
    const double share = -std::expm1(LogUpperTail(x) - piece.log_tail) / piece.share;
    return below + piece.probability * (piece.lower_near ? share : 1 - share);
  }
  return below;
}

}  // namespace posteriord::testing
