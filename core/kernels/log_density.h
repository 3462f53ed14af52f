// What the gradient samplers sample.
#ifndef POSTERIORD_CORE_KERNELS_LOG_DENSITY_H_
#define POSTERIORD_CORE_KERNELS_LOG_DENSITY_H_

#include <Eigen/Core>
#include <functional>

namespace posteriord::core {

// Answers false when the caller wants its thread back.
using KeepGoing = std::function<bool()>;

// The logarithm of a density on R^dimension, known up to a constant, and its gradient. Owns its
// workspace: one per chain, one thread at a time. The result is a function of the position alone,
// bit for bit, because a chain that is taken up again evaluates its position anew.
class LogDensity {
 public:
  virtual ~LogDensity() = default;

  virtual Eigen::Index dimension() const = 0;

  // Value and gradient in one pass. A value that is not finite, +inf included, stands for a density
  // of zero; the gradient then means nothing. An evaluation that takes long polls keep_going on the
  // way; false when it said stop, and then neither means anything.
  // REQUIRES: position and gradient have dimension() entries.
  virtual bool Evaluate(const Eigen::VectorXd& position, const KeepGoing& keep_going, double& value,
                        Eigen::VectorXd& gradient) = 0;

  // Rounds a position to what Evaluate sees of it, such as floats: Evaluate must give the same bits
  // for both. By default nothing is lost.
  virtual void Round(Eigen::VectorXd& /*position*/) const {}
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_KERNELS_LOG_DENSITY_H_
