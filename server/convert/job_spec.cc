#include "server/convert/job_spec.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/model/parameter_layout.h"
#include "core/sampling/population.h"
#include "server/base/absl_string.h"
#include "server/convert/core_network.h"
#include "server/convert/field_checker.h"
#include "server/convert/network_spec.h"
#include "server/convert/sampler_spec.h"
#include "server/convert/stop_rules.h"

namespace posteriord::server {
namespace {

constexpr std::int64_t kMaxSamples = 100'000'000;
constexpr std::int64_t kBillion = 1'000'000'000;
constexpr std::int64_t kMaxSamplingSweeps = 1'000'000'000'000;  // after warm-up
constexpr int kMaxProbes = 64;
constexpr int kMaxProbedOutputs = 4096;  // of all probes together

// One pass over a spec. Paths are built only for what is wrong.
class Completer {
 public:
  Completer(v1::JobSpec& spec, FieldViolations& violations)
      : spec_(spec), checker_(violations, spec.precision() == v1::PRECISION_FLOAT32) {}

  void Complete() {
    CompletePrecision();
    if (spec_.has_network()) {
      CompleteNetwork(*spec_.mutable_network(), checker_);
      CompleteSampler(spec_, checker_);
    } else {
      checker_.Add("network", "is required");
    }
    CompleteData();
    CompleteChainGroups();
    CompleteSchedule();
    CompleteObservation();
    CompleteThermalization();
    if (spec_.has_stop()) CompleteStopRules(spec_, checker_);
  }

  void CompleteForData(const DataOutline& data) {
    if (!CompleteNetworkForInputs(data.inputs, *spec_.mutable_network(), checker_)) return;
    CheckTargets(data);
    CheckParameterCounts(data);
    if (spec_.observation().probes() <= MaxProbes()) CompleteObservables(data);
  }

 private:
  void CheckValues(std::string_view field, const v1::ParameterValues& parameters) {
    const double greatest = checker_.is_float32() ? std::numeric_limits<float>::max()
                                                  : std::numeric_limits<double>::max();
    for (int i = 0; i < parameters.values_size(); ++i) {
      const double value = parameters.values(i);
      if (std::abs(value) <= greatest) continue;
      checker_.Add(absl::StrCat(ToAbsl(field), ".values[", i, "]"),
                   absl::StrCat("must be finite", checker_.is_float32() ? " in float32" : "",
                                ", not ", value));
    }
  }

  void CompletePrecision() {
    checker_.CheckEnum("precision", spec_.precision(), v1::Precision_IsValid);
    if (spec_.precision() == v1::PRECISION_UNSPECIFIED) {
      spec_.set_precision(v1::PRECISION_FLOAT64);
    }
  }

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
        checker_.CheckRange("data.gaussian.dimension", data.gaussian().dimension(), 1, kMaxWidth);
        checker_.CheckRange("data.gaussian.train_samples", data.gaussian().train_samples(), 1,
                            kMaxSamples);
        checker_.CheckRange("data.gaussian.test_samples", data.gaussian().test_samples(), 0,
                            kMaxSamples);
        if (!data.has_teacher()) {
          checker_.Add("data.teacher", "is required with Gaussian inputs, which have no targets");
        }
        break;
      case v1::Data::INPUTS_NOT_SET:
        checker_.Add("data", "must name a dataset or describe gaussian inputs");
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
      checker_.CheckRange(path + ".chains", group.chains(), 1, kMaxChains);
      chains += group.chains();
      if (group.start_case() == v1::ChainGroup::START_NOT_SET) group.mutable_zero();
      if (group.has_informed()) CheckInformed(path + ".informed");
      if (group.has_population()) CompletePopulation(path + ".population", group);
      if (group.has_parameters()) CheckValues(path + ".parameters", group.parameters());
    }
    if (chains > kMaxChains) {
      checker_.Add("chain_groups",
                   absl::StrCat("must have at most ", kMaxChains, " chains, not ", chains));
    }
  }

