// The posterior of a network as a log density on R^dimension, for the gradient samplers.
#ifndef POSTERIORD_CORE_POSTERIOR_NETWORK_DENSITY_H_
#define POSTERIORD_CORE_POSTERIOR_NETWORK_DENSITY_H_

#include <memory>

#include "core/kernels/log_density.h"
#include "core/posterior/log_posterior.h"
#include "core/posterior/position_layout.h"

namespace posteriord::core {

// Computes in T; positions are doubles that T can represent. Model and data must outlive it.
template <typename T>
class NetworkDensity final : public LogDensity {
 public:
  NetworkDensity(const Model<T>& model, const TrainingSet<T>& data);

  Eigen::Index dimension() const override { return layout_.dimension(); }
  bool Evaluate(const Eigen::VectorXd& position, const KeepGoing& keep_going, double& value,
                Eigen::VectorXd& gradient) override;
  void Round(Eigen::VectorXd& position) const override;

 private:
  const Model<T>& model_;
  const TrainingSet<T>& data_;
  const PositionLayout<T> layout_;
  const std::unique_ptr<LogPosterior<T>> posterior_;
  State<T> state_;  // of the position last evaluated
  PosteriorTerms<T> terms_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_POSTERIOR_NETWORK_DENSITY_H_
