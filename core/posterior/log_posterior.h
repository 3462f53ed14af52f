// Log density of a posterior at a state, with its gradient.
//
//   intermediate noise:  log p(parameters, latents, targets)
//                          = log prior + sum_i log N(v_i; operation_i(v_{i-1}), Delta_i)
//                            [+ log p(targets | v_L), unless v_L is the targets],
//   classical:           log p(parameters, targets)
//                          = log prior + log N(targets; f(inputs), Delta_L)  or
//                            log prior + log p(targets | f(inputs)),
// where f is the noise-free network. Normalised over parameters, latents and targets (save for a
// tempered softmax). Learned scales count with the density of their precisions; gradients are with
// respect to parameters and latents.
#ifndef POSTERIORD_CORE_POSTERIOR_LOG_POSTERIOR_H_
#define POSTERIORD_CORE_POSTERIOR_LOG_POSTERIOR_H_

#include <functional>
#include <memory>
#include <vector>

#include "core/model/model.h"
#include "core/sampling/training_set.h"

namespace posteriord::core {

template <typename T>
struct PosteriorTerms {
  double log_density = 0;
  // Sum over samples and outputs of the squared noise of each layer. Only the last is set for the
  // classical posterior, and none with a likelihood of classes.
  std::vector<double> squared_residuals;
  std::vector<Eigen::MatrixXd> parameter_gradient;  // by layer
  std::vector<Matrix<T>> latent_gradient;           // by layer, of the free latents; if asked for
};

// Owns its workspace: one per chain, one thread at a time. Model and data must outlive it.
template <typename T>
class LogPosterior {
 public:
  virtual ~LogPosterior() = default;

  // False as soon as keep_going() is; then `terms` is of no meaning.
  virtual bool Evaluate(const State<T>& state, bool want_latent_gradient,
                        const std::function<bool()>& keep_going, PosteriorTerms<T>& terms) = 0;
};

template <typename T>
std::unique_ptr<LogPosterior<T>> MakeLogPosterior(const Model<T>& model,
                                                  const TrainingSet<T>& data);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_POSTERIOR_LOG_POSTERIOR_H_
