#include "core/model/model.h"

#include <cmath>

#include "core/random/draws.h"

namespace posteriord::core {

using Eigen::Index;

template <typename T>
Model<T>::Model(const NetworkSpec& network)
    : likelihood_(MakeLikelihood<T>(network.likelihood)),
      layout_(MakeParameterLayout(network)),
      offsets_{0} {
  const std::vector<int> widths = LayerWidths(network);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    layers_.push_back(MakeLayer<T>(network.layers[i], widths[i]));
    offsets_.push_back(offsets_.back() +
                       static_cast<std::size_t>(layers_.back()->ZeroParameters().size()));
  }
}

template <typename T>
State<T> Model<T>::ZeroState(Index samples) const {
  State<T> state;
  for (const auto& layer : layers_) {
    state.parameters.push_back(layer->ZeroParameters());
    state.latents.emplace_back(samples, layer->outputs());
  }
  return state;
}

template <typename T>
std::vector<Matrix<T>> Model<T>::DrawPrior(std::uint64_t seed, std::uint32_t chain) const {
  std::vector<Matrix<T>> parameters;
  for (int i = 0; i < depth(); ++i) {
    parameters.push_back(
        layers_[i]->DrawPrior(RandomBlock(seed, chain, 0, MakeBlock(i, RandomUse::kParameters))));
  }
  return parameters;
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
    latent.values() += static_cast<T>(std::sqrt(layers_[i]->noise_variance())) * normals;
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
void Model<T>::Export(const std::vector<Matrix<T>>& parameters, absl::Span<double> flat) const {
  for (int i = 0; i < depth(); ++i) layers_[i]->Export(parameters[i], PartOf(i, flat));
}

template <typename T>
std::vector<Matrix<T>> Model<T>::Import(absl::Span<const double> flat) const {
  std::vector<Matrix<T>> parameters;
  for (int i = 0; i < depth(); ++i) parameters.push_back(layers_[i]->Import(PartOf(i, flat)));
  return parameters;
}

template class Model<float>;
template class Model<double>;

}  // namespace posteriord::core
