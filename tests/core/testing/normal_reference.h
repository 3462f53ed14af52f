// The functions of core/random once more, slowly: 50 decimal digits, from textbook formulas that
// share nothing with the implementation under test. Errors are formed before rounding to double.
#ifndef POSTERIORD_TESTS_CORE_TESTING_NORMAL_REFERENCE_H_
#define POSTERIORD_TESTS_CORE_TESTING_NORMAL_REFERENCE_H_

#include "core/random/draws.h"

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

// log Q(a) in double precision, fast; absolute error 1e-15 (1 + a^2).
double LogUpperTail(double a);

// p(z) proportional to N(z; mean, variance) N(output; s(z), output_variance).
class TwoPieceReference {
 public:
  struct Inputs {
    core::TwoPieceLinear activation;
    double variance;
    double output_variance;
    double mean;
    double output;
  };
  explicit TwoPieceReference(const Inputs& inputs);

  // The Gaussian that a piece is cut from, and how many of its standard deviations the mean lies
  // outside of the piece.
  struct Piece {
    double mean;
    double scale;
    double depth;
    double log_tail;  // log Q(depth)
  };
  const Piece& negative() const { return negative_; }
  const Piece& positive() const { return positive_; }

  double probability_negative() const { return probability_negative_; }
  double probability_positive() const { return probability_positive_; }
  // log(P(positive) / P(negative)), not rounded through the probabilities.
  double log_odds() const { return log_odds_; }

  double Cdf(double z) const;

 private:
  Piece negative_;
  Piece positive_;
  double probability_negative_;
  double probability_positive_;
  double log_odds_;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_TESTING_NORMAL_REFERENCE_H_
