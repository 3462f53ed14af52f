// The classical posterior: noise at the output only. See log_posterior.h.
#ifndef POSTERIORD_CORE_POSTERIOR_CLASSICAL_H_
#define POSTERIORD_CORE_POSTERIOR_CLASSICAL_H_

#include <vector>

#include "core/posterior/log_posterior.h"

namespace posteriord::core {

// Back-propagation, chunk by chunk.
template <typename T>
class ClassicalPosterior final : public LogPosterior<T> {
 public:
  ClassicalPosterior(const Model<T>& model, const TrainingSet<T>& data);

  bool Evaluate(const State<T>& state, bool want_latent_gradient,
                const std::function<bool()>& keep_going, PosteriorTerms<T>& terms) override;

 private:
  void AddChunk(Eigen::Index first, Eigen::Index rows, const State<T>& state,
                PosteriorTerms<T>& terms);

  const Model<T>& model_;
  const TrainingSet<T>& data_;
  // A chunk of what every layer makes, augmented, and of the gradient with respect to it.
  std::vector<Matrix<T>> outputs_;
  std::vector<Matrix<T>> gradients_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_POSTERIOR_CLASSICAL_H_
