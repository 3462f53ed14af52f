// Running estimate of variances or a covariance, for a metric (Welford, Technometrics 4, 1962).
#ifndef POSTERIORD_CORE_KERNELS_COVARIANCE_ESTIMATOR_H_
#define POSTERIORD_CORE_KERNELS_COVARIANCE_ESTIMATOR_H_

#include <Eigen/Core>

#include "core/kernels/gradient_sampler_spec.h"

namespace posteriord::core {

// Deviations have the shape of Metric::inverse_mass(): a column of variances (kDiagonal) or the
// lower triangle of a square (kDense). kIdentity estimates nothing.
class CovarianceEstimator {
 public:
  struct State {
    double count = 0;
    Eigen::VectorXd mean;
    Eigen::MatrixXd deviations;  // sum of products of deviations from the mean
  };

  CovarianceEstimator(MetricKind kind, Eigen::Index dimension);

  void Add(const Eigen::VectorXd& position);
  void Reset();

  // The sample covariance S of n positions, drawn towards a small multiple of the identity as in
  // Stan: n/(n + 5) S + 0.001 * 5/(n + 5) I. REQUIRES: two positions at least.
  Eigen::MatrixXd Regularised() const;

  const State& state() const { return state_; }
  // REQUIRES: of the same shape.
  void set_state(const State& state) { state_ = state; }

 private:
  const MetricKind kind_;
  State state_;
  Eigen::VectorXd difference_;  // workspace
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_KERNELS_COVARIANCE_ESTIMATOR_H_
