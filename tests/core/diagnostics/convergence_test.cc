// Effective sample size and split R-hat against ArviZ, and where ArviZ has no answer.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/diagnostics/effective_sample_size.h"
#include "core/diagnostics/segments.h"
#include "core/diagnostics/split_rhat.h"

namespace posteriord::core {
namespace {

Segments Split(const std::vector<std::vector<double>>& chains) {
  SegmentAnalyser analyser;
  Segments halves;
  for (const std::vector<double>& chain : chains) halves.Add(analyser.Halves(chain));
  return halves;
}

// tests/core/diagnostics/golden/generate.py says what the file holds and how it was made.
TEST(ConvergenceTest, GoldenChainsMatchArviz) {
  std::ifstream file(POSTERIORD_GOLDEN_CHAINS);
  int cases = 0;
  std::string name;
  std::size_t chain_count = 0;
  std::size_t points = 0;
  std::string ess;
  std::string first_chain_ess;
  std::string rhat;
  while (file >> name >> chain_count >> points >> ess >> first_chain_ess >> rhat) {
    SCOPED_TRACE(name);
    std::vector<std::vector<double>> chains(chain_count, std::vector<double>(points));
    for (std::vector<double>& chain : chains) {
      for (double& point : chain) file >> point;
    }
    ASSERT_TRUE(file);
    const Segments halves = Split(chains);
    const std::optional<double> found_ess = EffectiveSampleSize(halves);
    const std::optional<double> found_first_chain_ess =
        EffectiveSampleSize(SegmentAnalyser().Whole(chains[0]));
    const std::optional<double> found_rhat = SplitRhat(halves);
    ASSERT_TRUE(found_ess && found_first_chain_ess && found_rhat);
    EXPECT_NEAR(*found_ess / std::stod(ess), 1, 1e-8);
    EXPECT_NEAR(*found_first_chain_ess / std::stod(first_chain_ess), 1, 1e-8);
    if (rhat != "nan") {
      EXPECT_NEAR(*found_rhat, std::stod(rhat), 1e-8);
    }
    ++cases;
  }
  EXPECT_TRUE(file.eof());
  EXPECT_EQ(cases, 12);
}

TEST(EffectiveSampleSizeTest, ConstantChainsCountEveryPoint) {
  EXPECT_EQ(EffectiveSampleSize(Split({std::vector<double>(100, 0.1)})), 100);
  EXPECT_EQ(
      EffectiveSampleSize(Split({std::vector<double>(40, 0.1), std::vector<double>(40, 0.1)})), 80);
}

TEST(EffectiveSampleSizeTest, ConstantHalvesAtDifferentValuesAreWorthOnePointOrTwo) {
  std::vector<double> step(100, 0.0);
  std::fill(step.begin() + 50, step.end(), 1.0);
  EXPECT_LT(EffectiveSampleSize(Split({step})), 2);
  EXPECT_LT(
      EffectiveSampleSize(Split({std::vector<double>(100, 0.0), std::vector<double>(100, 1.0)})),
      4);
}

TEST(EffectiveSampleSizeTest, FastNoiseOnADriftIsWorthFewPoints) {
  std::mt19937_64 engine(1);
  std::normal_distribution<double> normal;
  std::vector<double> chain(1000);
  for (std::size_t i = 0; i < chain.size(); ++i) {
    chain[i] = normal(engine) + 4.0 * static_cast<double>(i) / 1000;
  }
  EXPECT_LT(EffectiveSampleSize(Split({chain})), 10);
}

TEST(EffectiveSampleSizeTest, UnsetWhenTooShortToSeeAnything) {
  std::vector<double> points = {1, 3, 2, 5, 4, 4, 2, 3, 1};
  EXPECT_EQ(EffectiveSampleSize(Split({points})), std::nullopt);
  points.push_back(2);
  EXPECT_NE(EffectiveSampleSize(Split({points})), std::nullopt);
}

TEST(SplitRhatTest, HandComputedSingleChain) {
  // Halves {0, 2} and {4, 6}: means 1 and 5 (variance 8), variance within 2.
  EXPECT_DOUBLE_EQ(SplitRhat(Split({{0, 2, 4, 6}})).value(), std::sqrt(0.5 + 8.0 / 2.0));
}

TEST(SplitRhatTest, InfiniteForDifferentConstantsAndUnsetForEqualOnes) {
  EXPECT_EQ(SplitRhat(Split({{1, 1, 1, 1}, {2, 2, 2, 2}})),
            std::numeric_limits<double>::infinity());
  EXPECT_EQ(SplitRhat(Split({{1, 1, 1, 1}, {1, 1, 1, 1}})), std::nullopt);
}

TEST(SplitRhatTest, UnsetWithFewerThanFourPoints) {
  EXPECT_EQ(SplitRhat(Split({{1, 2, 4}})), std::nullopt);
}

}  // namespace
}  // namespace posteriord::core
