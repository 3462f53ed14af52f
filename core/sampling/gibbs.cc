#include "core/sampling/gibbs.h"

#include <algorithm>

#include "core/random/gamma.h"

namespace posteriord::core {

using Eigen::Index;

template <typename T>
GibbsSampler<T>::GibbsSampler(const Model<T>& model, const TrainingSet<T>& data,
                              const GibbsSpec& spec)
    : model_(model), data_(data), collapsed_from_sweep_(spec.collapsed_from_sweep) {
  if (collapsed_from_sweep_ > 0) collapsed_moves_.emplace(model, data);
  Index widest = 0;
  for (int i = 0; i < model.depth(); ++i) widest = std::max(widest, model.layer(i).outputs());
  mean_.resize(std::min(kChunkRows, data.inputs.samples()), widest);
}

template <typename T>
bool GibbsSampler<T>::Sweep(const SweepAddress& address, const std::function<bool()>& keep_going,
                            State<T>& state) {
  if (!model_.likelihood().latent_is_observed() && !DrawLastLatent(address, keep_going, state)) {
    return false;
  }
  const int last = model_.depth() - 1;
  const bool collapsed = collapsed_moves_.has_value() &&
                         address.sweep >= static_cast<std::uint64_t>(collapsed_from_sweep_);
  if (collapsed && !(collapsed_moves_->Run(address, keep_going, state) &&
                     DrawInput(last, address, keep_going, state))) {
    return false;
  }
  for (int i = last; i >= 0; --i) {
    const RandomBlock random(address.seed, address.chain, address.sweep,
                             MakeBlock(i, RandomUse::kParameters));
    const LayerCache* input_cache = i == 0 ? data_.input_cache.get() : nullptr;
    if (!model_.layer(i).DrawParameters(InputOf(i, state), state.latents[i].values(),
                                        state.scales[i], input_cache, random, keep_going,
                                        state.parameters[i])) {
      return false;
    }
    if (!DrawScales(i, address, keep_going, state)) return false;
    const bool is_drawn = i == 0 || (collapsed && i >= last - 1);
    if (!is_drawn && !DrawInput(i, address, keep_going, state)) return false;
  }
  return true;
}

template <typename T>
bool GibbsSampler<T>::DrawScales(int layer, const SweepAddress& address,
                                 const std::function<bool()>& keep_going, State<T>& state) {
  const LayerSpec& spec = model_.network().layers[layer];
  const RandomBlock random(address.seed, address.chain, address.sweep,
                           MakeBlock(layer, RandomUse::kScales));
  LayerScales& scales = state.scales[layer];
  const auto draw = [&random](const GammaSpec& prior, double count, double squares,
                              std::uint64_t element) {
    return DrawGamma({prior.shape + 0.5 * count, prior.rate + 0.5 * squares}, random, element);
  };
  if (spec.weight_precision_prior || spec.bias_precision_prior) {
    const ParameterSquares squares = model_.layer(layer).Squares(state.parameters[layer]);
    if (spec.weight_precision_prior) {
      scales.weight_precision = draw(*spec.weight_precision_prior,
                                     static_cast<double>(squares.weight_count), squares.weights, 1);
    }
    if (spec.bias_precision_prior) {
      scales.bias_precision = draw(*spec.bias_precision_prior,
                                   static_cast<double>(squares.bias_count), squares.biases, 2);
    }
  }
  if (!spec.noise_precision_prior) return true;
  const Latent<T>& input = InputOf(layer, state);
  const Index outputs = model_.layer(layer).outputs();
  double squares = 0;
  const bool whole = ForEachChunk(input.samples(), keep_going, [&](Index first, Index rows) {
    Rows<T> residual = mean_.topLeftCorner(rows, outputs);
    model_.layer(layer).Forward(state.parameters[layer], input.augmented().middleRows(first, rows),
                                residual);
    residual -= state.latents[layer].values().middleRows(first, rows);
    squares += residual.template cast<double>().squaredNorm();
  });
  if (!whole) return false;
  scales.noise_variance = 1 / draw(*spec.noise_precision_prior,
                                   static_cast<double>(input.samples() * outputs), squares, 0);
  return true;
}

template <typename T>
const Latent<T>& GibbsSampler<T>::InputOf(int layer, const State<T>& state) const {
  return layer == 0 ? data_.inputs : state.latents[layer - 1];
}

// The last latent given the targets and the latent before it.
template <typename T>
bool GibbsSampler<T>::DrawLastLatent(const SweepAddress& address,
                                     const std::function<bool()>& keep_going, State<T>& state) {
  const int last = model_.depth() - 1;
  const Layer<T>& layer = model_.layer(last);
  const Latent<T>& input = InputOf(last, state);
  const RandomBlock random(address.seed, address.chain, address.sweep,
                           MakeBlock(last, RandomUse::kLatent));
  return ForEachChunk(input.samples(), keep_going, [&](Index first, Index rows) {
    Rows<T> mean = mean_.topLeftCorner(rows, layer.outputs());
    layer.Forward(state.parameters[last], input.augmented().middleRows(first, rows), mean);
    model_.likelihood().DrawLatent({first, input.samples(), state.scales[last].noise_variance},
                                   data_.targets, random, mean,
                                   state.latents[last].values().middleRows(first, rows));
  });
}

// The input latent of `layer` (which is the output of the layer before) given both neighbours.
template <typename T>
bool GibbsSampler<T>::DrawInput(int layer, const SweepAddress& address,
                                const std::function<bool()>& keep_going, State<T>& state) {
  const Layer<T>& before = model_.layer(layer - 1);
  const Latent<T>& far_input = InputOf(layer - 1, state);
  const RandomBlock random(address.seed, address.chain, address.sweep,
                           MakeBlock(layer - 1, RandomUse::kLatent));
  const double variance = state.scales[layer - 1].noise_variance;
  const auto cache =
      model_.layer(layer).CacheParameters(state.parameters[layer], state.scales[layer], variance);
  return ForEachChunk(far_input.samples(), keep_going, [&](Index first, Index rows) {
    Rows<T> mean = mean_.topLeftCorner(rows, before.outputs());
    before.Forward(state.parameters[layer - 1], far_input.augmented().middleRows(first, rows),
                   mean);
    model_.layer(layer).DrawInput(
        state.parameters[layer], cache.get(),
        {first, far_input.samples(), variance, state.scales[layer].noise_variance},
        state.latents[layer].values().middleRows(first, rows), random, mean,
        state.latents[layer - 1].values().middleRows(first, rows));
  });
}

template class GibbsSampler<float>;
template class GibbsSampler<double>;

}  // namespace posteriord::core
