// How often the thermalization rule is right: autoregressive chains with known gaps between their
// means. Prints the tables of docs/thermalization.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "core/diagnostics/diagnostics.h"
#include "core/diagnostics/effective_sample_size.h"
#include "core/diagnostics/moments.h"
#include "core/diagnostics/segments.h"
#include "core/diagnostics/thermalization.h"
#include "core/sampling/schedule.h"

namespace posteriord::core {
namespace {

// A stationary chain of mean 0 and standard deviation 1; `time` is the number of points worth one
// independent draw.
std::vector<double> Autoregressive(std::size_t points, double time, std::mt19937_64& engine) {
  std::normal_distribution<double> normal;
  const double correlation = (time - 1) / (time + 1);
  const double innovation = std::sqrt(1 - correlation * correlation);
  std::vector<double> chain(points);
  double value = normal(engine);
  for (double& point : chain) {
    point = value;
    value = correlation * value + innovation * normal(engine);
  }
  return chain;
}

// Whether `count` of `trials` could have probability `bound` or less (more), but for Monte Carlo
// noise of three binomial standard deviations.
bool AtMost(int count, int trials, double bound) {
  return count <= trials * bound + 3 * std::sqrt(trials * bound * (1 - bound));
}
bool AtLeast(int count, int trials, double bound) {
  return count >= trials * bound - 3 * std::sqrt(trials * bound * (1 - bound));
}

// ----- One evaluation -----

constexpr double kTolerance = 1;
constexpr double kMinEffectiveSampleSize = 50;
constexpr int kTrials = 2000;
constexpr std::size_t kWindowPoints = 512;
constexpr std::array<double, 7> kEffectiveSampleSizes = {5, 10, 20, 50, 100, 200, 400};
constexpr std::array<double, 6> kGaps = {0, 0.5, 0.75, 1, 1.5, 2};

using Chains = absl::Span<const ChainWindow>;

Agreement OurRule(Chains informed, Chains uninformed) {
  return Compare(informed, uninformed, kTolerance, kMinEffectiveSampleSize).agreement;
}

// A failure to find a difference, which noise rewards.
Agreement DifferenceRule(Chains informed, Chains uninformed) {
  const PooledChains reference = Pool(informed);
  for (const ChainWindow& chain : uninformed) {
    const double standard_error =
        std::sqrt(chain.variance / *chain.effective_sample_size + reference.squared_standard_error);
    if (std::abs(chain.mean - reference.mean) > 3 * standard_error) {
      return Agreement::kDisagreement;
    }
  }
  return Agreement::kAgreement;
}

// An equivalence test behind whose pooled mean a stuck chain can hide.
Agreement PooledRule(Chains informed, Chains uninformed) {
  const PooledChains pooled = Pool(uninformed);
  const ChainWindow as_one = {.mean = pooled.mean,
                              .variance = pooled.variance,
                              .effective_sample_size = pooled.effective_sample_size};
  return Compare(informed, {as_one}, kTolerance, kMinEffectiveSampleSize).agreement;
}

enum RuleIndex { kOurs, kDifference, kPooled, kRules };
constexpr std::array<Agreement (*)(Chains, Chains), kRules> kRule = {OurRule, DifferenceRule,
                                                                     PooledRule};

struct Outcomes {
  int agreement = 0;
  int disagreement = 0;
};
using Table = std::array<std::array<Outcomes, kGaps.size()>, kEffectiveSampleSizes.size()>;

// The rules on the same chains: two informed and two uninformed ones, of which the last sits at the
// gap and the other three at 0.
std::array<Table, kRules> Measure() {
  std::array<Table, kRules> tables;
  std::mt19937_64 engine(1);
  SegmentAnalyser analyser;
  for (std::size_t row = 0; row < kEffectiveSampleSizes.size(); ++row) {
    const double time = static_cast<double>(kWindowPoints) / kEffectiveSampleSizes[row];
    for (int trial = 0; trial < kTrials; ++trial) {
      std::array<ChainWindow, 4> chains;
      for (ChainWindow& chain : chains) {
        const std::vector<double> points = Autoregressive(kWindowPoints, time, engine);
        chain = {.mean = Mean(points),
                 .variance = Variance(points),
                 .effective_sample_size = EffectiveSampleSize(analyser.Whole(points))};
      }
      const double mean = chains[3].mean;
      for (std::size_t column = 0; column < kGaps.size(); ++column) {
        chains[3].mean = mean + kGaps[column];
        for (int rule = 0; rule < kRules; ++rule) {
          const Agreement agreement =
              kRule[rule](absl::MakeSpan(chains).first(2), absl::MakeSpan(chains).last(2));
          tables[rule][row][column].agreement += agreement == Agreement::kAgreement;
          tables[rule][row][column].disagreement += agreement == Agreement::kDisagreement;
        }
      }
    }
  }
  return tables;
}

void Print(const char* title, const Table& table) {
  std::printf("%s: agreement / disagreement in %% of %d trials\n\n| ESS per chain |", title,
              kTrials);
  for (const double gap : kGaps) std::printf(" gap %g |", gap);
  std::printf("\n|---|");
  for (std::size_t column = 0; column < kGaps.size(); ++column) std::printf("---|");
  for (std::size_t row = 0; row < table.size(); ++row) {
    std::printf("\n| %g |", kEffectiveSampleSizes[row]);
    for (const Outcomes& outcomes : table[row]) {
      std::printf(" %.2f / %.2f |", 100.0 * outcomes.agreement / kTrials,
                  100.0 * outcomes.disagreement / kTrials);
    }
  }
  std::printf("\n\n");
}

// What the rule promises. The bound of 3% at a gap of one tolerance is the 2.3% that a normal
// variable falls 2 standard deviations short, and some for standard errors that are estimates.
std::vector<std::string> BrokenPromises(const Table& table) {
  std::vector<std::string> broken;
  const auto promise = [&](bool kept, const char* what, std::size_t row, std::size_t column) {
    if (kept) return;
    broken.push_back(
        absl::StrCat(what, " at ESS ", kEffectiveSampleSizes[row], ", gap ", kGaps[column]));
  };
  for (std::size_t row = 0; row < table.size(); ++row) {
    for (std::size_t column = 0; column < kGaps.size(); ++column) {
      const auto [agreement, disagreement] = table[row][column];
      const double samples = kEffectiveSampleSizes[row];
      const double gap = kGaps[column];
      if (gap >= 1) promise(AtMost(agreement, kTrials, 0.03), "false agreement", row, column);
      if (gap >= 1.5) promise(AtMost(agreement, kTrials, 0.001), "false agreement", row, column);
      if (gap == 0) promise(AtMost(disagreement, kTrials, 0.003), "false alarm", row, column);
      if (gap == 0 && samples >= 100) {
        promise(AtLeast(agreement, kTrials, 0.9), "power", row, column);
      }
      if (gap <= 0.5 && samples >= 200) {
        promise(AtLeast(agreement, kTrials, 0.99), "power", row, column);
      }
      if (gap >= 1.5 && samples >= 200) {
        promise(AtLeast(disagreement, kTrials, 0.99), "recognised disagreement", row, column);
      }
    }
  }
  return broken;
}

TEST(ThermalizationRatesTest, TheRuleKeepsItsPromisesAndSimplerOnesDoNot) {
  const std::array<Table, kRules> tables = Measure();
  Print("The rule", tables[kOurs]);
  EXPECT_EQ(BrokenPromises(tables[kOurs]), std::vector<std::string>{});

  Print("|difference| <= 3 SE", tables[kDifference]);
  EXPECT_FALSE(AtMost(tables[kDifference][0][3].agreement, kTrials, 0.5));  // ESS 5, gap 1
  EXPECT_NE(BrokenPromises(tables[kDifference]), std::vector<std::string>{});

  Print("The rule on pooled uninformed chains", tables[kPooled]);
  EXPECT_FALSE(AtMost(tables[kPooled][6][4].agreement, kTrials, 0.5));  // ESS 400, gap 1.5
  EXPECT_NE(BrokenPromises(tables[kPooled]), std::vector<std::string>{});
}

// ----- A whole job: repeated evaluations -----

constexpr std::int64_t kSweeps = 20'000;
constexpr double kTime = 10;  // sweeps worth one independent draw
constexpr int kJobs = 100;

struct JobOutcome {
  bool ever = false;           // some evaluation said thermalized
  bool finally = false;        // the last one did
  std::int64_t since = 0;      // what the first one that did gave as the beginning
  std::int64_t announced = 0;  // when it did
};

// Displacement of each of the two uninformed chains from equilibrium.
using Displacement = double (*)(int uninformed_chain, std::int64_t sweep);

JobOutcome RunJob(Displacement displacement, std::mt19937_64& engine) {
  const ObservationSpec observation = {.initial_stride = 1, .max_points = 1024};
  const ThermalizationSpec thermalization;
  std::array<std::vector<double>, 4> chains;
  for (std::vector<double>& chain : chains) chain = Autoregressive(kSweeps + 1, kTime, engine);
  for (int chain = 0; chain < 2; ++chain) {
    for (std::int64_t sweep = 0; sweep <= kSweeps; ++sweep) {
      chains[2 + chain][sweep] += displacement(chain, sweep);
    }
  }

  JobOutcome outcome;
  std::optional<Diagnostics> previous;
  for (std::int64_t sweep = 0;; sweep = NextLogarithmicPoint(sweep, kSweeps)) {
    const std::int64_t stride = EvenStride(observation, sweep);
    std::vector<ChainTrace> traces(4);
    for (std::size_t chain = 0; chain < 4; ++chain) {
      traces[chain] = {.informed = chain < 2, .observables = {{}}};
      for (std::int64_t point = 0; point <= sweep; point += stride) {
        traces[chain].observables[0].push_back(chains[chain][point]);
      }
    }
    Diagnostics now = EvaluateDiagnostics({.thermalization = &thermalization,
                                           .names = {"norm"},
                                           .monitored = {true},
                                           .traces = &traces,
                                           .stride = stride,
                                           .sweep = sweep,
                                           .final = sweep == kSweeps,
                                           .previous = previous ? &*previous : nullptr});
    outcome.finally = now.state == ThermalizationState::kThermalized;
    if (outcome.finally && !outcome.ever) {
      outcome.ever = true;
      outcome.since = *now.agreeing_since;
      outcome.announced = sweep;
    }
    if (sweep == kSweeps) return outcome;
    previous = std::move(now);
  }
}

struct JobOutcomes {
  int ever = 0;
  int finally = 0;
  std::vector<std::int64_t> since;      // of those that ever thermalized, ascending
  std::vector<std::int64_t> announced;  // likewise
};

JobOutcomes RunJobs(const char* title, Displacement displacement) {
  std::mt19937_64 engine(2);
  JobOutcomes outcomes;
  for (int job = 0; job < kJobs; ++job) {
    const JobOutcome outcome = RunJob(displacement, engine);
    outcomes.ever += outcome.ever;
    outcomes.finally += outcome.finally;
    if (outcome.ever) {
      outcomes.since.push_back(outcome.since);
      outcomes.announced.push_back(outcome.announced);
    }
  }
  std::sort(outcomes.since.begin(), outcomes.since.end());
  std::sort(outcomes.announced.begin(), outcomes.announced.end());
  std::printf("| %s | %.1f | %.1f |", title, 100.0 * outcomes.ever / kJobs,
              100.0 * outcomes.finally / kJobs);
  if (outcomes.ever > 0) {
    std::printf(" %ld | %ld |\n", static_cast<long>(outcomes.since[outcomes.since.size() / 2]),
                static_cast<long>(outcomes.announced[outcomes.announced.size() / 2]));
  } else {
    std::printf(" | |\n");
  }
  return outcomes;
}

TEST(ThermalizationOfJobsTest, ChainsAtEquilibriumThermalize) {
  const JobOutcomes outcomes = RunJobs("at equilibrium", [](int, std::int64_t) { return 0.0; });
  EXPECT_TRUE(AtLeast(outcomes.finally, kJobs, 0.98));
}

TEST(ThermalizationOfJobsTest, OneChainThatStaysAtAGapOfTheToleranceSeldomPasses) {
  const JobOutcomes outcomes = RunJobs(
      "one chain stays at 1", [](int chain, std::int64_t) { return chain == 1 ? 1.0 : 0.0; });
  EXPECT_TRUE(AtMost(outcomes.ever, kJobs, 0.03));
}

// Relaxation from 30 standard deviations away, by a factor e in 400 sweeps.
double Relaxation(std::int64_t sweep) { return 30 * std::exp(-static_cast<double>(sweep) / 400); }

TEST(ThermalizationOfJobsTest, RelaxingChainsThermalizeWhenTheyHaveRelaxed) {
  const JobOutcomes outcomes =
      RunJobs("from 30 away", [](int, std::int64_t sweep) { return Relaxation(sweep); });
  EXPECT_TRUE(AtLeast(outcomes.finally, kJobs, 0.98));
  // Sweep from which on the mean displacement of a window is tolerated.
  std::int64_t relaxed = 1;
  const auto mean_displacement = [](std::int64_t first) {
    double sum = 0;
    for (std::int64_t sweep = first; sweep < 2 * first; ++sweep) sum += Relaxation(sweep);
    return sum / static_cast<double>(first);
  };
  while (mean_displacement(relaxed) > 1) ++relaxed;
  std::printf("tolerated from sweep %ld\n", static_cast<long>(relaxed));
  const auto early = std::lower_bound(outcomes.since.begin(), outcomes.since.end(), relaxed) -
                     outcomes.since.begin();
  EXPECT_TRUE(AtMost(static_cast<int>(early), kJobs, 0.03));
  EXPECT_LT(outcomes.since[outcomes.since.size() / 2], 2 * relaxed);
}

TEST(ThermalizationOfJobsTest, OneOfTwoThatStopsHalfWayNeverPasses) {
  const JobOutcomes outcomes =
      RunJobs("from 30 away, one halts at 2", [](int chain, std::int64_t sweep) {
        return chain == 0 ? Relaxation(sweep) : std::max(2.0, Relaxation(sweep));
      });
  EXPECT_EQ(outcomes.ever, 0);
}

}  // namespace
}  // namespace posteriord::core
