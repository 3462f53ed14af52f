// The conditional of a latent before a smooth activation, by quadrature.
#ifndef POSTERIORD_TESTS_CORE_TESTING_SMOOTH_REFERENCE_H_
#define POSTERIORD_TESTS_CORE_TESTING_SMOOTH_REFERENCE_H_

#include <vector>

#include "core/random/smooth_activation.h"

namespace posteriord::testing {

// s(z) and s'(z) from the functions of the standard library.
long double SmoothValue(const core::SmoothActivation& activation, long double z);
long double SmoothSlope(const core::SmoothActivation& activation, long double z);

// p(z) proportional to N(z; mean, variance) N(output; s(z), output_variance).
class SmoothReference {
 public:
  struct Inputs {
    core::SmoothActivation activation;
    double variance;
    double output_variance;
    double mean;
    double output;
  };
  explicit SmoothReference(const Inputs& inputs);

  double Cdf(double z) const;
  double Quantile(double p) const;

 private:
  // The range in which the density exceeds exp(-50) of its maximum, in equal cells; the
  // distribution function at their ends, by Simpson's rule in each.
  double begin_ = 0;
  double cell_ = 0;
  std::vector<double> cdf_;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_TESTING_SMOOTH_REFERENCE_H_
