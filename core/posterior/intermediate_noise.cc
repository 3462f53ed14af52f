#include "core/posterior/intermediate_noise.h"

#include <algorithm>

#include "core/posterior/prior_terms.h"

namespace posteriord::core {

using Eigen::Index;

template <typename T>
IntermediateNoisePosterior<T>::IntermediateNoisePosterior(const Model<T>& model,
                                                          const TrainingSet<T>& data)
    : model_(model), data_(data) {
  Index widest = 0;
  for (int i = 0; i < model.depth(); ++i) widest = std::max(widest, model.layer(i).outputs());
  const Index rows = std::min(kChunkRows, data.inputs.samples());
  residual_.resize(rows, widest);
  gradient_.resize(rows, widest);
}

template <typename T>
bool IntermediateNoisePosterior<T>::Evaluate(const State<T>& state, bool want_latent_gradient,
                                             const std::function<bool()>& keep_going,
                                             PosteriorTerms<T>& terms) {
  SetPriorTerms(model_, state, terms);
  const Index samples = data_.inputs.samples();
  if (want_latent_gradient) {
    terms.latent_gradient.resize(static_cast<std::size_t>(FreeLatents(model_.network())));
    for (std::size_t i = 0; i < terms.latent_gradient.size(); ++i) {
      terms.latent_gradient[i].setZero(samples, state.latents[i].width());
    }
  }
  const bool whole = ForEachChunk(samples, keep_going, [&](Index first, Index rows) {
    for (int i = 0; i < model_.depth(); ++i) {
      AddLayer(i, first, rows, state, want_latent_gradient, terms);
    }
    if (model_.likelihood().latent_is_observed()) return;
    Rows<T> gradient = gradient_.topLeftCorner(rows, model_.outputs());
    gradient.setZero();
    terms.log_density += model_.likelihood().LogDensity(
        state.latents.back().values().middleRows(first, rows), data_.targets, first, gradient);
    if (want_latent_gradient) terms.latent_gradient.back().middleRows(first, rows) += gradient;
  });
  for (int i = 0; whole && i < model_.depth(); ++i) {
    terms.log_density += LogNormal(terms.squared_residuals[i],
                                   static_cast<double>(samples * model_.layer(i).outputs()),
                                   state.scales[i].noise_variance);
  }
  return whole;
}

template <typename T>
void IntermediateNoisePosterior<T>::AddLayer(int i, Index first, Index rows, const State<T>& state,
                                             bool want_latent_gradient, PosteriorTerms<T>& terms) {
  const Layer<T>& layer = model_.layer(i);
  const Latent<T>& from = i == 0 ? data_.inputs : state.latents[i - 1];
  const ConstRows<T> input = from.augmented().middleRows(first, rows);
  Rows<T> residual = residual_.topLeftCorner(rows, layer.outputs());
  layer.Forward(state.parameters[i], input, residual);
  residual = state.latents[i].values().middleRows(first, rows) - residual;
  terms.squared_residuals[i] += residual.template cast<double>().squaredNorm();
  residual *= static_cast<T>(1 / state.scales[i].noise_variance);
  layer.AddGradient(input, residual, terms.parameter_gradient[i]);

  if (!want_latent_gradient) return;
  const auto free = static_cast<int>(terms.latent_gradient.size());
  if (i < free) terms.latent_gradient[i].middleRows(first, rows) -= residual;
  if (i == 0) return;
  Rows<T> gradient = gradient_.topLeftCorner(rows, layer.inputs());
  layer.InputGradient(state.parameters[i], input, residual, gradient);
  terms.latent_gradient[i - 1].middleRows(first, rows) += gradient;
}

template class IntermediateNoisePosterior<float>;
template class IntermediateNoisePosterior<double>;

}  // namespace posteriord::core
