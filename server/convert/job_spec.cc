#include "server/convert/job_spec.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/model/parameter_layout.h"
#include "server/base/absl_string.h"

namespace posteriord::server {
namespace {

constexpr int kMaxLayers = 64;
constexpr int kMaxWidth = 65536;
constexpr int kMaxChains = 1024;
constexpr std::int64_t kMaxSamples = 100'000'000;
constexpr std::int64_t kMaxWarmupSweeps = 1'000'000'000'000;
constexpr std::int64_t kBillion = 1'000'000'000;
constexpr std::size_t kMaxLayerNameBytes = 32;
constexpr int kMaxProbes = 64;
constexpr int kMaxProbedOutputs = 4096;  // of all probes together

// One pass over a spec. Paths are built only for what is wrong.
class Completer {
 public:
  Completer(v1::JobSpec& spec, FieldViolations& violations)
      : spec_(spec), violations_(violations) {}

  void Complete() {
    CompletePrecision();
    CompleteNetwork();
    CompleteData();
    if (spec_.sampler().kind_case() == v1::Sampler::KIND_NOT_SET) {
      spec_.mutable_sampler()->mutable_gibbs();
    }
    CompleteChainGroups();
    CompleteSchedule();
    CompleteObservation();
    CompleteThermalization();
  }

  void CompleteForData(const DataOutline& data) {
    if (!NetworkShapeIsKnown()) return;
    CompletePriors(data.inputs);
    CheckTargets(data);
    CheckParameterCounts(data.inputs);
    if (spec_.observation().probes() <= MaxProbes()) CompleteObservables(data);
  }

 private:
  void Add(std::string_view field, std::string_view description) {
    violations_.Add(absl::StrCat("spec.", ToAbsl(field)), description);
  }

  void CheckRange(std::string_view field, std::int64_t value, std::int64_t least,
                  std::int64_t greatest) {
    if (value >= least && value <= greatest) return;
    Add(field, absl::StrCat("must be from ", least, " to ", greatest, ", not ", value));
  }

  // A variance or a precision in the arithmetic of the chains, in which it must not vanish or
  // overflow.
  void CheckScale(std::string_view field, double value) {
    if (!(value > 0) || !std::isfinite(value)) {
      Add(field, absl::StrCat("must be positive and finite, not ", value));
    } else if (!IsFloat32()) {
      if (value < std::numeric_limits<double>::min()) {
        Add(field, absl::StrCat("is too small for float64 arithmetic: ", value));
      }
    } else if (value < std::numeric_limits<float>::min() ||
               value > std::numeric_limits<float>::max()) {
      Add(field, absl::StrCat("is out of the range of float32 arithmetic: ", value));
    }
  }

  void CheckValues(std::string_view field, const v1::ParameterValues& parameters) {
    const double greatest =
        IsFloat32() ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
    for (int i = 0; i < parameters.values_size(); ++i) {
      const double value = parameters.values(i);
      if (std::abs(value) <= greatest) continue;
      Add(absl::StrCat(ToAbsl(field), ".values[", i, "]"),
          absl::StrCat("must be finite", IsFloat32() ? " in float32" : "", ", not ", value));
    }
  }

  bool IsFloat32() const { return spec_.precision() == v1::PRECISION_FLOAT32; }

  template <typename Enum>
  void CheckEnum(std::string_view field, Enum value, bool (*is_valid)(int)) {
    if (!is_valid(value)) {
      Add(field, absl::StrCat("has the unknown value ", static_cast<int>(value)));
    }
  }

  void CompletePrecision() {
    CheckEnum("precision", spec_.precision(), v1::Precision_IsValid);
    if (spec_.precision() == v1::PRECISION_UNSPECIFIED) {
      spec_.set_precision(v1::PRECISION_FLOAT64);
    }
  }

  // ----- Network -----

  void CompleteNetwork() {
    if (!spec_.has_network()) {
      Add("network", "is required");
      return;
    }
    v1::Network& network = *spec_.mutable_network();
    if (network.layers().empty() || network.layers_size() > kMaxLayers) {
      Add("network.layers",
          absl::StrCat("must be 1 to ", kMaxLayers, " layers, not ", network.layers_size()));
    }
    if (network.has_noise_variance()) {
      CheckScale("network.noise_variance", network.noise_variance());
    }
    for (int i = 0; i < network.layers_size(); ++i) CompleteLayer(i);
    CompleteLayerNames();
    CheckLastLayer();
  }

