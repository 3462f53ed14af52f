// The metric of Hamiltonian Monte Carlo: a mass matrix M, held as its inverse.
#ifndef POSTERIORD_CORE_KERNELS_METRIC_H_
#define POSTERIORD_CORE_KERNELS_METRIC_H_

#include <Eigen/Core>

#include "core/kernels/gradient_sampler_spec.h"

namespace posteriord::core {

// Momenta are N(0, M), the velocity of a momentum p is M^{-1} p. Best when M^{-1} is the covariance
// of the posterior. Starts as the identity.
class Metric {
 public:
  Metric(MetricKind kind, Eigen::Index dimension);

  MetricKind kind() const { return kind_; }

  // M^{-1}: nothing (kIdentity), its diagonal as a column (kDiagonal), or all of it (kDense).
  const Eigen::MatrixXd& inverse_mass() const { return inverse_mass_; }

  // Of the same shape; only the lower triangle of a dense one is read. False, and nothing changes,
  // when it is not finite and positive definite.
  bool SetInverseMass(const Eigen::MatrixXd& inverse_mass);

  // Standard normals z become a momentum: with M^{-1} = L L', p = L^{-T} z.
  void MakeMomentum(Eigen::VectorXd& normals) const;

  // velocity = M^{-1} momentum. The two are different vectors of the same size.
  void Velocity(const Eigen::VectorXd& momentum, Eigen::VectorXd& velocity) const;

 private:
  const MetricKind kind_;
  Eigen::MatrixXd inverse_mass_;
  Eigen::MatrixXd root_;  // L: as a column (kDiagonal) or the lower triangle of a square (kDense)
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_KERNELS_METRIC_H_
