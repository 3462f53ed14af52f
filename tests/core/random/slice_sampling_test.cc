#include "core/random/slice_sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/core/testing/statistics.h"

namespace posteriord::core {
namespace {

// Started at exact draws of Gumbel's distribution, which is skewed, a transition changes nothing;
// uniform when fed to the distribution function. Widths far too small and too large are correct
// too.
TEST(SliceSamplingTest, LeavesTheDensityInvariant) {
  for (const double width : {0.05, 1.0, 30.0}) {
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> distribution;
    const auto uniform = [&] {
      double u = 0;
      while (u == 0) u = distribution(random);
      return u;
    };
    const auto log_density = [](double x) { return -x - std::exp(-x); };
    testing::UniformityTest uniformity;
    for (int i = 0; i < testing::SampleCount(200'000); ++i) {
      const double start = -std::log(-std::log(uniform()));
      const double x = SliceSample(log_density, start, width, uniform);
      uniformity.Add(std::exp(-std::exp(-x)));
    }
    EXPECT_GT(uniformity.PValue(), testing::kFalseAlarm) << width;
  }
}

// A chain forgets where it started.
TEST(SliceSamplingTest, ReachesTheDensityFromFarAway) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> uniform(1e-300, 1);
  const auto log_density = [](double x) { return -0.5 * x * x; };
  testing::Mean mean, square;
  for (int i = 0; i < testing::SampleCount(20'000); ++i) {
    double x = 30;
    for (int step = 0; step < 20; ++step) {
      x = SliceSample(log_density, x, 1.0, [&] { return uniform(random); });
    }
    mean.Add(x);
    square.Add(x * x);
  }
  EXPECT_LT(std::abs(ZScore(mean, 0)), testing::NormalBound(2));
  EXPECT_LT(std::abs(ZScore(square, 1)), testing::NormalBound(2));
}

}  // namespace
}  // namespace posteriord::core
