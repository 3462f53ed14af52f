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

struct ExactPiece {
  Real mean;
  Real scale;
  Real depth;
  Real log_weight;
};

// The piece where z has the sign given, by the formulas for (z - m)^2 / V + (x - a z)^2 / D.
ExactPiece MakePiece(double slope, int sign, const TwoPieceReference::Inputs& in) {
  const Real variance = in.variance;
  const Real output_variance = in.output_variance;
  const Real precision = 1 / variance + Real(slope) * slope / output_variance;
  ExactPiece piece;
  piece.mean = (Real(in.mean) / variance + Real(slope) * in.output / output_variance) / precision;
  piece.scale = 1 / sqrt(precision);
  piece.depth = -sign * piece.mean / piece.scale;
  const Real from_mean = piece.mean - in.mean;
  const Real from_output = Real(in.output) - slope * piece.mean;
  piece.log_weight = -from_mean * from_mean / (2 * variance) -
                     from_output * from_output / (2 * output_variance) + log(piece.scale) +
                     LogUpperTailExact(piece.depth);
  return piece;
}

TwoPieceReference::Piece Round(const ExactPiece& piece) {
  return {static_cast<double>(piece.mean), static_cast<double>(piece.scale),
          static_cast<double>(piece.depth), LogUpperTail(static_cast<double>(piece.depth))};
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

double LogUpperTail(double a) {
  if (a < 0) return std::log1p(-0.5 * std::erfc(-a * M_SQRT1_2));
  if (a < 30) return std::log(0.5 * std::erfc(a * M_SQRT1_2));
  double fraction = a;  // Laplace's continued fraction of the Mills ratio
  for (int n = 20; n >= 1; --n) fraction = a + n / fraction;
  return -0.5 * a * a - std::log(fraction * std::sqrt(2 * M_PI));
}

TwoPieceReference::TwoPieceReference(const Inputs& inputs) {
  const ExactPiece negative = MakePiece(inputs.activation.negative_slope, -1, inputs);
  const ExactPiece positive = MakePiece(inputs.activation.positive_slope, 1, inputs);
  const Real log_odds = positive.log_weight - negative.log_weight;
  negative_ = Round(negative);
  positive_ = Round(positive);
  probability_negative_ = static_cast<double>(1 / (1 + exp(log_odds)));
  probability_positive_ = static_cast<double>(1 / (1 + exp(-log_odds)));
  log_odds_ = static_cast<double>(log_odds);
}

double TwoPieceReference::Cdf(double z) const {
  if (z < 0) {
    const double depth = (negative_.mean - z) / negative_.scale;
    return probability_negative_ * std::exp(LogUpperTail(depth) - negative_.log_tail);
  }
  const double depth = (z - positive_.mean) / positive_.scale;
  return 1 - probability_positive_ * std::exp(LogUpperTail(depth) - positive_.log_tail);
}

}  // namespace posteriord::testing
