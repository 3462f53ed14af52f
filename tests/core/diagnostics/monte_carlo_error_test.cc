#include "core/diagnostics/monte_carlo_error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <vector>

namespace posteriord::core {
namespace {

TEST(MonteCarloErrorTest, OfTheMean) { EXPECT_EQ(MeanStandardError(3, 36), 0.5); }

TEST(MonteCarloErrorTest, OfTheStandardDeviation) {
  // q = {1, 1, 9, 1}: mean 3, mean square 21; sqrt((21 - 9) / 48) / (2 sqrt 3).
  EXPECT_DOUBLE_EQ(StandardDeviationStandardError({1, 1, 9, 1}, 48), 0.5 / (2 * std::sqrt(3.0)));
}

TEST(MonteCarloErrorTest, OfTheMedianOfUniformPointsIsThatOfTheirFraction) {
  std::vector<double> sorted(100001);
  for (std::size_t i = 0; i < sorted.size(); ++i) sorted[i] = static_cast<double>(i) / 100000;
  for (const double effective : {100.0, 1000.0, 1e5}) {
    // The standard deviation of Beta is a good approximation, of which 1 / ESS is the next order.
    const double expected = 0.5 / std::sqrt(effective + 3);
    EXPECT_NEAR(QuantileStandardError(sorted, 0.5, effective) / expected, 1,
                1 / effective + 1e-5 / expected);
  }
}

TEST(MonteCarloErrorTest, OfAQuantileStaysWithinThePoints) {
  EXPECT_EQ(QuantileStandardError({1, 2, 4}, 0.5, 1e-3), 1.5);
  EXPECT_EQ(QuantileStandardError({7}, 0.05, 10), 0);
  EXPECT_EQ(QuantileStandardError({-1.5e308, 1.5e308}, 0.5, 2), 1.5e308);
}

}  // namespace
}  // namespace posteriord::core
