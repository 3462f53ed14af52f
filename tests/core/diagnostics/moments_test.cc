#include "core/diagnostics/moments.h"

#include <gtest/gtest.h>

#include <vector>

namespace posteriord::core {
namespace {

TEST(MomentsTest, EqualValuesHaveExactlyThemselvesAsMeanAndNoVariance) {
  for (const double value : {0.1, -1.0 / 3, 1e300, 5e-324}) {
    for (const int count : {2, 3, 7, 1000}) {
      const std::vector<double> values(count, value);
      EXPECT_EQ(Mean(values), value);
      EXPECT_EQ(Variance(values), 0);
    }
  }
}

TEST(MomentsTest, KnownValues) {
  EXPECT_DOUBLE_EQ(Mean({1, 2, 4, 9}), 4);
  EXPECT_DOUBLE_EQ(Variance({1, 2, 4, 9}), 38.0 / 3);
}

TEST(MomentsTest, SmallSpreadFarFromZeroKeepsItsVariance) {
  EXPECT_DOUBLE_EQ(Variance({1e9, 1e9 + 1, 1e9 + 2}), 1);
}

}  // namespace
}  // namespace posteriord::core
