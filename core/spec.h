// What to sample: a validated, immutable description of a network, its posterior, its chains and
// their schedule. Plain values with every default filled in; nothing here knows where they came
// from.
#ifndef POSTERIORD_CORE_SPEC_H_
#define POSTERIORD_CORE_SPEC_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace posteriord::core {

// Affine map: output = weights * input + bias.
struct DenseSpec {
  int units = 0;
  bool bias = true;
  double weight_precision = 0;  // inverse prior variance of each weight, > 0
  double bias_precision = 0;    // inverse prior variance of each bias, > 0; unused without bias
};

enum class ActivationKind { kRelu };

// Elementwise nonlinearity.
struct ActivationSpec {
  ActivationKind kind = ActivationKind::kRelu;
};

// One operation of the chain v_i = operation_i(v_{i-1}) + N(0, noise_variance).
struct LayerSpec {
  std::string name;
  std::variant<DenseSpec, ActivationSpec> operation;
  double noise_variance = 0;  // > 0
};

enum class LikelihoodKind {
  kGaussian,  // targets are the last latent
  kProbit,    // targets are the index of the largest entry of the last latent
};

struct NetworkSpec {
  int inputs = 0;
  std::vector<LayerSpec> layers;  // the last one is dense
  LikelihoodKind likelihood = LikelihoodKind::kGaussian;
};

enum class Precision { kFloat32, kFloat64 };

enum class StartKind { kZero, kPrior, kInformed, kParameters };

// Chains that start alike.
struct ChainGroupSpec {
  StartKind start = StartKind::kZero;
  std::vector<double> parameters;  // for kParameters: a flat draw (core/model/parameter_layout.h)
  int chains = 1;
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
