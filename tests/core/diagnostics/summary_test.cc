// Summaries of chains against ArviZ and the R package posterior, and where those have no answer.
#include "core/diagnostics/summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace posteriord::core {
namespace {

using Chains = std::vector<std::vector<double>>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

ChainSummary SummaryOf(const Chains& chains) {
  const std::vector<absl::Span<const double>> spans(chains.begin(), chains.end());
  return Summarize(spans);
}

Chains Apply(Chains chains, const std::function<double(double)>& function) {
  for (std::vector<double>& chain : chains) {
    std::transform(chain.begin(), chain.end(), chain.begin(), function);
  }
  return chains;
}

Chains Autoregressive(int chain_count, int points, double correlation, int seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  Chains chains(chain_count, std::vector<double>(points));
  for (std::vector<double>& chain : chains) {
    double value = normal(engine);
    for (double& point : chain) {
      value = correlation * value + std::sqrt(1 - correlation * correlation) * normal(engine);
      point = value;
    }
  }
  return chains;
}

struct Statistic {
  std::string name;
  std::optional<double> value;
  // Comes from an effective sample size.
  bool effective = false;
};

// In the order of the golden files.
std::vector<Statistic> Statistics(const ChainSummary& summary) {
  const auto& quantiles = summary.quantiles;
  return {{"mean", summary.mean},
          {"sd", summary.standard_deviation},
          {"q5", quantiles[0].value},
          {"q50", quantiles[1].value},
          {"q95", quantiles[2].value},
          {"mcse_mean", summary.mean_standard_error, true},
          {"mcse_sd", summary.standard_deviation_standard_error, true},
          {"mcse_q5", quantiles[0].standard_error, true},
          {"mcse_q50", quantiles[1].standard_error, true},
          {"mcse_q95", quantiles[2].standard_error, true},
          {"rhat", summary.rhat},
          {"ess_bulk", summary.bulk_effective_sample_size, true},
          {"ess_tail", summary.tail_effective_sample_size, true},
          {"ess_mean", summary.mean_effective_sample_size, true},
          {"autocorrelation_time", summary.integrated_autocorrelation_time, true}};
}

void ExpectEqual(const Statistic& statistic, double expected) {
  ASSERT_TRUE(statistic.value) << statistic.name;
  EXPECT_NEAR(*statistic.value, expected, 1e-9 * std::abs(expected)) << statistic.name;
}

struct GoldenCase {
  std::string name;
  Chains chains;
  std::vector<double> statistics;
};

// tests/core/diagnostics/golden/generate_summaries.py says what the file holds.
std::vector<GoldenCase> GoldenCases() {
  std::ifstream file(POSTERIORD_GOLDEN_SUMMARIES);
  std::vector<GoldenCase> cases;
  GoldenCase golden;
  std::size_t chain_count = 0;
  std::size_t points = 0;
  while (file >> golden.name >> chain_count >> points) {
    golden.statistics.clear();
    std::string word;
    for (int i = 0; i < 16 && file >> word; ++i) golden.statistics.push_back(std::stod(word));
    golden.chains.assign(chain_count, std::vector<double>(points));
    for (std::vector<double>& chain : golden.chains) {
      for (double& point : chain) file >> point;
    }
    EXPECT_TRUE(file);
    cases.push_back(golden);
  }
  EXPECT_EQ(cases.size(), 21);
  return cases;
}

TEST(SummaryTest, GoldenChainsMatchArviz) {
  for (const GoldenCase& golden : GoldenCases()) {
    SCOPED_TRACE(golden.name);
    const ChainSummary summary = SummaryOf(golden.chains);
    EXPECT_EQ(summary.note, "");
    const std::vector<Statistic> statistics = Statistics(summary);
    for (std::size_t i = 0; i < statistics.size(); ++i) {
      // No point is above the 95 % quantile: ArviZ has an indicator that is always 1.
      if (golden.name == "mostly_the_largest" && statistics[i].name == "ess_tail") {
        ExpectEqual(statistics[i], *summary.bulk_effective_sample_size);
        continue;
      }
      ExpectEqual(statistics[i], golden.statistics[i]);
    }
  }
}

TEST(SummaryTest, GoldenChainsMatchPosterior) {
  // The autocorrelation of half chains that disagree or are short may stay positive until there are
  // no more lags; posterior then ends the sum one pair of lags before ArviZ and we do.
  const std::set<std::string> out_of_lags = {"slow",          "binary",      "strongly_antithetic",
                                             "shifted_chain", "stuck_chain", "shortest"};
  std::vector<GoldenCase> cases = GoldenCases();
  std::ifstream file(POSTERIORD_GOLDEN_POSTERIOR_SUMMARIES);
  std::string name;
  for (const GoldenCase& golden : cases) {
    SCOPED_TRACE(golden.name);
    ASSERT_TRUE(file >> name);
    ASSERT_EQ(name, golden.name);
    std::vector<Statistic> statistics = Statistics(SummaryOf(golden.chains));
    statistics.pop_back();  // the autocorrelation time
    for (const Statistic& statistic : statistics) {
      std::string word;
      ASSERT_TRUE(file >> word);
      if (word == "nan") {
        // The indicator of a quantile is constant.
        EXPECT_TRUE(name == "binary" || name == "mostly_the_largest") << statistic.name;
      } else if (!statistic.effective || out_of_lags.count(name) == 0) {
        ExpectEqual(statistic, std::stod(word));
      }
    }
  }
}

TEST(SummaryTest, ConstantChainsHaveValuesButNoErrors) {
  for (const double value : {0.0, 0.1, -1e300, 5e-324}) {
    const ChainSummary summary = SummaryOf(Chains(3, std::vector<double>(40, value)));
    EXPECT_TRUE(summary.constant);
    EXPECT_EQ(summary.note, "All points are equal, so that nothing tells how well they are known.");
    for (const Statistic& statistic : Statistics(summary)) {
      if (statistic.name == "sd") {
        EXPECT_EQ(statistic.value, 0);
      } else if (statistic.name == "mean" || statistic.name.starts_with("q")) {
        EXPECT_EQ(statistic.value, value);
      } else {
        EXPECT_EQ(statistic.value, std::nullopt) << statistic.name;
      }
    }
  }
}

TEST(SummaryTest, DifferentConstantChainsHaveInfiniteRhatAndFewEffectiveSamples) {
  const ChainSummary summary =
      SummaryOf({std::vector<double>(40, 1.0), std::vector<double>(40, 2.0)});
  EXPECT_FALSE(summary.constant);
  EXPECT_EQ(summary.rhat, kInfinity);
  EXPECT_LT(summary.bulk_effective_sample_size, 4);
  EXPECT_LT(summary.tail_effective_sample_size, 4);
  EXPECT_GT(summary.integrated_autocorrelation_time, 20);
}

TEST(SummaryTest, NonFinitePointsAreCountedAndNothingIsEstimated) {
  for (const double bad : {kNaN, kInfinity, -kInfinity}) {
    Chains chains = Autoregressive(2, 50, 0.3, 1);
    chains[0][7] = bad;
    chains[1][0] = bad;
    const ChainSummary summary = SummaryOf(chains);
    EXPECT_EQ(summary.non_finite_points, 2);
    EXPECT_FALSE(summary.constant);
    EXPECT_EQ(summary.note,
              "Points that are not finite numbers: 2 of 100; nothing can be estimated.");
    for (const Statistic& statistic : Statistics(summary)) {
      EXPECT_EQ(statistic.value, std::nullopt) << statistic.name;
    }
  }
}

TEST(SummaryTest, NoPointsAtAll) {
  EXPECT_EQ(SummaryOf({}).note, "There are no points.");
  const ChainSummary summary = SummaryOf({{}, {}});
  EXPECT_EQ(summary.chains, 0);
  EXPECT_EQ(summary.empty_chains, 2);
  EXPECT_EQ(summary.note, "There are no points.");
  for (const Statistic& statistic : Statistics(summary)) {
    EXPECT_EQ(statistic.value, std::nullopt) << statistic.name;
  }
}

TEST(SummaryTest, LongerChainsAreCutToTheLatestPointsOfTheShortest) {
  const Chains latest = Autoregressive(3, 60, 0.4, 2);
  Chains chains = latest;
  chains[0].insert(chains[0].begin(), {kNaN, 1e6, -1e6});
  chains[2].insert(chains[2].begin(), 40, 7.0);
  chains.insert(chains.begin() + 1, std::vector<double>());
  const ChainSummary summary = SummaryOf(chains);
  EXPECT_EQ(summary.chains, 3);
  EXPECT_EQ(summary.empty_chains, 1);
  EXPECT_EQ(summary.points_per_chain, 60);
  EXPECT_EQ(summary.unused_points, 43);
  EXPECT_EQ(summary.non_finite_points, 0);
  EXPECT_EQ(summary.note,
            "Chains without points, left out: 1 of 4. Of each chain the latest 60 points are used, "
            "as many as the shortest has; early points left out: 43.");
  const std::vector<Statistic> expected = Statistics(SummaryOf(latest));
  const std::vector<Statistic> found = Statistics(summary);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].value, expected[i].value) << found[i].name;
  }
}

