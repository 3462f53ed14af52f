#include "core/sampling/gibbs.h"

#include <algorithm>

namespace posteriord::core {

using Eigen::Index;

template <typename T>
GibbsSampler<T>::GibbsSampler(const Model<T>& model, const TrainingSet<T>& data)
    : model_(model), data_(data) {
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
  for (int i = model_.depth() - 1; i >= 0; --i) {
    const RandomBlock random(address.seed, address.chain, address.sweep,
                             MakeBlock(i, RandomUse::kParameters));
    const LayerCache* input_cache = i == 0 ? data_.input_cache.get() : nullptr;
    if (!model_.layer(i).DrawParameters(InputOf(i, state), state.latents[i].values(), input_cache,
                                        random, keep_going, state.parameters[i])) {
      return false;
    }
    if (i > 0 && !DrawInput(i, address, keep_going, state)) return false;
  }
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
    model_.likelihood().DrawLatent({first, input.samples(), layer.noise_variance()}, data_.targets,
                                   random, mean,
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
  const auto cache =
      model_.layer(layer).CacheParameters(state.parameters[layer], before.noise_variance());
  return ForEachChunk(far_input.samples(), keep_going, [&](Index first, Index rows) {
    Rows<T> mean = mean_.topLeftCorner(rows, before.outputs());
    before.Forward(state.parameters[layer - 1], far_input.augmented().middleRows(first, rows),
                   mean);
    model_.layer(layer).DrawInput(state.parameters[layer], cache.get(),
                                  {first, far_input.samples(), before.noise_variance()},
                                  state.latents[layer].values().middleRows(first, rows), random,
                                  mean, state.latents[layer - 1].values().middleRows(first, rows));
  });
}

template class GibbsSampler<float>;
template class GibbsSampler<double>;

}  // namespace posteriord::core
