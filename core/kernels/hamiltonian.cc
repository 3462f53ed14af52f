#include "core/kernels/hamiltonian.h"

#include <cmath>
#include <limits>

namespace posteriord::core {

Hamiltonian::Hamiltonian(LogDensity& density, const Metric& metric)
    : density_(density), metric_(metric), velocity_(density.dimension()) {}

bool Hamiltonian::Evaluate(const KeepGoing& keep_going, PhasePoint& point) {
  return keep_going() &&
         density_.Evaluate(point.position, keep_going, point.log_density, point.gradient);
}

bool Hamiltonian::Leapfrog(double step_size, const KeepGoing& keep_going, PhasePoint& point) {
  point.momentum += (0.5 * step_size) * point.gradient;
  metric_.Velocity(point.momentum, velocity_);
  point.position += step_size * velocity_;
  if (!Evaluate(keep_going, point)) return false;
  point.momentum += (0.5 * step_size) * point.gradient;
  return true;
}

double Hamiltonian::Energy(const PhasePoint& point) {
  metric_.Velocity(point.momentum, velocity_);
  const double energy = 0.5 * point.momentum.dot(velocity_) - point.log_density;
  return std::isfinite(energy) ? energy : std::numeric_limits<double>::infinity();
}

bool Hamiltonian::GetsLonger(const Eigen::VectorXd& begin, const Eigen::VectorXd& end,
                             const Eigen::VectorXd& sum) {
  metric_.Velocity(sum, velocity_);
  return begin.dot(velocity_) > 0 && end.dot(velocity_) > 0;
}

}  // namespace posteriord::core