  void CompleteLayer(int index) {
    const v1::Network& network = spec_.network();
    v1::Layer& layer = *spec_.mutable_network()->mutable_layers(index);
    const std::string path = LayerPath(index);
    switch (layer.kind_case()) {
      case v1::Layer::kDense:
        CompleteDense(path + ".dense", *layer.mutable_dense());
        break;
      case v1::Layer::kActivation:
        CheckEnum(path + ".activation.kind", layer.activation().kind(),
                  v1::Activation_Kind_IsValid);
        if (layer.activation().kind() == v1::Activation::KIND_UNSPECIFIED) {
          layer.mutable_activation()->set_kind(v1::Activation::KIND_RELU);
        }
        break;
      case v1::Layer::KIND_NOT_SET:
        Add(path, "must be a dense layer or an activation");
        break;
    }
    if (layer.has_noise_variance()) {
      CheckScale(path + ".noise_variance", layer.noise_variance());
    } else if (network.has_noise_variance()) {
      layer.set_noise_variance(network.noise_variance());
    } else {
      Add(path + ".noise_variance", "is required, here or as network.noise_variance");
    }
  }

  void CompleteDense(std::string_view path, v1::Dense& dense) {
    const absl::string_view prefix = ToAbsl(path);
    CheckRange(absl::StrCat(prefix, ".units"), dense.units(), 1, kMaxWidth);
    if (!dense.has_bias()) dense.set_bias(true);
    if (dense.has_weight_precision()) {
      CheckScale(absl::StrCat(prefix, ".weight_precision"), dense.weight_precision());
    }
    if (!dense.has_bias_precision()) return;
    const std::string field = absl::StrCat(prefix, ".bias_precision");
    if (dense.bias()) {
      CheckScale(field, dense.bias_precision());
    } else {
      Add(field, "is not allowed when bias is false");
    }
  }

  void CompleteLayerNames() {
    int dense_count = 0;
    int relu_count = 0;
    std::set<std::string> names;
    for (int i = 0; i < spec_.network().layers_size(); ++i) {
      v1::Layer& layer = *spec_.mutable_network()->mutable_layers(i);
      const int count = layer.has_dense() ? ++dense_count : ++relu_count;
      if (layer.name().empty()) {
        layer.set_name(absl::StrCat(layer.has_dense() ? "dense" : "relu", count));
      } else if (!IsLayerName(layer.name())) {
        Add(LayerPath(i) + ".name",
            absl::StrCat("must match [a-z][a-z0-9_]{0,31}, unlike \"", layer.name(), "\""));
        continue;
      }
      if (!names.insert(layer.name()).second) {
        Add(LayerPath(i) + ".name", absl::StrCat("is used by two layers: \"", layer.name(), "\""));
      }
    }
  }

  static bool IsLayerName(std::string_view name) {
    return name.size() <= kMaxLayerNameBytes && absl::ascii_islower(name.front()) &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) {
             return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
           });
  }

  void CheckLastLayer() {
    const v1::Network& network = spec_.network();
    if (network.likelihood().kind_case() == v1::Likelihood::KIND_NOT_SET) {
      Add("network.likelihood", "must be gaussian or probit");
    }
    if (network.layers().empty()) return;
    const int last = network.layers_size() - 1;
    if (!network.layers(last).has_dense()) {
      Add(LayerPath(last), "must be dense, as it is the last layer");
    } else if (network.likelihood().has_probit() && network.layers(last).dense().units() == 1) {
      Add(LayerPath(last) + ".dense.units", "must be the number of classes, at least 2");
    }
  }

  static std::string LayerPath(int index) { return absl::StrCat("network.layers[", index, "]"); }

  // ----- Data -----