TEST(SummaryTest, WhatNeedsMorePointsIsUnset) {
  const std::vector<double> points = {1, 3, 2, 5, 4, 4, 2, 3, 1, 2};
  for (std::size_t n = 1; n <= points.size(); ++n) {
    SCOPED_TRACE(n);
    const ChainSummary summary = SummaryOf({{points.begin(), points.begin() + n}});
    EXPECT_FALSE(summary.constant);
    EXPECT_TRUE(summary.mean);
    EXPECT_TRUE(summary.quantiles[1].value);
    EXPECT_EQ(summary.standard_deviation.has_value(), n >= 2);
    EXPECT_EQ(summary.rhat.has_value(), n >= 4);
    EXPECT_EQ(summary.integrated_autocorrelation_time.has_value(), n >= 5);
    for (const std::optional<double>& value :
         {summary.bulk_effective_sample_size, summary.tail_effective_sample_size,
          summary.mean_effective_sample_size, summary.mean_standard_error,
          summary.standard_deviation_standard_error, summary.quantiles[0].standard_error}) {
      EXPECT_EQ(value.has_value(), n >= 10);
    }
    EXPECT_EQ(summary.note.empty(), n >= 10);
  }
}

TEST(SummaryTest, HalvesThatMissTheOnlyMoveHaveNoEffectiveSampleSize) {
  std::vector<double> chain(21, 1.0);
  chain[10] = 2;
  const ChainSummary summary = SummaryOf({chain});
  EXPECT_FALSE(summary.constant);
  EXPECT_GT(summary.standard_deviation, 0);
  EXPECT_TRUE(summary.integrated_autocorrelation_time);
  EXPECT_EQ(summary.rhat, std::nullopt);
  for (const std::optional<double>& value :
       {summary.bulk_effective_sample_size, summary.tail_effective_sample_size,
        summary.mean_effective_sample_size, summary.mean_standard_error,
        summary.quantiles[1].standard_error}) {
    EXPECT_EQ(value, std::nullopt);
  }
}

