#include "core/diagnostics/explanation.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace posteriord::core {
namespace {

constexpr std::size_t kMostNames = 3;  // named one by one; the others are counted

std::string Window(const VerdictFacts& facts) {
  return absl::StrFormat("sweeps %d to %d", FirstSweepOfWindow(facts.sweep), facts.sweep);
}

std::string Opening(const VerdictFacts& facts) {
  switch (facts.verdict.state) {
    case ThermalizationState::kTooEarly:
      return facts.thermalized_before ? "No longer certain: " : "Too early to tell: ";
    case ThermalizationState::kNotYet:
      return facts.thermalized_before ? "No longer thermalized: " : "Not yet thermalized: ";
    case ThermalizationState::kThermalized:
      return "Thermalized: ";
    case ThermalizationState::kNotThermalized:
      return "Not thermalized when sampling ended: ";
    case ThermalizationState::kNotApplicable:
      break;
  }
  assert(false);
  return "";
}

// "2 of 7 monitored observables", with the verb's ending.
std::string Count(std::size_t count, const VerdictFacts& facts, const char* one, const char* many) {
  return absl::StrFormat("%d of %d monitored observables %s", count, facts.monitored.size(),
                         count == 1 ? one : many);
}

std::string Disagreement(const VerdictFacts& facts) {
  struct Finding {
    double distance;
    std::string words;
  };
  std::vector<Finding> findings;
  for (const auto& [name, comparison] : facts.monitored) {
    if (!comparison || comparison->agreement != Agreement::kDisagreement) continue;
    // Informed chains that disagree make every other comparison void: tell that first.
    if (comparison->informed_distance > facts.tolerance) {
      findings.push_back({comparison->informed_distance,
                          absl::StrFormat("%s up to %.3g among the informed chains themselves",
                                          name, comparison->informed_distance)});
    } else {
      findings.push_back({comparison->worst_distance,
                          absl::StrFormat("%s up to %.3g (chain %d)", name,
                                          comparison->worst_distance, comparison->worst_chain)});
    }
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.distance > b.distance; });
  const std::size_t count = findings.size();
  if (count > kMostNames) {
    findings.resize(kMostNames);
    findings.push_back({0, absl::StrCat("and ", count - kMostNames, " more")});
  }
  return absl::StrFormat(
      "%s in %s, in informed standard deviations: %s; %g is tolerated.",
      Count(count, facts, "disagrees", "disagree"), Window(facts),
      absl::StrJoin(findings, ", ",
                    [](std::string* out, const Finding& finding) { *out += finding.words; }),
      facts.tolerance);
}

std::string Indecision(const VerdictFacts& facts) {
  std::vector<std::string> without_values;
  const ComparedObservable* shortest = nullptr;
  std::size_t undecided = 0;
  for (const ComparedObservable& observable : facts.monitored) {
    if (!observable.comparison) {
      without_values.push_back(observable.name);
    } else if (observable.comparison->agreement == Agreement::kUndecided) {
      ++undecided;
      if (shortest == nullptr || observable.comparison->least_effective_sample_size <
                                     shortest->comparison->least_effective_sample_size) {
        shortest = &observable;
      }
    }
  }
  if (static_cast<double>(facts.window_points) < facts.min_effective_sample_size) {
    return absl::StrFormat(
        "%s hold %d trace points per chain, and %g effective samples are needed.", Window(facts),
        facts.window_points, facts.min_effective_sample_size);
  }
  if (!without_values.empty()) {
    const std::size_t count = without_values.size();
    if (count > kMostNames) {
      without_values.resize(kMostNames);
      without_values.push_back(absl::StrCat("and ", count - kMostNames, " more"));
    }
    return absl::StrFormat("%s a value in all of %s: %s.",
                           Count(count, facts, "does not have", "do not have"), Window(facts),
                           absl::StrJoin(without_values, ", "));
  }
  return absl::StrFormat(
      "%s too few effective samples in %s, the fewest %s of chain %d with %.3g of the %g needed.",
      Count(undecided, facts, "has", "have"), Window(facts), shortest->name,
      shortest->comparison->least_effective_chain,
      shortest->comparison->least_effective_sample_size, facts.min_effective_sample_size);
}

std::string AgreementSince(const VerdictFacts& facts) {
  const std::int64_t since = *facts.verdict.agreeing_since;
  const std::string agreement = absl::StrFormat(
      "%s of every uninformed chain %s with the informed chains, within %g informed standard "
      "deviation%s and without a break since sweep %d",
      facts.monitored.size() == 1
          ? facts.monitored[0].name
          : absl::StrCat("all ", facts.monitored.size(), " monitored observables"),
      facts.monitored.size() == 1 ? "agrees" : "agree", facts.tolerance,
      facts.tolerance == 1 ? "" : "s", since);
  if (facts.verdict.state == ThermalizationState::kThermalized) return agreement + ".";
  return absl::StrFormat("%s, but not yet on two disjoint windows, which takes until sweep %d.",
                         agreement, ConfirmingSweep(since));
}

}  // namespace

std::string Explain(const VerdictFacts& facts) {
  assert(!facts.monitored.empty());
  if (facts.verdict.agreeing_since) return Opening(facts) + AgreementSince(facts);
  const bool disagreement = std::any_of(
      facts.monitored.begin(), facts.monitored.end(), [](const ComparedObservable& observable) {
        return observable.comparison &&
               observable.comparison->agreement == Agreement::kDisagreement;
      });
  return Opening(facts) + (disagreement ? Disagreement(facts) : Indecision(facts));
}

}  // namespace posteriord::core
