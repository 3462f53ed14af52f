// Hamiltonian dynamics on a log density (Neal, "MCMC using Hamiltonian dynamics", 2011): position
// q, momentum p and the energy
//   H(q, p) = -log density(q) + p' M^{-1} p / 2.
// A leapfrog step of size e approximates its flow over time e:
//   p <- p + e/2 grad(q),   q <- q + e M^{-1} p,   p <- p + e/2 grad(q).
// It preserves volume and is undone by a step of size -e, or by one of size e with the momentum
// flipped; its error in H over a fixed time is of order e^2.
#ifndef POSTERIORD_CORE_KERNELS_HAMILTONIAN_H_
#define POSTERIORD_CORE_KERNELS_HAMILTONIAN_H_

#include <Eigen/Core>

#include "core/kernels/log_density.h"
#include "core/kernels/metric.h"

namespace posteriord::core {

// A point of phase space with what the density says about its position.
struct PhasePoint {
  explicit PhasePoint(Eigen::Index dimension)
      : position(Eigen::VectorXd::Zero(dimension)),
        momentum(Eigen::VectorXd::Zero(dimension)),
        gradient(Eigen::VectorXd::Zero(dimension)) {}

  Eigen::VectorXd position;
  Eigen::VectorXd momentum;
  Eigen::VectorXd gradient;
  double log_density = 0;
};

// Owns a workspace: one thread at a time. REQUIRES: density and metric outlive it.
class Hamiltonian {
 public:
  Hamiltonian(LogDensity& density, const Metric& metric);

  Eigen::Index dimension() const { return velocity_.size(); }

  // Sets density and gradient to those of the position. False when keep_going said stop, which is
  // asked once at least; the point is then half-made.
  bool Evaluate(const KeepGoing& keep_going, PhasePoint& point);

  // One leapfrog step, backwards in time if step_size < 0. False as above.
  bool Leapfrog(double step_size, const KeepGoing& keep_going, PhasePoint& point);

  // H, or +inf where the density is zero or the momentum is no longer finite.
  double Energy(const PhasePoint& point);

  // Whether a trajectory that ends in momenta `begin` and `end` and whose momenta add up to `sum`
  // still gets longer at both ends: the generalised no-U-turn criterion (Betancourt,
  // arXiv 1701.02434, appendix A.4.2),
  //   begin' M^{-1} sum > 0  and  end' M^{-1} sum > 0.
  bool GetsLonger(const Eigen::VectorXd& begin, const Eigen::VectorXd& end,
                  const Eigen::VectorXd& sum);

 private:
  LogDensity& density_;
  const Metric& metric_;
  Eigen::VectorXd velocity_;  // workspace
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_KERNELS_HAMILTONIAN_H_
