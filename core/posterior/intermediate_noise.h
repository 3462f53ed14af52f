// The intermediate-noise posterior: every latent is a variable of its own. See log_posterior.h.
#ifndef POSTERIORD_CORE_POSTERIOR_INTERMEDIATE_NOISE_H_
#define POSTERIORD_CORE_POSTERIOR_INTERMEDIATE_NOISE_H_

#include "core/posterior/log_posterior.h"

namespace posteriord::core {

// With r_i = v_i - operation_i(v_{i-1}) the gradient is -r_i / Delta_i in v_i, and what layer i
// makes of r_i / Delta_i backwards in its parameters and in v_{i-1}.
template <typename T>
class IntermediateNoisePosterior final : public LogPosterior<T> {
 public:
  IntermediateNoisePosterior(const Model<T>& model, const TrainingSet<T>& data);

  bool Evaluate(const State<T>& state, bool want_latent_gradient,
                const std::function<bool()>& keep_going, PosteriorTerms<T>& terms) override;

 private:
  void AddLayer(int i, Eigen::Index first, Eigen::Index rows, const State<T>& state,
                bool want_latent_gradient, PosteriorTerms<T>& terms);

  const Model<T>& model_;
  const TrainingSet<T>& data_;
  // A chunk of a layer's noise, and of a gradient.
  Matrix<T> residual_;
  Matrix<T> gradient_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_POSTERIOR_INTERMEDIATE_NOISE_H_
