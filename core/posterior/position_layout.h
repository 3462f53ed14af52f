// How a state is laid out as a position in R^dimension, for the gradient samplers: the parameters
// of every layer, then, with intermediate noise, the latents that are not the targets themselves.
#ifndef POSTERIORD_CORE_POSTERIOR_POSITION_LAYOUT_H_
#define POSTERIORD_CORE_POSTERIOR_POSITION_LAYOUT_H_

#include "core/posterior/log_posterior.h"

namespace posteriord::core {

template <typename T>
class PositionLayout {
 public:
  PositionLayout(const Model<T>& model, Eigen::Index samples);

  Eigen::Index dimension() const { return dimension_; }

  // REQUIRES: the state is of the model and so many samples.
  void Pack(const State<T>& state, Eigen::VectorXd& position) const;
  // Leaves alone what is not part of the position.
  void Unpack(const Eigen::VectorXd& position, State<T>& state) const;
  // Of the gradients with respect to parameters and free latents.
  void PackGradient(const PosteriorTerms<T>& terms, Eigen::VectorXd& gradient) const;

 private:
  int free_latents_;
  Eigen::Index dimension_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_POSTERIOR_POSITION_LAYOUT_H_
