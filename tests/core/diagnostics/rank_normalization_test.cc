#include "core/diagnostics/rank_normalization.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

namespace posteriord::core {
namespace {

std::vector<double> NormalValues(int count) {
  std::mt19937_64 engine(1);
  std::normal_distribution<double> normal;
  std::vector<double> values(count);
  for (double& value : values) value = normal(engine);
  return values;
}

TEST(RankNormalizeTest, KnownScores) {
  // Phi^-1 of (1 - 3/8) / 3.25 = 0.1923..., 0.5 and 0.8076...
  const std::vector<double> scores = RankNormalize({5, 100, -3});
  EXPECT_NEAR(scores[0], 0, 1e-15);
  EXPECT_NEAR(scores[1], 0.8694237732888849, 1e-14);
  EXPECT_NEAR(scores[2], -0.8694237732888849, 1e-14);
}

TEST(RankNormalizeTest, EqualValuesShareTheAverageRank) {
  const std::vector<double> scores = RankNormalize({2, 1, 2, 3, 2});
  EXPECT_EQ(scores[0], scores[2]);
  EXPECT_EQ(scores[0], scores[4]);
  EXPECT_NEAR(scores[0], 0, 1e-15);
  EXPECT_NEAR(scores[1], -scores[3], 1e-14);
  EXPECT_EQ(RankNormalize({0.0, -0.0})[0], RankNormalize({0.0, -0.0})[1]);
}

TEST(RankNormalizeTest, IncreasingFunctionsChangeNothingAndDecreasingOnesTheSign) {
  const std::vector<double> values = NormalValues(501);
  const std::vector<double> scores = RankNormalize(values);
  std::vector<double> increased = values;
  for (double& value : increased) value = std::exp(5 * value);
  EXPECT_EQ(RankNormalize(increased), scores);
  std::vector<double> decreased = values;
  for (double& value : decreased) value = -value;
  const std::vector<double> negative = RankNormalize(decreased);
  for (std::size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(negative[i], -scores[i], 1e-13);
}

TEST(RankNormalizeTest, ScoresFollowTheirValues) {
  std::vector<double> values = NormalValues(100);
  const std::vector<double> scores = RankNormalize(values);
  std::vector<double> reversed(values.rbegin(), values.rend());
  const std::vector<double> reversed_scores = RankNormalize(reversed);
  EXPECT_TRUE(std::equal(scores.begin(), scores.end(), reversed_scores.rbegin()));
}

TEST(RankNormalizeTest, InfinityIsTheLargestValueAndNoValuesAreNoScores) {
  const std::vector<double> scores = RankNormalize({1, std::numeric_limits<double>::infinity()});
  EXPECT_TRUE(std::isfinite(scores[1]));
  EXPECT_GT(scores[1], scores[0]);
  EXPECT_TRUE(RankNormalize({}).empty());
}

}  // namespace
}  // namespace posteriord::core
