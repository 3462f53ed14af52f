#include "client/posteriorctl/probe_answer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/posteriorctl/job_facts.h"
#include "client/posteriorctl/text.h"
#include "posteriord/error.h"

namespace posteriord::client {
namespace {

std::vector<const v1::ObservableDiagnostics*> Monitored(const v1::Job& job) {
  std::vector<const v1::ObservableDiagnostics*> monitored;
  const auto& observables = job.diagnostics().observables();
  for (int i = 0; i < std::min(observables.size(), job.observables_size()); ++i) {
    if (job.observables(i).monitored()) monitored.push_back(&observables[i]);
  }
  return monitored;
}

// Whether chains differ in an observable: they do not agree although there are samples enough to
// tell, or are so far apart that it takes no more of them.
bool IsApart(const v1::ObservableDiagnostics& observable, const v1::ThermalizationSpec& spec) {
  if (observable.thermalized_since_sweep() > 0) return false;
  return observable.min_chain_effective_sample_size() >= spec.min_effective_sample_size() ||
         (observable.has_uninformed_mean() &&
          std::abs(observable.uninformed_mean() - observable.informed_mean()) >
              spec.tolerance() * observable.informed_standard_deviation());
}

std::vector<const v1::ObservableDiagnostics*> Apart(const v1::Job& companion) {
  std::vector<const v1::ObservableDiagnostics*> apart;
  for (const v1::ObservableDiagnostics* observable : Monitored(companion)) {
    if (IsApart(*observable, companion.spec().thermalization())) apart.push_back(observable);
  }
  return apart;
}

// The observable in which the chains are furthest apart; null for none.
const v1::ObservableDiagnostics* Worst(
    const std::vector<const v1::ObservableDiagnostics*>& observables) {
  const auto worst = std::max_element(
      observables.begin(), observables.end(),
      [](const auto* a, const auto* b) { return a->worst_distance() < b->worst_distance(); });
  return worst == observables.end() ? nullptr : *worst;
}

// The one with the fewest effective samples in a chain; null for none.
const v1::ObservableDiagnostics* Slowest(
    const std::vector<const v1::ObservableDiagnostics*>& observables) {
  const auto slowest =
      std::min_element(observables.begin(), observables.end(), [](const auto* a, const auto* b) {
        return a->min_chain_effective_sample_size() < b->min_chain_effective_sample_size();
      });
  return slowest == observables.end() ? nullptr : *slowest;
}

// Two significant digits, rounded up.
std::int64_t RoundedUp(double sweeps) {
  const double unit = std::pow(10, std::floor(std::log10(std::max(sweeps, 1.0))) - 1);
  return static_cast<std::int64_t>(unit < 1 ? std::ceil(sweeps) : std::ceil(sweeps / unit) * unit);
}

std::string Deviations(double count) {
  return absl::StrCat(Rounded(count), " informed standard deviation", count == 1 ? "" : "s");
}

std::string ProbeAgain(const v1::Job& job, const std::string& command, std::int64_t sweeps) {
  return absl::StrCat(command, " job probe ", job.name(), " --sweeps ", sweeps);
}

std::string WarmupText(const v1::Job& job, std::int64_t since) {
  const v1::Schedule& schedule = job.spec().schedule();
  const std::int64_t warmup = schedule.warmup_sweeps();
  if (warmup >= since) {
    return absl::StrCat("  ", job.name(), " has warmup_sweeps: ", warmup, ", which is enough.\n");
  }
  const std::int64_t after = schedule.draws() * std::max<std::int64_t>(1, schedule.thinning());
  return absl::StrCat(
      "  Give ", job.name(), " at least warmup_sweeps: ", since, " (it has ",
      warmup == 0 ? "none" : Grouped(warmup), ": ",
      warmup + after <= since
          ? absl::StrCat("of its ", Grouped(warmup + after), " sweeps none is to be trusted")
          : absl::StrCat("its first ", Grouped(since - warmup),
                         warmup == 0 ? " sweeps" : " sweeps after warm-up",
                         " are not to be trusted"),
      ").\n");
}

std::string ThermalizedText(const v1::Job& job, const v1::Job& companion) {
  const std::int64_t since = companion.diagnostics().thermalized_since_sweep();
  const std::vector<const v1::ObservableDiagnostics*> monitored = Monitored(companion);
  std::string text = absl::StrCat("The sampler thermalizes: from sweep ", Grouped(since),
                                  " on the companion's chains agree with the informed ones.\n",
                                  WarmupText(job, since));
  if (const v1::ObservableDiagnostics* worst = Worst(monitored); worst != nullptr) {
    absl::StrAppend(&text, "  ", worst->name(), " agrees least of the ", monitored.size(),
                    " monitored observables: to ", Rounded(worst->worst_distance()), " of the ",
                    Deviations(companion.spec().thermalization().tolerance()), " tolerated.\n");
  }
  return text;
}

// They agree, but the last window with which they were compared overlaps the first.
std::string TooRecentText(const v1::Job& job, const v1::Job& companion,
                          const std::string& command) {
  const v1::Diagnostics& diagnostics = companion.diagnostics();
  const std::int64_t since = diagnostics.thermalized_since_sweep();
  return absl::StrCat(
      "Too early to be sure: the companion's chains agree with the informed ones from sweep ",
      Grouped(since), " on, but that has to hold until sweep ", Grouped(4 * since),
      ", and the companion made ", Grouped(diagnostics.sweep()),
      ".\n  Probe again with more: ", ProbeAgain(job, command, 4 * since), "\n");
}

std::string TooEarlyText(const v1::Job& job, const v1::Job& companion, const std::string& command) {
  const v1::Diagnostics& diagnostics = companion.diagnostics();
  const auto sweeps = static_cast<double>(diagnostics.sweep());
  const double needed = companion.spec().thermalization().min_effective_sample_size();
  std::string text = absl::StrCat("Too early to tell after ", Grouped(diagnostics.sweep()),
                                  " sweeps: the chains move too slowly for so few.\n");
  // Twice as many effective samples as needed, so that every chain has enough.
  double factor = 4;
  const v1::ObservableDiagnostics* slowest = Slowest(Monitored(companion));
  if (slowest != nullptr && slowest->min_chain_effective_sample_size() < needed) {
    const double found = slowest->min_chain_effective_sample_size();
    absl::StrAppend(&text, "  ", slowest->name(), " moves slowest: in sweeps ",
                    Grouped(diagnostics.sweep() / 2 + 1), " to ", Grouped(diagnostics.sweep()),
                    " a chain has ", Rounded(found), " effective samples of the ", Rounded(needed),
                    " needed.\n");
    factor = std::clamp(2 * needed / std::max(found, 1.0), 2.0, 100.0);
  }
  absl::StrAppend(&text, "  Probe again with more sweeps: ",
                  ProbeAgain(job, command, RoundedUp(std::max(1.0, sweeps) * factor)), "\n");
  return text;
}

// What makes chains thermalize that have not.
std::string Remedies(const v1::Job& companion) {
  const v1::JobSpec& spec = companion.spec();
  std::vector<std::string> remedies;
  if (spec.network().posterior() != v1::Network::POSTERIOR_CLASSICAL) {
    remedies.push_back("more noise in the hidden layers");
  }
  const bool population =
      std::any_of(spec.chain_groups().begin(), spec.chain_groups().end(),
                  [](const v1::ChainGroup& group) { return group.has_population(); });
  if (spec.sampler().has_gibbs() && !population) {
    remedies.push_back("a population start (chain_groups { population {} })");
  }
  remedies.push_back(spec.sampler().has_gibbs() ? "a smaller network"
                                                : "a longer warm-up, which adapts the sampler");
  return absl::StrJoin(remedies, ", ");
}

std::string NotThermalizedText(const v1::Job& job, const v1::Job& companion,
                               const std::string& command) {
  const v1::Diagnostics& diagnostics = companion.diagnostics();
  const double tolerance = companion.spec().thermalization().tolerance();
  const std::vector<const v1::ObservableDiagnostics*> apart = Apart(companion);
  std::string text =
      absl::StrCat("The sampler did not thermalize within ", Grouped(diagnostics.sweep()),
                   " sweeps: do not trust the draws of ", job.name(), ".\n");
  const v1::ObservableDiagnostics* worst = Worst(apart);
  if (worst != nullptr && worst->worst_distance() > tolerance) {
    absl::StrAppend(&text, "  ", apart.size(), " of ", Monitored(companion).size(),
                    " monitored observables ", apart.size() == 1 ? "is" : "are",
                    " apart, most of all ", worst->name(), ": informed chains at ",
                    Rounded(worst->informed_mean()), " with a standard deviation of ",
                    Rounded(worst->informed_standard_deviation()), ", the others at ",
                    Rounded(worst->uninformed_mean()), "; a chain is up to ",
                    Deviations(worst->worst_distance()), " away, ", Rounded(tolerance),
                    tolerance == 1 ? " is" : " are", " tolerated.\n");
  } else if (!diagnostics.explanation().empty()) {
    absl::StrAppend(&text, "  ", Printable(diagnostics.explanation()), "\n");
  }
  absl::StrAppend(&text, "  Try ", Remedies(companion), ", or more sweeps: ",
                  ProbeAgain(job, command, 4 * std::max<std::int64_t>(1, diagnostics.sweep())),
                  "\n");
  return text;
}

}  // namespace

ProbeOutcome OutcomeOfProbe(const v1::Job& companion) {
  const v1::Diagnostics& diagnostics = companion.diagnostics();
  switch (diagnostics.state()) {
    case v1::THERMALIZATION_STATE_THERMALIZED:
      return ProbeOutcome::kThermalized;
    case v1::THERMALIZATION_STATE_NOT_YET:
    case v1::THERMALIZATION_STATE_NOT_THERMALIZED:
      if (diagnostics.thermalized_since_sweep() > 0) return ProbeOutcome::kTooEarly;
      return Apart(companion).empty() ? ProbeOutcome::kTooEarly : ProbeOutcome::kNotThermalized;
    default:
      return ProbeOutcome::kTooEarly;
  }
}

std::string ProbeAnswer(const v1::Job& job, const v1::Job& companion, const std::string& command) {
  std::string text;
  if (companion.state() == v1::Job::STATE_FAILED) {
    text = absl::StrCat(
        "The companion failed, so there is no answer.\n  ",
        absl::StrReplaceAll(DescribeError(ToAbslStatus(companion.error())), {{"\n", "\n  "}}),
        "\n");
  } else {
    if (companion.state() == v1::Job::STATE_CANCELLED) {
      text = absl::StrCat("The companion was cancelled; this is what it had found.\n");
    }
    switch (OutcomeOfProbe(companion)) {
      case ProbeOutcome::kThermalized:
        text += ThermalizedText(job, companion);
        break;
      case ProbeOutcome::kTooEarly:
        text += companion.diagnostics().thermalized_since_sweep() > 0
                    ? TooRecentText(job, companion, command)
                    : TooEarlyText(job, companion, command);
        break;
      case ProbeOutcome::kNotThermalized:
        text += NotThermalizedText(job, companion, command);
        break;
    }
  }
  absl::StrAppend(&text, "  All observables: ", command, " job get ", companion.name(), "\n");
  return text;
}

}  // namespace posteriord::client
