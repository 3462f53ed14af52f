// One operation of a network, with the conditionals that a Gibbs sweep needs from it.
//
// The network is the chain v_i = operation_i(v_{i-1}) + N(0, noise_i). A sweep asks layer i for its
// parameters given (v_{i-1}, v_i), and for its input v_{i-1} given v_i and the Gaussian that the
// layer before puts on it. Adding a kind of layer is adding one implementation of this class.
#ifndef POSTERIORD_CORE_LAYERS_LAYER_H_
#define POSTERIORD_CORE_LAYERS_LAYER_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/layers/latent.h"
#include "core/linalg/matrix.h"
#include "core/model/layer_scales.h"
#include "core/model/parameter_layout.h"
#include "core/random/random_block.h"
#include "core/spec.h"

namespace posteriord::core {

// Samples are worked through in chunks of this many rows: a chunk stays in cache, and a caller can
// take its thread back between two of them. Part of the numeric profile: sums are made by chunk.
inline constexpr Eigen::Index kChunkRows = 1024;

// Calls body(first_row, rows) chunk by chunk; false as soon as keep_going() is.
template <typename KeepGoing, typename Body>
bool ForEachChunk(Eigen::Index samples, const KeepGoing& keep_going, Body&& body) {
  for (Eigen::Index first = 0; first < samples; first += kChunkRows) {
    if (!keep_going()) return false;
    body(first, std::min(kChunkRows, samples - first));
  }
  return true;
}

// What a layer precomputes for one update of its input, or keeps of an input that never changes.
class LayerCache {
 public:
  virtual ~LayerCache() = default;
};

// Sums of squares and counts of a layer's parameters, all that their prior density needs.
struct ParameterSquares {
  double weights = 0;
  double biases = 0;
  Eigen::Index weight_count = 0;
  Eigen::Index bias_count = 0;
};

// log density of the Gaussian prior.
double LogPrior(const ParameterSquares& squares, const LayerScales& scales);

// What is traced of a layer's parameters.
struct LayerSummary {
  double weight_norm = 0;  // Euclidean norm of all weights, biases left out
  // Of the Euclidean norms of the weights into each unit: in order, they do not change when units
  // swap places. The median of an even number of units is the mean of the middle two.
  double smallest_unit_norm = 0;
  double median_unit_norm = 0;
  double largest_unit_norm = 0;
  double mean_gradient = 0;  // mean over the weights of d log posterior / d weight
};

// Immutable and shared by all chains. Parameters are a matrix whose shape the layer chooses; the
// chain owns it. T is the precision of the chain: float or double.
template <typename T>
class Layer {
 public:
  virtual ~Layer() = default;

  const std::string& name() const { return name_; }
  // Numbers in a sample before and after.
  Eigen::Index inputs() const { return inputs_; }
  Eigen::Index outputs() const { return outputs_; }
  // What the spec says, where a chain begins.
  const LayerScales& scales() const { return scales_; }

  // ----- Parameters -----

  // All zero, in the layer's own shape; 0 x 0 for a layer without parameters.
  virtual Matrix<T> ZeroParameters() const { return {}; }
  // A draw from the prior.
  virtual Matrix<T> DrawPrior(const LayerScales& /*scales*/, const RandomBlock& /*random*/) const {
    return {};
  }
  virtual ParameterSquares Squares(const Matrix<T>& /*parameters*/) const { return {}; }
  // Adds the gradient of the log prior.
  virtual void AddPriorGradient(const Matrix<T>& /*parameters*/, const LayerScales& /*scales*/,
                                Eigen::MatrixXd& /*gradient*/) const {}
  // To and from the layer's part of a flat draw (core/model/parameter_layout.h).
  virtual void Export(const Matrix<T>& /*parameters*/, absl::Span<double> /*flat*/) const {}
  virtual Matrix<T> Import(absl::Span<const double> /*flat*/) const { return {}; }
  // `gradient` is that of the log posterior; ignored by layers without parameters.
  virtual LayerSummary Summarise(const Matrix<T>& /*parameters*/,
                                 const Eigen::MatrixXd& /*gradient*/) const {
    return {};
  }

  // ----- Forward and backward -----

  // out = operation(input): the mean of the layer's latent. `input` is augmented (see Latent),
  // rows x (1 + inputs); out is rows x outputs and does not alias it.
  virtual void Forward(const Matrix<T>& parameters, const ConstRows<T>& input,
                       Rows<T> out) const = 0;

  // Adds, for the samples given, the gradient with respect to the parameters of a function whose
  // gradient with respect to Forward(input) is `upstream` (rows x outputs).
  virtual void AddGradient(const ConstRows<T>& /*input*/, const ConstRows<T>& /*upstream*/,
                           Eigen::MatrixXd& /*gradient*/) const {}

  // out = the gradient of the same function with respect to the input, rows x inputs; does not
  // alias upstream. REQUIRES: the operation is differentiable almost everywhere.
  virtual void InputGradient(const Matrix<T>& parameters, const ConstRows<T>& input,
                             const ConstRows<T>& upstream, Rows<T> out) const = 0;

  // ----- Conditionals of the intermediate-noise posterior -----

  // Facts of an input that never changes (the data), to be passed to DrawParameters. Null for a
  // layer that has none. Errors: INVALID_ARGUMENT when the input is numerically degenerate.
  virtual absl::StatusOr<std::unique_ptr<const LayerCache>> CacheInput(
      const Latent<T>& /*input*/) const {
    return nullptr;
  }

  // parameters ~ p(. | input, output). `input_cache` is CacheInput(input) or null. False when
  // keep_going() said so; then the parameters are untouched.
  virtual bool DrawParameters(const Latent<T>& /*input*/, const ConstRows<T>& /*output*/,
                              const LayerScales& /*scales*/, const LayerCache* /*input_cache*/,
                              const RandomBlock& /*random*/,
                              const std::function<bool()>& /*keep_going*/,
                              Matrix<T>& /*parameters*/) const {
    return true;
  }

  // Facts of the parameters needed by DrawInput. `input_variance` is that of the noise before.
  virtual std::unique_ptr<const LayerCache> CacheParameters(const Matrix<T>& /*parameters*/,
                                                            const LayerScales& /*scales*/,
                                                            double /*input_variance*/) const {
    return nullptr;
  }

  // A chunk of the input, rows [first_row, first_row + mean.rows()) of `samples`:
  //   input ~ p(. | output), prior N(mean, input_variance), `output` the layer's latent.
  // Entry (row, unit) uses random element unit * samples + row. `mean` may be overwritten. `input`
  // holds the present values.
  struct InputChunk {
    Eigen::Index first_row;
    Eigen::Index samples;
    double input_variance;
    double noise_variance;  // of the layer
  };
  virtual void DrawInput(const Matrix<T>& parameters, const LayerCache* parameter_cache,
                         const InputChunk& chunk, const ConstRows<T>& output,
                         const RandomBlock& random, Rows<T> mean, Rows<T> input) const = 0;

 protected:
  Layer(const LayerSpec& spec, const Shape& input)
      : name_(spec.name),
        inputs_(input.size()),
        outputs_(OutputShape(spec, input).size()),
        scales_(ScalesOf(spec)) {}

 private:
  const std::string name_;
  const Eigen::Index inputs_;
  const Eigen::Index outputs_;
  const LayerScales scales_;
};

// REQUIRES: the layer fits the input.
template <typename T>
std::unique_ptr<const Layer<T>> MakeLayer(const LayerSpec& spec, const Shape& input);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LAYERS_LAYER_H_
