#include "server/convert/companion.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/sampling/population.h"
#include "core/sampling/problem.h"
#include "server/base/field_violation.h"
#include "server/base/status_macros.h"
#include "server/base/utf8.h"
#include "server/convert/job.h"
#include "server/convert/job_spec.h"
#include "server/convert/resource_name.h"
#include "server/convert/status.h"

namespace posteriord::server {
namespace {

constexpr int kDefaultChains = 2;
// So many trace points per effective sample that a verdict needs: a window holds at least a quarter
// of the points, and points are not independent.
constexpr double kPointsPerEffectiveSample = 16;

int InformedChains(const v1::ProbeJobRequest& request) {
  return request.has_informed_chains() ? request.informed_chains() : kDefaultChains;
}

int OtherChains(const v1::ProbeJobRequest& request) {
  return request.has_other_chains() ? request.other_chains() : kDefaultChains;
}

// How the chains start that are not informed.
v1::ChainGroup OtherStart(const v1::JobSpec& spec) {
  v1::ChainGroup start;
  start.mutable_zero();
  const auto same = std::find_if(
      spec.chain_groups().begin(), spec.chain_groups().end(), [](const v1::ChainGroup& group) {
        return group.has_zero() || group.has_prior() || group.has_population();
      });
  return same == spec.chain_groups().end() ? start : *same;
}

absl::Status CheckRequest(const v1::JobSpec& spec, const v1::ProbeJobRequest& request) {
  FieldViolations violations;
  const auto check = [&violations](std::string_view field, std::int64_t value, std::int64_t least,
                                   std::int64_t greatest) {
    if (value >= least && value <= greatest) return true;
    violations.Add(field, absl::StrCat("must be from ", least, " to ", greatest, ", not ", value));
    return false;
  };
  const bool informed = check("informed_chains", InformedChains(request), 1, kMaxChains);
  const bool others = check("other_chains", OtherChains(request), 1, kMaxChains);
  const int chains = informed && others ? InformedChains(request) + OtherChains(request) : 0;
  if (chains > kMaxChains) {
    violations.Add("other_chains",
                   absl::StrCat("makes ", chains,
                                " chains with informed_chains; a job has at most ", kMaxChains));
  }
  if (request.has_warmup_sweeps() &&
      check("warmup_sweeps", request.warmup_sweeps(), 0, kMaxWarmupSweeps)) {
    const v1::ChainGroup start = OtherStart(spec);
    const std::int64_t population =
        start.has_population() ? core::PopulationSweeps({.members = start.population().members(),
                                                         .sweeps = start.population().sweeps()})
                               : 0;
    if (request.warmup_sweeps() < population) {
      violations.Add("warmup_sweeps",
                     absl::StrCat("must be at least ", population,
                                  ", the sweeps of a chain's starting population, not ",
                                  request.warmup_sweeps()));
    }
  }
  if (request.has_draws()) check("draws", request.draws(), 1, kMaxDraws);
  return violations.ToStatus();
}

absl::Status CheckJob(const v1::Job& job) {
  if (job.spec().data().has_teacher()) {
    return WithReason(
        absl::FailedPreconditionError(absl::StrCat(
            job.name(),
            " has labels of a teacher, so it is itself such a test: with informed and "
            "other chains, its own verdict says whether the sampler thermalizes. Probe "
            "a job on real labels")),
        "JOB_HAS_TEACHER", {{"job", job.name()}});
  }
  const v1::Likelihood& likelihood = job.spec().network().likelihood();
  if (likelihood.has_softmax() && likelihood.softmax().temperature() != 1) {
    return WithReason(
        absl::FailedPreconditionError(absl::StrCat(
            job.name(), " has a softmax of temperature ", likelihood.softmax().temperature(),
            ". A tempered likelihood is no distribution of labels, so no teacher is a draw from "
            "its posterior, and no chain would be known to be at equilibrium. Probe the same job "
            "at temperature 1")),
        "NO_EXACT_TEACHER", {{"job", job.name()}});
  }
  return absl::OkStatus();
}

// Whole trace points, an even number of them, that the verdict of a companion needs.
int NeededTracePoints(const v1::ThermalizationSpec& thermalization) {
  const double half =
      std::ceil(kPointsPerEffectiveSample * thermalization.min_effective_sample_size() / 2);
  return static_cast<int>(std::min<double>(2 * half, kMaxTracePoints));
}

// Keeps of the monitored observables those that the companion has; none of them left asks for the
// default.
void KeepKnownObservables(const v1::DataSummary& data, v1::JobSpec& spec) {
  core::Spec core_spec = ToCoreSpec(spec, spec.data().dataset().input_columns_size());
  core_spec.thermalization.observables.clear();
  std::set<std::string> known;
  for (core::ObservableInfo& observable :
       core::ListObservables(core_spec, {.train_samples = data.train_samples(),
                                        .test_samples = data.test_samples(),
                                        .has_teacher = true})) {
    known.insert(std::move(observable.name));
  }
  auto& monitored = *spec.mutable_thermalization()->mutable_observables();
  monitored.erase(
      std::remove_if(monitored.begin(), monitored.end(),
                     [&known](const std::string& name) { return !known.contains(name); }),
      monitored.end());
}

v1::JobSpec MakeSpec(const v1::Job& job, const v1::ProbeJobRequest& request) {
  v1::JobSpec spec = job.spec();
  spec.mutable_data()->mutable_dataset()->clear_target_columns();
  spec.mutable_data()->mutable_teacher()->set_seed(request.teacher_seed());

  v1::ChainGroup others = OtherStart(spec);
  others.set_chains(OtherChains(request));
  spec.clear_chain_groups();
  v1::ChainGroup& informed = *spec.add_chain_groups();
  informed.mutable_informed();
  informed.set_chains(InformedChains(request));
  *spec.add_chain_groups() = std::move(others);

  v1::Schedule& schedule = *spec.mutable_schedule();
  if (request.has_warmup_sweeps()) schedule.set_warmup_sweeps(request.warmup_sweeps());
  if (request.has_draws()) schedule.set_draws(request.draws());
  schedule.set_keep_warmup(false);

  v1::Observation& observation = *spec.mutable_observation();
  observation.set_max_points(
      std::max(observation.max_points(), NeededTracePoints(spec.thermalization())));
  KeepKnownObservables(job.data_summary(), spec);
  return spec;
}

void SetLabels(const v1::Job& job, const std::string& id, v1::Job& companion) {
  auto& labels = *companion.mutable_labels();
  labels = job.labels();
  if (labels.size() >= kMaxLabels && !labels.contains(kCompanionLabel)) {
    const auto last =
        std::max_element(labels.begin(), labels.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
    labels.erase(last->first);
  }
  labels[kCompanionLabel] = id;
}

}  // namespace

absl::StatusOr<v1::Job> MakeCompanion(const v1::Job& job, const v1::ProbeJobRequest& request) {
  ASSIGN_OR_RETURN(const std::string id, ParseJobName(job.name(), "name"));
  RETURN_IF_ERROR(CheckRequest(job.spec(), request));
  RETURN_IF_ERROR(CheckJob(job));
  v1::Job companion;
  const std::string& name = job.display_name().empty() ? job.name() : job.display_name();
  companion.set_display_name(
      ToValidUtf8(absl::StrCat("companion of ", name), kMaxDisplayNameBytes));
  SetLabels(job, id, companion);
  *companion.mutable_spec() = MakeSpec(job, request);
  return companion;
}

absl::Status WithCompanionFields(const absl::Status& status) {
  const auto payload = status.GetPayload(kBadRequestTypeUrl);
  google::rpc::BadRequest found;
  if (!payload.has_value() || !found.ParseFromString(std::string(*payload))) return status;
  FieldViolations violations;
  for (const auto& violation : found.field_violations()) {
    // The request id is the caller's own.
    const bool own = !absl::StartsWith(violation.field(), "spec") &&
                     !absl::StartsWith(violation.field(), "labels") &&
                     violation.field() != "display_name";
    violations.Add(own ? violation.field() : absl::StrCat("companion.", violation.field()),
                   violation.description());
  }
  return violations.ToStatus();
}

}  // namespace posteriord::server