  void CompleteData() {
    const v1::Data& data = spec_.data();
    switch (data.inputs_case()) {
      case v1::Data::kDataset:
        if (data.has_teacher()) {  // which needs no targets
          spec_.mutable_data()->mutable_dataset()->clear_target_columns();
        }
        break;
      case v1::Data::kGaussian:
        CheckRange("data.gaussian.dimension", data.gaussian().dimension(), 1, kMaxWidth);
        CheckRange("data.gaussian.train_samples", data.gaussian().train_samples(), 1, kMaxSamples);
        CheckRange("data.gaussian.test_samples", data.gaussian().test_samples(), 0, kMaxSamples);
        if (!data.has_teacher()) {
          Add("data.teacher", "is required with Gaussian inputs, which have no targets");
        }
        break;
      case v1::Data::INPUTS_NOT_SET:
        Add("data", "must name a dataset or describe gaussian inputs");
        break;
    }
    if (data.teacher().has_parameters()) {
      CheckValues("data.teacher.parameters", data.teacher().parameters());
    }
  }

  // ----- Chains -----

  void CompleteChainGroups() {
    if (spec_.chain_groups().empty()) {
      if (spec_.data().has_teacher()) {
        v1::ChainGroup& informed = *spec_.add_chain_groups();
        informed.mutable_informed();
        informed.set_chains(2);
      }
      v1::ChainGroup& zero = *spec_.add_chain_groups();
      zero.mutable_zero();
      zero.set_chains(spec_.data().has_teacher() ? 2 : 4);
    }
    std::int64_t chains = 0;
    for (int i = 0; i < spec_.chain_groups_size(); ++i) {
      v1::ChainGroup& group = *spec_.mutable_chain_groups(i);
      const std::string path = GroupPath(i);
      if (!group.has_chains()) group.set_chains(1);
      CheckRange(path + ".chains", group.chains(), 1, kMaxChains);
      chains += group.chains();
      if (group.start_case() == v1::ChainGroup::START_NOT_SET) group.mutable_zero();
      if (group.has_informed() && !spec_.data().has_teacher()) {
        Add(path + ".informed", "needs a teacher to start at: set data.teacher");
      }
      if (group.has_parameters()) CheckValues(path + ".parameters", group.parameters());
    }
    if (chains > kMaxChains) {
      Add("chain_groups", absl::StrCat("must have at most ", kMaxChains, " chains, not ", chains));
    }
  }

  static std::string GroupPath(int index) { return absl::StrCat("chain_groups[", index, "]"); }

  void CompleteSchedule() {
    v1::Schedule& schedule = *spec_.mutable_schedule();
    if (schedule.thinning() == 0) schedule.set_thinning(1);
    CheckRange("schedule.warmup_sweeps", schedule.warmup_sweeps(), 0, kMaxWarmupSweeps);
    CheckRange("schedule.draws", schedule.draws(), 1, kBillion);
    CheckRange("schedule.thinning", schedule.thinning(), 1, kBillion);
    CheckEnum("schedule.storage", schedule.storage(), v1::Precision_IsValid);
    if (schedule.storage() == v1::PRECISION_UNSPECIFIED) {
      schedule.set_storage(spec_.precision());
    }
  }

  void CompleteObservation() {
    v1::Observation& observation = *spec_.mutable_observation();
    if (observation.initial_stride() == 0) observation.set_initial_stride(1);
    if (observation.max_points() == 0) observation.set_max_points(1024);
    if (!observation.has_probes()) observation.set_probes(std::min(2, MaxProbes()));
    CheckRange("observation.initial_stride", observation.initial_stride(), 1, kBillion);
    CheckRange("observation.max_points", observation.max_points(), 16, 1'000'000);
    if (observation.max_points() % 2 != 0) {
      Add("observation.max_points",
          absl::StrCat("must be even, unlike ", observation.max_points()));
    }
    CheckRange("observation.probes", observation.probes(), 0, MaxProbes());
  }

  // Every output is traced at every probe.
  int MaxProbes() const {
    const v1::Network& network = spec_.network();
    if (network.layers().empty()) return kMaxProbes;
    const int outputs = network.layers(network.layers_size() - 1).dense().units();
    return std::min(kMaxProbes, kMaxProbedOutputs / std::clamp(outputs, 1, kMaxWidth));
  }

