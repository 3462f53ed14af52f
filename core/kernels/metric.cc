#include "core/kernels/metric.h"

#include <Eigen/Cholesky>

namespace posteriord::core {

Metric::Metric(MetricKind kind, Eigen::Index dimension) : kind_(kind) {
  if (kind == MetricKind::kDiagonal) inverse_mass_ = Eigen::MatrixXd::Ones(dimension, 1);
  if (kind == MetricKind::kDense) inverse_mass_ = Eigen::MatrixXd::Identity(dimension, dimension);
  root_ = inverse_mass_;
}

bool Metric::SetInverseMass(const Eigen::MatrixXd& inverse_mass) {
  if (kind_ == MetricKind::kIdentity) return inverse_mass.size() == 0;
  if (inverse_mass.rows() != inverse_mass_.rows() || inverse_mass.cols() != inverse_mass_.cols()) {
    return false;
  }
  if (!inverse_mass.allFinite()) return false;
  if (kind_ == MetricKind::kDiagonal) {
    if (!(inverse_mass.array() > 0).all()) return false;
    root_ = inverse_mass.cwiseSqrt();
    inverse_mass_ = inverse_mass;
    return true;
  }
  const Eigen::LLT<Eigen::MatrixXd> factor(inverse_mass);
  if (factor.info() != Eigen::Success) return false;
  root_ = factor.matrixL();
  inverse_mass_ = inverse_mass.selfadjointView<Eigen::Lower>();
  return true;
}

void Metric::MakeMomentum(Eigen::VectorXd& normals) const {
  switch (kind_) {
    case MetricKind::kIdentity:
      break;
    case MetricKind::kDiagonal:
      normals.array() /= root_.col(0).array();
      break;
    case MetricKind::kDense:
      root_.triangularView<Eigen::Lower>().transpose().solveInPlace(normals);
      break;
  }
}

void Metric::Velocity(const Eigen::VectorXd& momentum, Eigen::VectorXd& velocity) const {
  switch (kind_) {
    case MetricKind::kIdentity:
      velocity = momentum;
      break;
    case MetricKind::kDiagonal:
      velocity = inverse_mass_.col(0).cwiseProduct(momentum);
      break;
    case MetricKind::kDense:
      velocity.noalias() = inverse_mass_ * momentum;
      break;
  }
}

}  // namespace posteriord::core