TEST(SummaryTest, RankStatisticsDoNotChangeUnderIncreasingFunctions) {
  const Chains chains = Autoregressive(4, 101, 0.5, 3);
  const ChainSummary summary = SummaryOf(chains);
  for (const auto& function : std::vector<std::function<double(double)>>{
           [](double x) { return std::exp(3 * x); }, [](double x) { return x * x * x; },
           [](double x) { return std::atan(x) - 5; }, [](double x) { return 1e150 * x; }}) {
    const ChainSummary transformed = SummaryOf(Apply(chains, function));
    EXPECT_EQ(transformed.bulk_effective_sample_size, summary.bulk_effective_sample_size);
    EXPECT_EQ(transformed.tail_effective_sample_size, summary.tail_effective_sample_size);
  }
}

TEST(SummaryTest, OrderOfTheChainsDoesNotMatter) {
  Chains chains = Autoregressive(4, 77, 0.7, 4);
  for (double& point : chains[1]) point += 1;
  const std::vector<Statistic> expected = Statistics(SummaryOf(chains));
  std::rotate(chains.begin(), chains.begin() + 1, chains.end());
  std::swap(chains[0], chains[1]);
  const std::vector<Statistic> found = Statistics(SummaryOf(chains));
  for (std::size_t i = 0; i < found.size(); ++i) {
    ExpectEqual(found[i], *expected[i].value);
  }
}

