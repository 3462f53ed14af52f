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

// Where a chain is: parameters and scales of every layer and, with intermediate noise, the latent
// after every layer.
template <typename T>
struct State {
  std::vector<Matrix<T>> parameters;
  std::vector<LayerScales> scales;
  std::vector<Latent<T>> latents;  // empty for the classical posterior
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

  // Whether states have latents.
  bool has_latents() const { return network_.posterior == PosteriorKind::kIntermediateNoise; }
  const NetworkSpec& network() const { return network_; }

  // All parameters and latents zero, the scales those of the spec.
  State<T> ZeroState(Eigen::Index samples) const;

  // Replaces learned scales and parameters by a draw from the prior; blocks MakeBlock(i, kScales)
  // and MakeBlock(i, kParameters) of sweep 0 of the address given.
  void DrawPrior(std::uint64_t seed, std::uint32_t chain, State<T>& state) const;

  // Latents given parameters and inputs, from the first layer to the last: means, plus noise if
  // wanted, from block MakeBlock(i, kLatent) of sweep 0 of the address given. REQUIRES:
  // has_latents().
  void DrawLatents(const Latent<T>& inputs, bool noise, std::uint64_t seed, std::uint32_t chain,
                   State<T>& state) const;

  // Outputs of the network without noise, for a chunk of augmented inputs.
  Matrix<T> Predict(const std::vector<Matrix<T>>& parameters, const ConstRows<T>& inputs) const;

  // To and from a flat draw: parameters and learned scales. REQUIRES: flat.size() == layout().size.
  void Export(const State<T>& state, absl::Span<double> flat) const;
  void Import(absl::Span<const double> flat, State<T>& state) const;

 private:
  const NetworkSpec network_;
  std::vector<std::unique_ptr<const Layer<T>>> layers_;
  std::unique_ptr<const Likelihood<T>> likelihood_;
  ParameterLayout layout_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_MODEL_MODEL_H_
