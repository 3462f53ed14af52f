#include "core/kernels/covariance_estimator.h"

namespace posteriord::core {

CovarianceEstimator::CovarianceEstimator(MetricKind kind, Eigen::Index dimension) : kind_(kind) {
  if (kind == MetricKind::kIdentity) return;
  state_.mean = Eigen::VectorXd::Zero(dimension);
  state_.deviations = Eigen::MatrixXd::Zero(dimension, kind == MetricKind::kDense ? dimension : 1);
  difference_.resize(dimension);
}

void CovarianceEstimator::Add(const Eigen::VectorXd& position) {
  if (kind_ == MetricKind::kIdentity) return;
  ++state_.count;
  difference_ = position - state_.mean;
  state_.mean += difference_ / state_.count;
  const double weight = (state_.count - 1) / state_.count;
  if (kind_ == MetricKind::kDiagonal) {
    state_.deviations.col(0) += weight * difference_.cwiseAbs2();
  } else {
    state_.deviations.selfadjointView<Eigen::Lower>().rankUpdate(difference_, weight);
  }
}

void CovarianceEstimator::Reset() {
  state_.count = 0;
  state_.mean.setZero();
  state_.deviations.setZero();
}

Eigen::MatrixXd CovarianceEstimator::Regularised() const {
  const double n = state_.count;
  Eigen::MatrixXd result = n / (n + 5) / (n - 1) * state_.deviations;
  const double floor = 1e-3 * 5 / (n + 5);
  if (kind_ == MetricKind::kDiagonal) result.array() += floor;
  if (kind_ == MetricKind::kDense) result.diagonal().array() += floor;
  return result;
}

}  // namespace posteriord::core