  void CompleteThermalization() {
    v1::ThermalizationSpec& thermalization = *spec_.mutable_thermalization();
    if (!thermalization.has_tolerance()) thermalization.set_tolerance(1);
    if (!thermalization.has_min_effective_sample_size()) {
      thermalization.set_min_effective_sample_size(50);
    }
    const double tolerance = thermalization.tolerance();
    if (!(tolerance > 0 && tolerance <= 10)) {
      Add("thermalization.tolerance",
          absl::StrCat("must be above 0 and at most 10, not ", tolerance));
    }
    const double size = thermalization.min_effective_sample_size();
    if (!(size >= 4 && size <= 1e6)) {
      Add("thermalization.min_effective_sample_size",
          absl::StrCat("must be from 4 to 1000000, not ", size));
    } else if (ComparesChains() && spec_.observation().max_points() < 4 * size) {
      // A full trace holds at least max_points / 2 points, and the window of a verdict half of
      // them.
      Add("observation.max_points",
          absl::StrFormat("must be at least 4 times thermalization.min_effective_sample_size (%g), "
                          "or no window holds that many points; 16 times is better",
                          size));
    }
  }

  // Whether there are chains at equilibrium and others to compare with them.
  bool ComparesChains() const {
    const auto informed = [](const v1::ChainGroup& group) { return group.has_informed(); };
    const auto& groups = spec_.chain_groups();
    return std::any_of(groups.begin(), groups.end(), informed) &&
           !std::all_of(groups.begin(), groups.end(), informed);
  }

  // ----- What depends on the data -----

  bool NetworkShapeIsKnown() const {
    const v1::Network& network = spec_.network();
    if (network.layers().empty() || network.layers_size() > kMaxLayers) return false;
    if (network.likelihood().kind_case() == v1::Likelihood::KIND_NOT_SET) return false;
    return network.layers(network.layers_size() - 1).has_dense() &&
           std::all_of(network.layers().begin(), network.layers().end(), [](const auto& layer) {
             return layer.has_activation() || (layer.has_dense() && layer.dense().units() >= 1 &&
                                               layer.dense().units() <= kMaxWidth);
           });
  }

  void CompletePriors(int inputs) {
    int fan_in = inputs;
    for (v1::Layer& layer : *spec_.mutable_network()->mutable_layers()) {
      if (!layer.has_dense()) continue;
      v1::Dense& dense = *layer.mutable_dense();
      if (!dense.has_weight_precision()) dense.set_weight_precision(fan_in);
      if (dense.bias() && !dense.has_bias_precision()) dense.set_bias_precision(fan_in);
      fan_in = dense.units();
    }
  }

  void CheckTargets(const DataOutline& data) {
    if (data.shape.has_teacher || !spec_.network().likelihood().has_gaussian()) return;
    const int last = spec_.network().layers_size() - 1;
    const int units = spec_.network().layers(last).dense().units();
    if (units == data.target_columns) return;
    Add(LayerPath(last) + ".dense.units", absl::StrCat("must be the number of target columns, ",
                                                       data.target_columns, ", not ", units));
  }

  void CheckParameterCounts(int inputs) {
    const std::int64_t count = core::MakeParameterLayout(ToCoreSpec(spec_, inputs).network).size;
    const auto check = [this, count](std::string_view field,
                                     const v1::ParameterValues& parameters) {
      if (parameters.values_size() == count) return;
      Add(field, absl::StrCat("must have one value per parameter, ", count, ", not ",
                              parameters.values_size()));
    };
    if (spec_.data().teacher().has_parameters()) {
      check("data.teacher.parameters.values", spec_.data().teacher().parameters());
    }
    for (int i = 0; i < spec_.chain_groups_size(); ++i) {
      if (!spec_.chain_groups(i).has_parameters()) continue;
      check(GroupPath(i) + ".parameters.values", spec_.chain_groups(i).parameters());
    }
  }

  void CompleteObservables(const DataOutline& data) {
    core::Spec spec = ToCoreSpec(spec_, data.inputs);
    const std::vector<std::string> wanted = std::move(spec.thermalization.observables);
    spec.thermalization.observables.clear();
    std::set<std::string> known;
    for (const core::ObservableInfo& observable : core::ListObservables(spec, data.shape)) {
      known.insert(observable.name);
      if (wanted.empty() && observable.monitored) {
        spec_.mutable_thermalization()->add_observables(observable.name);
      }
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const std::string field = absl::StrCat("thermalization.observables[", i, "]");
      if (!known.contains(wanted[i])) {
        Add(field, absl::StrCat("names no observable of this job: \"", wanted[i], "\""));
      } else if (!seen.insert(wanted[i]).second) {
        Add(field, absl::StrCat("is named twice: \"", wanted[i], "\""));
      }
    }
  }

