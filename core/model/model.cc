#include "core/model/model.h"

#include <cmath>

#include "core/random/draws.h"
#include "core/random/gamma.h"

namespace posteriord::core {

using Eigen::Index;

template <typename T>
Model<T>::Model(const NetworkSpec& network)
    : network_(network),
      likelihood_(MakeLikelihood<T>(network)),
      layout_(MakeParameterLayout(network)) {
  const std::vector<Shape> shapes = LayerShapes(network);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    layers_.push_back(MakeLayer<T>(network.layers[i], shapes[i]));
  }
}

template <typename T>
State<T> Model<T>::ZeroState(Index samples) const {
  State<T> state;
  for (const auto& layer : layers_) {
    state.parameters.push_back(layer->ZeroParameters());
    state.scales.push_back(layer->scales());
    if (has_latents()) state.latents.emplace_back(samples, layer->outputs());
  }
  return state;
}

template <typename T>
void Model<T>::DrawPrior(std::uint64_t seed, std::uint32_t chain, State<T>& state) const {
  for (int i = 0; i < depth(); ++i) {
    const RandomBlock random(seed, chain, 0, MakeBlock(i, RandomUse::kScales));
    ForEachLearnedScale(
        network_.layers[i], [&](const LearnableScale& scale, const GammaSpec& prior) {
          scale.set_precision(DrawGamma(prior, random, scale.element), state.scales[i]);
        });
    state.parameters[i] = layers_[i]->DrawPrior(
        state.scales[i], RandomBlock(seed, chain, 0, MakeBlock(i, RandomUse::kParameters)));
  }
}

template <typename T>
void Model<T>::DrawLatents(const Latent<T>& inputs, bool noise, std::uint64_t seed,
                           std::uint32_t chain, State<T>& state) const {
  for (int i = 0; i < depth(); ++i) {
    const Latent<T>& input = i == 0 ? inputs : state.latents[i - 1];
    Latent<T>& latent = state.latents[i];
    ForEachChunk(
        input.samples(), [] { return true; },
        [&](Index first, Index rows) {
          layers_[i]->Forward(state.parameters[i], input.augmented().middleRows(first, rows),
                              latent.values().middleRows(first, rows));
        });
    if (!noise) continue;
    const RandomBlock random(seed, chain, 0, MakeBlock(i, RandomUse::kLatent));
    Matrix<T> normals(latent.samples(), latent.width());
    DrawNormals<T>(random, 0, absl::MakeSpan(normals.data(), normals.size()));
    latent.values() += static_cast<T>(std::sqrt(state.scales[i].noise_variance)) * normals;
  }
}

template <typename T>
Matrix<T> Model<T>::Predict(const std::vector<Matrix<T>>& parameters,
                            const ConstRows<T>& inputs) const {
  Matrix<T> augmented = inputs;
  for (int i = 0; i < depth(); ++i) {
    Matrix<T> next(inputs.rows(), 1 + layers_[i]->outputs());
    next.col(0).setOnes();
    layers_[i]->Forward(parameters[i], augmented, next.rightCols(layers_[i]->outputs()));
    augmented.swap(next);
  }
  return augmented.rightCols(outputs());
}

template <typename T>
void Model<T>::Export(const State<T>& state, absl::Span<double> flat) const {
  for (int i = 0; i < depth(); ++i) {
    layers_[i]->Export(state.parameters[i], flat);
    flat.remove_prefix(static_cast<std::size_t>(state.parameters[i].size()));
    ForEachLearnedScale(network_.layers[i], [&](const LearnableScale& scale, const GammaSpec&) {
      flat.front() = state.scales[i].*scale.value;
      flat.remove_prefix(1);
    });
  }
}

template <typename T>
void Model<T>::Import(absl::Span<const double> flat, State<T>& state) const {
  for (int i = 0; i < depth(); ++i) {
    state.parameters[i] = layers_[i]->Import(flat);
    flat.remove_prefix(static_cast<std::size_t>(state.parameters[i].size()));
    ForEachLearnedScale(network_.layers[i], [&](const LearnableScale& scale, const GammaSpec&) {
      state.scales[i].*scale.value = flat.front();
      flat.remove_prefix(1);
    });
  }
}

template class Model<float>;
template class Model<double>;

}  // namespace posteriord::core
