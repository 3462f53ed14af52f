// The functions of core/random once more, slowly: 50 decimal digits, from textbook formulas that
// share nothing with the implementation under test. Errors are formed before rounding to double.
#ifndef POSTERIORD_TESTS_CORE_TESTING_NORMAL_REFERENCE_H_
#define POSTERIORD_TESTS_CORE_TESTING_NORMAL_REFERENCE_H_

#include <vector>

#include "core/random/piecewise_linear.h"

namespace posteriord::testing {

// computed / erfcx(x) - 1, for x >= 0.
double RelativeErrorOfErfcx(double x, double computed);

// computed / quantile - 1 at lower tail probability p, where `one_minus_p` is the upper one; the
// smaller of both is taken at its word.
double RelativeErrorOfQuantile(double p, double one_minus_p, double computed);

// y solves Q(depth + y) = u Q(depth), Q the upper tail of the standard normal.
struct ExcessError {
  double absolute;     // computed - y
  double sensitivity;  // |dy / d depth|
};
ExcessError ErrorOfExcess(double depth, double u, double computed);

// Likewise of a standard normal on (depth, depth + width): Q(depth + y) = u Q(depth) + (1 - u)
// Q(depth + width).
double ErrorOfExcessWithin(double depth, double width, double u, double computed);

// computed / mass - 1, where mass is the probability of (depth, depth + width) over sqrt(2 pi)
// times the highest density in it.
double RelativeErrorOfIntervalMass(double depth, double width, double computed);

// log Q(a) in double precision, fast; absolute error 1e-15 (1 + a^2).
double LogUpperTail(double a);

// p(z) proportional to N(z; mean, variance) N(output; s(z), output_variance).
class PiecewiseLinearReference {
 public:
  struct Inputs {
    core::PiecewiseLinear activation;
    double variance;
    double output_variance;
    double mean;
    double output;
  };
  explicit PiecewiseLinearReference(const Inputs& inputs);

  // The Gaussian that a piece is cut from, and how many of its standard deviations the mean lies
  // outside of the piece, seen from the nearer end (inside: less than 0).
  struct Piece {
    double mean;
    double scale;
    double depth;
    bool lower_near;  // whether the nearer end is the lower one
    double width;     // in standard deviations
    double log_tail;  // log Q(depth)
    double share;     // of the tail beyond `depth` that lies in the piece
    double probability;
    // log(P / (1 - P)), not rounded through the probability.
    double log_odds;
  };
  const std::vector<Piece>& pieces() const { return pieces_; }

  double Cdf(double z) const;

 private:
  Inputs inputs_;
  std::vector<Piece> pieces_;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_TESTING_NORMAL_REFERENCE_H_