  v1::JobSpec& spec_;
  FieldViolations& violations_;
};

core::Precision ToCorePrecision(v1::Precision precision) {
  return precision == v1::PRECISION_FLOAT32 ? core::Precision::kFloat32 : core::Precision::kFloat64;
}

core::LayerSpec ToCoreLayer(const v1::Layer& layer) {
  core::LayerSpec result{.name = layer.name(),
                         .operation = core::ActivationSpec{core::ActivationKind::kRelu},
                         .noise_variance = layer.noise_variance()};
  if (layer.has_dense()) {
    result.operation = core::DenseSpec{.units = layer.dense().units(),
                                       .bias = layer.dense().bias(),
                                       .weight_precision = layer.dense().weight_precision(),
                                       .bias_precision = layer.dense().bias_precision()};
  }
  return result;
}

core::ChainGroupSpec ToCoreGroup(const v1::ChainGroup& group) {
  core::ChainGroupSpec result;
  result.chains = group.chains();
  switch (group.start_case()) {
    case v1::ChainGroup::kPrior:
      result.start = core::StartKind::kPrior;
      break;
    case v1::ChainGroup::kInformed:
      result.start = core::StartKind::kInformed;
      break;
    case v1::ChainGroup::kParameters:
      result.start = core::StartKind::kParameters;
      result.parameters.assign(group.parameters().values().begin(),
                               group.parameters().values().end());
      break;
    case v1::ChainGroup::kZero:
    case v1::ChainGroup::START_NOT_SET:
      break;
  }
  return result;
}

}  // namespace

DataOutline OutlineOf(const v1::GaussianInputs& gaussian) {
  return {.inputs = gaussian.dimension(),
          .target_columns = 0,
          .shape = {.train_samples = gaussian.train_samples(),
                    .test_samples = gaussian.test_samples(),
                    .has_teacher = true}};
}

void CompleteSpec(v1::JobSpec& spec, FieldViolations& violations) {
  Completer(spec, violations).Complete();
}

void CompleteSpecForData(const DataOutline& data, v1::JobSpec& spec, FieldViolations& violations) {
  Completer(spec, violations).CompleteForData(data);
}

core::Spec ToCoreSpec(const v1::JobSpec& complete, int inputs) {
  core::Spec spec;
  spec.network.inputs = inputs;
  for (const v1::Layer& layer : complete.network().layers()) {
    spec.network.layers.push_back(ToCoreLayer(layer));
  }
  spec.network.likelihood = complete.network().likelihood().has_probit()
                                ? core::LikelihoodKind::kProbit
                                : core::LikelihoodKind::kGaussian;
  spec.precision = ToCorePrecision(complete.precision());
  spec.seed = complete.seed();
  for (const v1::ChainGroup& group : complete.chain_groups()) {
    spec.groups.push_back(ToCoreGroup(group));
  }
  spec.schedule = {.warmup_sweeps = complete.schedule().warmup_sweeps(),
                   .draws = complete.schedule().draws(),
                   .thinning = complete.schedule().thinning(),
                   .keep_warmup = complete.schedule().keep_warmup()};
  spec.observation = {.initial_stride = complete.observation().initial_stride(),
                      .max_points = complete.observation().max_points(),
                      .probes = complete.observation().probes()};
  spec.thermalization.tolerance = complete.thermalization().tolerance();
  spec.thermalization.min_effective_sample_size =
      complete.thermalization().min_effective_sample_size();
  spec.thermalization.observables.assign(complete.thermalization().observables().begin(),
                                         complete.thermalization().observables().end());
  return spec;
}

core::TeacherSpec ToCoreTeacher(const v1::JobSpec& complete) {
  const v1::Teacher& teacher = complete.data().teacher();
  core::TeacherSpec result;
  result.seed = teacher.seed();
  result.noiseless = teacher.noiseless();
  if (teacher.has_parameters()) {
    result.parameters.emplace(teacher.parameters().values().begin(),
                              teacher.parameters().values().end());
  }
  return result;
}

int StorageBytes(const v1::JobSpec& complete) {
  return complete.schedule().storage() == v1::PRECISION_FLOAT32 ? 4 : 8;
}

}  // namespace posteriord::server
