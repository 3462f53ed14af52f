// What to sample: a validated, immutable description of a network, its posterior, its chains and
// their schedule. Plain values with every default filled in; nothing here knows where they came
// from.
#ifndef POSTERIORD_CORE_SPEC_H_
#define POSTERIORD_CORE_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/kernels/gradient_sampler_spec.h"

namespace posteriord::core {

// Shape of a sample: channels x height x width numbers, laid out in that order, the last axis
// fastest. A plain vector has its length as channels and is 1 x 1.
struct Shape {
  Shape() = default;
  Shape(int channel_count) : channels(channel_count) {}  // NOLINT: a width is a shape
  Shape(int channel_count, int rows, int columns)
      : channels(channel_count), height(rows), width(columns) {}

  int size() const { return channels * height * width; }
  bool operator==(const Shape&) const = default;

  int channels = 0;
  int height = 1;
  int width = 1;
};

// Affine map of the whole input: output = weights * input + bias.
struct DenseSpec {
  int units = 0;
  bool bias = true;
  double weight_precision = 0;  // inverse prior variance of each weight, > 0
  double bias_precision = 0;    // inverse prior variance of each bias, > 0; unused without bias
};

// Cross-correlation with `channels` kernels that span all input channels, without padding:
//   output(c, i, j) = bias(c) + sum_{b, k, l} weight(c, b, k, l) input(b, i stride + k, j stride +
//   l).
struct Conv2dSpec {
  int channels = 0;
  int kernel_height = 1;
  int kernel_width = 1;
  int stride = 1;
  bool bias = true;
  double weight_precision = 0;
  double bias_precision = 0;
};

// Mean over windows of height x width that tile the image; rows and columns left over at the
// bottom and the right are not looked at.
struct AvgPool2dSpec {
  int height = 1;
  int width = 1;
};

enum class ActivationKind {
  kRelu,       // max(0, z)
  kLeakyRelu,  // z for z > 0, negative_slope z otherwise
  kAbsolute,   // |z|
  kSign,       // 1 for z > 0, -1 otherwise
  kHardTanh,   // z cut off at -1 and 1
  kLinear,     // z
  kTanh,
  kErf,
  kGelu,  // z Phi(z)
};

// Elementwise function; keeps the shape.
struct ActivationSpec {
  ActivationKind kind = ActivationKind::kRelu;
  double negative_slope = 0.01;  // of kLeakyRelu
};

// Density proportional to x^(shape - 1) exp(-rate x).
struct GammaSpec {
  double shape = 0;  // > 0
  double rate = 0;   // > 0
};

// One operation of the chain v_i = operation_i(v_{i-1}) + N(0, noise_variance).
struct LayerSpec {
  std::string name;
  std::variant<DenseSpec, ActivationSpec, Conv2dSpec, AvgPool2dSpec> operation;
  double noise_variance = 0;  // > 0; of no meaning in hidden layers of the classical posterior

  // Priors of what is learned along with the parameters instead of staying fixed. The values above
  // are then where a chain from zero starts.
  std::optional<GammaSpec> noise_precision_prior;  // of 1 / noise_variance
  std::optional<GammaSpec> weight_precision_prior;
  std::optional<GammaSpec> bias_precision_prior;
};

enum class PosteriorKind {
  kIntermediateNoise,  // noise after every layer; the latents are sampled too
  kClassical,          // noise at the output only
};

enum class LikelihoodKind {
  kGaussian,  // targets are the last latent
  kProbit,    // targets are the index of the largest entry of the last latent
  kSoftmax,   // log p(target = c) = (z_c - log sum_k exp(z_k)) / temperature, z the last latent
};

struct NetworkSpec {
  Shape inputs;
  std::vector<LayerSpec> layers;  // the last one is dense
  LikelihoodKind likelihood = LikelihoodKind::kGaussian;
  PosteriorKind posterior = PosteriorKind::kIntermediateNoise;
  double temperature = 1;  // of kSoftmax, > 0
};

enum class Precision { kFloat32, kFloat64 };

// Exact block Gibbs sampling, of the intermediate-noise posterior only.
struct GibbsSpec {
  // From this sweep on the moves of core/sampling/collapsed_moves.h are part of a sweep; 0: never.
  std::int64_t collapsed_from_sweep = 0;
};

enum class StartKind { kZero, kPrior, kInformed, kParameters, kPopulation };

// A chain's start by successive halving (core/sampling/population.h).
struct PopulationSpec {
  int members = 8;               // >= 2
  std::int64_t sweeps = 10'000;  // of each member in each round, >= 2
};

// Chains that start alike.
struct ChainGroupSpec {
  StartKind start = StartKind::kZero;
  std::vector<double> parameters;  // for kParameters: a flat draw (core/model/parameter_layout.h)
  int chains = 1;
  PopulationSpec population;  // for kPopulation
};

// A chain makes warmup_sweeps + draws * thinning sweeps. A draw is kept after every thinning-th
// sweep counted from the end of warm-up; with keep_warmup every sweep of the warm-up that is a
// multiple of thinning is kept too.
struct ScheduleSpec {
  std::int64_t warmup_sweeps = 0;
  std::int64_t draws = 0;
  std::int64_t thinning = 1;
  bool keep_warmup = false;

  std::int64_t total_sweeps() const { return warmup_sweeps + draws * thinning; }
  std::int64_t warmup_draws() const { return keep_warmup ? warmup_sweeps / thinning : 0; }
  std::int64_t total_draws() const { return warmup_draws() + draws; }
};

struct ObservationSpec {
  std::int64_t initial_stride = 1;
  int max_points = 1024;  // even
  int probes = 2;
};

struct ThermalizationSpec {
  double tolerance = 1.0;
  double min_effective_sample_size = 50;
  std::vector<std::string> observables;  // names of the monitored ones
};

struct Spec {
  NetworkSpec network;
  std::variant<GibbsSpec, GradientSamplerSpec> sampler;
  Precision precision = Precision::kFloat64;
  std::uint64_t seed = 0;
  std::vector<ChainGroupSpec> groups;
  ScheduleSpec schedule;
  ObservationSpec observation;
  ThermalizationSpec thermalization;

  int chain_count() const {
    int count = 0;
    for (const ChainGroupSpec& group : groups) count += group.chains;
    return count;
  }
  // Index of the group that `chain` belongs to. REQUIRES: 0 <= chain < chain_count().
  int group_of(int chain) const {
    int group = 0;
    while (chain >= groups[group].chains) chain -= groups[group++].chains;
    return group;
  }
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SPEC_H_
