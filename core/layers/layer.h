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

// What is traced of a layer's parameters.
struct LayerSummary {
  double weight_norm = 0;  // Euclidean norm of all weights, biases left out
  double mean_score = 0;   // mean over the weights of noise_variance * d log posterior / d weight
};

// Immutable and shared by all chains. Parameters are a matrix whose shape the layer chooses; the
// chain owns it. T is the precision of the chain: float or double.
template <typename T>
class Layer {
 public:
  virtual ~Layer() = default;

  const std::string& name() const { return name_; }
  Eigen::Index inputs() const { return inputs_; }
  Eigen::Index outputs() const { return outputs_; }
  double noise_variance() const { return noise_variance_; }

  // ----- Parameters -----

  // All zero, in the layer's own shape; 0 x 0 for a layer without parameters.
  virtual Matrix<T> ZeroParameters() const = 0;
  // A draw from the prior.
  virtual Matrix<T> DrawPrior(const RandomBlock& random) const = 0;
  // log density of the prior.
  virtual double LogPrior(const Matrix<T>& parameters) const = 0;
  // To and from the layer's part of a flat draw (core/model/parameter_layout.h).
  virtual void Export(const Matrix<T>& parameters, absl::Span<double> flat) const = 0;
  virtual Matrix<T> Import(absl::Span<const double> flat) const = 0;

  // ----- Forward -----

  // out = operation(input): the mean of the layer's latent. `input` is augmented (see Latent),
  // rows x (1 + inputs); out is rows x outputs and does not alias it.
  virtual void Forward(const Matrix<T>& parameters, const ConstRows<T>& input,
                       Rows<T> out) const = 0;

  // Adds, for the samples given, noise_variance times the gradient of the log likelihood of the
  // layer's latent with respect to its parameters. residual = latent - Forward(input).
  virtual void AddGradient(const ConstRows<T>& input, const ConstRows<T>& residual,
                           Eigen::MatrixXd& gradient) const = 0;
  // `gradient` is the sum over all samples; ignored by layers without parameters.
  virtual LayerSummary Summarise(const Matrix<T>& parameters,
                                 const Eigen::MatrixXd& gradient) const = 0;

  // ----- Conditionals of the intermediate-noise posterior -----

  // Facts of an input that never changes (the data), to be passed to DrawParameters. Null for a
  // layer that has none. Errors: INVALID_ARGUMENT when the input is numerically degenerate.
  virtual absl::StatusOr<std::unique_ptr<const LayerCache>> CacheInput(
      const Latent<T>& input) const = 0;

  // parameters ~ p(. | input, output). `input_cache` is CacheInput(input) or null. False when
  // keep_going() said so; then the parameters are untouched.
  virtual bool DrawParameters(const Latent<T>& input, const ConstRows<T>& output,
                              const LayerCache* input_cache, const RandomBlock& random,
                              const std::function<bool()>& keep_going,
                              Matrix<T>& parameters) const = 0;

  // Facts of the parameters needed by DrawInput.
  virtual std::unique_ptr<const LayerCache> CacheParameters(const Matrix<T>& parameters,
                                                            double input_variance) const = 0;

  // A chunk of the input, rows [first_row, first_row + mean.rows()) of `samples`:
  //   input ~ p(. | output), prior N(mean, input_variance), `output` the layer's latent.
  // Entry (row, unit) uses random element unit * samples + row. `mean` may be overwritten.
  struct InputChunk {
    Eigen::Index first_row;
    Eigen::Index samples;
    double input_variance;
  };
  virtual void DrawInput(const Matrix<T>& parameters, const LayerCache* parameter_cache,
                         const InputChunk& chunk, const ConstRows<T>& output,
                         const RandomBlock& random, Rows<T> mean, Rows<T> input) const = 0;

 protected:
  Layer(std::string name, Eigen::Index inputs, Eigen::Index outputs, double noise_variance)
      : name_(std::move(name)),
        inputs_(inputs),
        outputs_(outputs),
        noise_variance_(noise_variance) {}

 private:
  const std::string name_;
  const Eigen::Index inputs_;
  const Eigen::Index outputs_;
  const double noise_variance_;
};

template <typename T>
std::unique_ptr<const Layer<T>> MakeLayer(const LayerSpec& spec, Eigen::Index inputs);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LAYERS_LAYER_H_
