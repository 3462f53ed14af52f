#include "core/posterior/network_density.h"

#include <type_traits>

namespace posteriord::core {

using Eigen::VectorXd;

template <typename T>
NetworkDensity<T>::NetworkDensity(const Model<T>& model, const TrainingSet<T>& data)
    : model_(model),
      data_(data),
      layout_(model, data.inputs.samples()),
      posterior_(MakeLogPosterior(model, data)),
      state_(model.ZeroState(data.inputs.samples())) {}

template <typename T>
bool NetworkDensity<T>::Evaluate(const VectorXd& position, const KeepGoing& keep_going,
                                 double& value, VectorXd& gradient) {
  layout_.Unpack(position, state_);
  if (model_.has_latents() && model_.likelihood().latent_is_observed()) {
    state_.latents.back().values() = data_.targets.template cast<T>();
  }
  if (!posterior_->Evaluate(state_, /*want_latent_gradient=*/true, keep_going, terms_)) {
    return false;
  }
  value = terms_.log_density;
  layout_.PackGradient(terms_, gradient);
  return true;
}

template <typename T>
void NetworkDensity<T>::Round(VectorXd& position) const {
  if constexpr (!std::is_same_v<T, double>) {
    position = position.template cast<T>().eval().template cast<double>();
  }
}

template class NetworkDensity<float>;
template class NetworkDensity<double>;

}  // namespace posteriord::core
