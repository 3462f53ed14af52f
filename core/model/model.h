// A network in the precision of its chains: layers and likelihood, and the state that a chain has
// of them.
#ifndef POSTERIORD_CORE_MODEL_MODEL_H_
#define POSTERIORD_CORE_MODEL_MODEL_H_

#include <memory>
#include <vector>

#include "core/layers/layer.h"
#include "core/likelihood/likelihood.h"
#include "core/model/parameter_layout.h"
#include "core/spec.h"

namespace posteriord::core {

// Where a chain is: the parameters of every layer and the latent after every layer.
template <typename T>
struct State {
  std::vector<Matrix<T>> parameters;
  std::vector<Latent<T>> latents;
};

// Immutable, shared by chains.
template <typename T>
class Model {
 public:
  explicit Model(const NetworkSpec& network);

  int depth() const { return static_cast<int>(layers_.size()); }
  const Layer<T>& layer(int i) const { return *layers_[i]; }
  const Likelihood<T>& likelihood() const { return *likelihood_; }
  const ParameterLayout& layout() const { return layout_; }
  Eigen::Index outputs() const { return layers_.back()->outputs(); }

  // All parameters and latents zero.
  State<T> ZeroState(Eigen::Index samples) const;

  // Parameters from the prior; block MakeBlock(i, kParameters) of the address given.
  std::vector<Matrix<T>> DrawPrior(std::uint64_t seed, std::uint32_t chain) const;

  // Latents given parameters and inputs, from the first layer to the last: means, plus noise if
  // wanted, from block MakeBlock(i, kLatent) of sweep 0 of the address given.
  void DrawLatents(const Latent<T>& inputs, bool noise, std::uint64_t seed, std::uint32_t chain,
                   State<T>& state) const;

  // Outputs of the network without noise, for a chunk of augmented inputs.
  Matrix<T> Predict(const std::vector<Matrix<T>>& parameters, const ConstRows<T>& inputs) const;

  // To and from a flat draw. REQUIRES: flat.size() == layout().size.
  void Export(const std::vector<Matrix<T>>& parameters, absl::Span<double> flat) const;
  std::vector<Matrix<T>> Import(absl::Span<const double> flat) const;

 private:
  // The layer's part of a flat draw.
  template <typename Value>
  absl::Span<Value> PartOf(int layer, absl::Span<Value> flat) const {
    return flat.subspan(offsets_[layer], offsets_[layer + 1] - offsets_[layer]);
  }

  std::vector<std::unique_ptr<const Layer<T>>> layers_;
  std::unique_ptr<const Likelihood<T>> likelihood_;
  ParameterLayout layout_;
  std::vector<std::size_t> offsets_;  // of each layer in a flat draw, and the total
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_MODEL_MODEL_H_
