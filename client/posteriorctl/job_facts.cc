#include "client/posteriorctl/job_facts.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/posteriorctl/text.h"

namespace posteriord::client {
namespace {

// The observable that holds the test error of the current draw.
constexpr char kTestError[] = "test_error";

// "THERMALIZATION_STATE_NOT_YET" -> "not yet".
std::string Words(const std::string& enum_name, std::size_t prefix_length) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(enum_name.substr(prefix_length)), {{"_", " "}});
}

}  // namespace

std::string StateName(v1::Job::State state) {
  return Words(v1::Job::State_Name(state), sizeof("STATE_") - 1);
}

bool IsFinal(v1::Job::State state) {
  return state == v1::Job::STATE_SUCCEEDED || state == v1::Job::STATE_FAILED ||
         state == v1::Job::STATE_CANCELLED;
}

std::string VerdictName(v1::ThermalizationState state) {
  if (state == v1::THERMALIZATION_STATE_UNSPECIFIED) return "-";
  return Words(v1::ThermalizationState_Name(state), sizeof("THERMALIZATION_STATE_") - 1);
}

std::string VerdictText(const v1::Diagnostics& diagnostics) {
  if (diagnostics.state() == v1::THERMALIZATION_STATE_UNSPECIFIED) return "not evaluated yet";
  if (diagnostics.state() != v1::THERMALIZATION_STATE_THERMALIZED) {
    return VerdictName(diagnostics.state());
  }
  return absl::StrCat("thermalized since sweep ", Grouped(diagnostics.thermalized_since_sweep()));
}

std::string StartName(const v1::Job& job, const v1::ChainProgress& chain) {
  if (chain.group() < 0 || chain.group() >= job.spec().chain_groups_size()) return "-";
  switch (job.spec().chain_groups(chain.group()).start_case()) {
    case v1::ChainGroup::kPrior:
      return "prior";
    case v1::ChainGroup::kInformed:
      return "informed";
    case v1::ChainGroup::kParameters:
      return "given";
    case v1::ChainGroup::kPopulation:
      return "population";
    case v1::ChainGroup::kZero:
    case v1::ChainGroup::START_NOT_SET:
      return "zero";
  }
  return "-";
}

std::int64_t Size(const v1::ParameterArray& array) {
  std::int64_t size = 1;
  for (const std::int64_t axis : array.shape()) size *= axis;
  return size;
}

std::int64_t ParameterCount(const v1::Job& job) {
  std::int64_t count = 0;
  for (const v1::ParameterArray& array : job.parameters()) count += Size(array);
  return count;
}

v1::Precision StoragePrecision(const v1::Job& job) {
  for (const v1::Precision precision : {job.spec().schedule().storage(), job.spec().precision()}) {
    if (precision != v1::PRECISION_UNSPECIFIED) return precision;
  }
  return v1::PRECISION_FLOAT64;
}

int ByteSize(v1::Precision precision) { return precision == v1::PRECISION_FLOAT32 ? 4 : 8; }

bool IsClassifier(const v1::Job& job) {
  return job.spec().network().has_likelihood() && !job.spec().network().likelihood().has_gaussian();
}

std::int64_t SweepsMade(const v1::Job& job) {
  std::int64_t sweeps = 0;
  for (const v1::ChainProgress& chain : job.chains()) sweeps += chain.sweeps();
  return sweeps;
}

std::int64_t SweepsToMake(const v1::Job& job) {
  std::int64_t sweeps = 0;
  for (const v1::ChainProgress& chain : job.chains()) sweeps += chain.total_sweeps();
  return sweeps;
}

std::int64_t DrawsStored(const v1::Job& job) {
  std::int64_t draws = 0;
  for (const v1::ChainProgress& chain : job.chains()) draws += chain.draws();
  return draws;
}

std::string PredictiveText(const v1::Job& job) {
  const v1::Diagnostics& diagnostics = job.diagnostics();
  const bool classifier = IsClassifier(job);
  const auto quantity = [classifier](double error) {
    return classifier ? Percent(1 - error) : Rounded(error);
  };
  std::string text;
  const auto add = [&](const std::string& what, double error) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", what, " ", quantity(error));
  };
  if (diagnostics.has_pooled_predictive_test_error()) {
    add("posterior predictive", diagnostics.pooled_predictive_test_error());
  }
  if (diagnostics.has_informed_predictive_test_error()) {
    add(text.empty() ? "posterior predictive of the informed chains" : "of the informed chains",
        diagnostics.informed_predictive_test_error());
  }
  if (text.empty()) return text;
  for (const v1::ObservableDiagnostics& observable : diagnostics.observables()) {
    if (observable.name() != kTestError) continue;
    add("a single draw", observable.has_uninformed_mean() ? observable.uninformed_mean()
                                                          : observable.informed_mean());
  }
  return absl::StrCat(classifier ? "test accuracy: " : "test mean squared error: ", text);
}

}  // namespace posteriord::client
