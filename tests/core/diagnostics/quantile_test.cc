#include "core/diagnostics/quantile.h"

#include <gtest/gtest.h>

#include <vector>

namespace posteriord::core {
namespace {

TEST(QuantileTest, InterpolatesBetweenNeighbours) {
  const std::vector<double> sorted = {1, 2, 4, 8};
  EXPECT_EQ(Quantile(sorted, 0), 1);
  EXPECT_EQ(Quantile(sorted, 0.5), 3);
  EXPECT_EQ(Quantile(sorted, 0.25), 1.75);
  EXPECT_EQ(Quantile(sorted, 1), 8);
  EXPECT_EQ(Quantile({3}, 0.05), 3);
}

TEST(QuantileTest, EqualNeighboursGiveExactlyTheirValue) {
  for (const double value : {0.1, 1.0 / 3, -1e300}) {
    const std::vector<double> sorted(57, value);
    for (const double probability : {0.05, 0.37, 0.5, 0.95}) {
      EXPECT_EQ(Quantile(sorted, probability), value);
    }
  }
}

TEST(QuantileTest, WholePositionsArePointsDespiteRounding) {
  for (int n = 21; n <= 20001; n += 20) {
    std::vector<double> sorted(n);
    for (int i = 0; i < n; ++i) sorted[i] = i;
    EXPECT_EQ(Quantile(sorted, 0.05), (n - 1) / 20);
    EXPECT_EQ(Quantile(sorted, 0.95), (n - 1) / 20 * 19);
  }
}

TEST(QuantileTest, LargestNumbersDoNotOverflow) {
  EXPECT_EQ(Quantile({-1.5e308, 1.5e308}, 0.5), 0);
}

}  // namespace
}  // namespace posteriord::core