  void CompletePopulation(const std::string& path, v1::ChainGroup& group) {
    v1::ChainGroup::PopulationStart& population = *group.mutable_population();
    if (population.members() == 0) population.set_members(8);
    if (population.sweeps() == 0) population.set_sweeps(10'000);
    const bool members =
        checker_.CheckRange(path + ".members", population.members(), 2, kMaxChains);
    const bool in_range = checker_.CheckRange(path + ".sweeps", population.sweeps(), 2, kBillion);
    if (!members || !in_range) return;
    if (!spec_.sampler().has_gibbs()) {
      checker_.Add(path, "is for the Gibbs sampler: the others adapt to the state they are in");
      return;
    }
    const std::int64_t sweeps = core::PopulationSweeps({population.members(), population.sweeps()});
    if (sweeps > spec_.schedule().warmup_sweeps()) {
      checker_.Add(path,
                   absl::StrCat("takes ", sweeps, " sweeps of each chain, more than the ",
                                spec_.schedule().warmup_sweeps(), " of schedule.warmup_sweeps"));
    }
    const std::int64_t collapsed = spec_.sampler().gibbs().collapsed_from_sweep();
    if (collapsed > 0 && collapsed <= sweeps) {
      checker_.Add("sampler.gibbs.collapsed_from_sweep",
                   absl::StrCat("must come after the ", sweeps, " sweeps of the populations"));
    }
  }

  void CheckInformed(std::string_view field) {
    if (!spec_.data().has_teacher()) {
      checker_.Add(field, "needs a teacher to start at: set data.teacher");
    } else if (spec_.network().likelihood().softmax().temperature() != 1 &&
               spec_.network().likelihood().has_softmax()) {
      checker_.Add(field,
                   "needs a softmax of temperature 1: a tempered likelihood is no distribution of "
                   "labels, so that the teacher is no draw from the posterior");
    }
  }

  static std::string GroupPath(int index) { return absl::StrCat("chain_groups[", index, "]"); }

  void CompleteSchedule() {
    v1::Schedule& schedule = *spec_.mutable_schedule();
    if (schedule.thinning() == 0) schedule.set_thinning(1);
    checker_.CheckRange("schedule.warmup_sweeps", schedule.warmup_sweeps(), 0, kMaxWarmupSweeps);
    checker_.CheckRange("schedule.draws", schedule.draws(), 1, kMaxDraws);
    checker_.CheckRange("schedule.thinning", schedule.thinning(), 1, kBillion);
    const double sweeps = 1.0 * schedule.draws() * schedule.thinning();
    if (schedule.draws() <= kBillion && schedule.thinning() <= kBillion &&
        sweeps > kMaxSamplingSweeps) {
      checker_.Add("schedule", absl::StrCat("asks for ", sweeps,
                                            " sweeps (draws * thinning) of each "
                                            "chain; there can be ",
                                            kMaxSamplingSweeps, " at most"));
    }
    checker_.CheckEnum("schedule.storage", schedule.storage(), v1::Precision_IsValid);
    if (schedule.storage() == v1::PRECISION_UNSPECIFIED) {
      schedule.set_storage(spec_.precision());
    }
  }

  void CompleteObservation() {
    v1::Observation& observation = *spec_.mutable_observation();
    if (observation.initial_stride() == 0) observation.set_initial_stride(1);
    if (observation.max_points() == 0) observation.set_max_points(1024);
    if (!observation.has_probes()) observation.set_probes(std::min(2, MaxProbes()));
    checker_.CheckRange("observation.initial_stride", observation.initial_stride(), 1, kBillion);
    checker_.CheckRange("observation.max_points", observation.max_points(), 16, kMaxTracePoints);
    if (observation.max_points() % 2 != 0) {
      checker_.Add("observation.max_points",
                   absl::StrCat("must be even, unlike ", observation.max_points()));
    }
    checker_.CheckRange("observation.probes", observation.probes(), 0, MaxProbes());
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
      checker_.Add("thermalization.tolerance",
                   absl::StrCat("must be above 0 and at most 10, not ", tolerance));
    }
    const double size = thermalization.min_effective_sample_size();
    if (!(size >= 4 && size <= 1e6)) {
      checker_.Add("thermalization.min_effective_sample_size",
                   absl::StrCat("must be from 4 to 1000000, not ", size));
    } else if ((ComparesChains(spec_) || spec_.stop().has_rhat_below()) &&
               spec_.observation().max_points() < 4 * size) {
      // A full trace holds at least max_points / 2 points, and the window of a verdict half of
      // them.
      checker_.Add(
          "observation.max_points",
          absl::StrFormat("must be at least 4 times thermalization.min_effective_sample_size (%g), "
                          "or no window holds that many points; 16 times is better",
                          size));
    }
  }

  // ----- What depends on the data -----

  void CheckTargets(const DataOutline& data) {
    if (data.shape.has_teacher || !spec_.network().likelihood().has_gaussian()) return;
    const int last = spec_.network().layers_size() - 1;
    const int units = spec_.network().layers(last).dense().units();
    if (units == data.target_columns) return;
    checker_.Add(LayerPath(last) + ".dense.units",
                 absl::StrCat("must be the number of target columns, ", data.target_columns,
                              ", not ", units));
  }

  void CheckParameterCounts(const DataOutline& data) {
    const core::NetworkSpec network = ToCoreNetwork(spec_.network(), data.inputs);
    const std::int64_t count = core::MakeParameterLayout(network).size;
    CheckSamplerForDimension(spec_.sampler(),
                             core::PositionDimension(network, data.shape.train_samples), checker_);
    const auto check = [this, count](std::string_view field,
                                     const v1::ParameterValues& parameters) {
      if (parameters.values_size() == count) return;
      checker_.Add(field, absl::StrCat("must have one value per parameter, ", count, ", not ",
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
        checker_.Add(field, absl::StrCat("names no observable of this job: \"", wanted[i], "\""));
      } else if (!seen.insert(wanted[i]).second) {
        checker_.Add(field, absl::StrCat("is named twice: \"", wanted[i], "\""));
      }
    }
  }

  v1::JobSpec& spec_;
  FieldChecker checker_;
};

core::Precision ToCorePrecision(v1::Precision precision) {
  return precision == v1::PRECISION_FLOAT32 ? core::Precision::kFloat32 : core::Precision::kFloat64;
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
    case v1::ChainGroup::kPopulation:
      result.start = core::StartKind::kPopulation;
      result.population = {group.population().members(), group.population().sweeps()};
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

bool ComparesChains(const v1::JobSpec& spec) {
  const auto informed = [](const v1::ChainGroup& group) { return group.has_informed(); };
  const auto& groups = spec.chain_groups();
  return std::any_of(groups.begin(), groups.end(), informed) &&
         !std::all_of(groups.begin(), groups.end(), informed);
}

core::Spec ToCoreSpec(const v1::JobSpec& complete, int inputs) {
  core::Spec spec;
  spec.network = ToCoreNetwork(complete.network(), inputs);
  spec.sampler = ToCoreSampler(complete.sampler());
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