TEST(SummaryTest, UnitsScaleValuesAndErrorsAndNothingElse) {
  const Chains chains = Autoregressive(3, 64, 0.6, 5);
  const std::vector<Statistic> expected = Statistics(SummaryOf(chains));
  for (const int exponent : {-900, -400, 400, 1000}) {
    const std::vector<Statistic> found = Statistics(
        SummaryOf(Apply(chains, [&](double point) { return std::ldexp(point, exponent); })));
    for (std::size_t i = 0; i < found.size(); ++i) {
      const bool pure = found[i].name == "rhat" || found[i].name.starts_with("ess") ||
                        found[i].name == "autocorrelation_time";
      EXPECT_EQ(found[i].value, std::ldexp(*expected[i].value, pure ? 0 : exponent))
          << found[i].name;
    }
  }
}

TEST(SummaryTest, ShiftedOrWiderChainRaisesRhat) {
  Chains chains = Autoregressive(4, 400, 0.2, 6);
  EXPECT_LT(SummaryOf(chains).rhat, 1.02);
  Chains shifted = chains;
  for (double& point : shifted[0]) point += 1;
  EXPECT_GT(SummaryOf(shifted).rhat, 1.05);
  for (double& point : chains[0]) point *= 3;
  EXPECT_GT(SummaryOf(chains).rhat, 1.05);
}

TEST(SummaryTest, BalancedTwoValuesHaveNoErrorOfTheStandardDeviation) {
  Chains chains(2, std::vector<double>(40, 0.4));
  for (std::vector<double>& chain : chains) std::fill_n(chain.begin() + 10, 20, 0.1);
  const ChainSummary summary = SummaryOf(chains);
  EXPECT_EQ(summary.standard_deviation_standard_error, std::nullopt);
  EXPECT_TRUE(summary.mean_standard_error);
  EXPECT_TRUE(summary.rhat);  // all distances to the median are equal
}

TEST(SummaryTest, RareSmallValuesStillCountInTheTails) {
  // 98 % of the points are the largest value.
  Chains chains(2, std::vector<double>(100, 1.0));
  chains[0][30] = chains[0][70] = chains[1][20] = chains[1][80] = 0;
  const ChainSummary summary = SummaryOf(chains);
  ASSERT_TRUE(summary.tail_effective_sample_size);
  EXPECT_NEAR(*summary.tail_effective_sample_size, *summary.bulk_effective_sample_size, 1e-9 * 200);
}

// The standard errors are what the estimates scatter by.
TEST(SummaryTest, StandardErrorsOfAutoregressiveChainsAreTheirScatter) {
  constexpr int kRepetitions = 400;
  constexpr double kCorrelation = 0.6;
  double mean_squares = 0;
  double mean_variance = 0;
  double deviation_squares = 0;
  double deviation_variance = 0;
  double quantile_squares = 0;
  double quantile_variance = 0;
  double time = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    const ChainSummary summary = SummaryOf(Autoregressive(4, 500, kCorrelation, 100 + i));
    mean_squares += *summary.mean * *summary.mean;
    mean_variance += *summary.mean_standard_error * *summary.mean_standard_error;
    deviation_squares += std::pow(*summary.standard_deviation - 1, 2);
    deviation_variance += std::pow(*summary.standard_deviation_standard_error, 2);
    quantile_squares += std::pow(*summary.quantiles[2].value - 1.6448536269514722, 2);
    quantile_variance += std::pow(*summary.quantiles[2].standard_error, 2);
    time += *summary.integrated_autocorrelation_time / kRepetitions;
  }
  // A sum of 400 squares scatters by sqrt(2 / 400) = 7 %; the estimated errors are nearly unbiased.
  EXPECT_NEAR(mean_squares / mean_variance, 1, 4 * 0.07);
  EXPECT_NEAR(deviation_squares / deviation_variance, 1, 4 * 0.07);
  EXPECT_NEAR(quantile_squares / quantile_variance, 1, 4 * 0.07);
  // Its truth is (1 + r) / (1 - r) = 4; the estimate is known to be low by a few percent at most.
  EXPECT_NEAR(time, 4, 0.2);
}

}  // namespace
}  // namespace posteriord::core
