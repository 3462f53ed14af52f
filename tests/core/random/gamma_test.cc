#include "core/random/gamma.h"

#include <gtest/gtest.h>

#include <boost/math/special_functions/gamma.hpp>
#include <cmath>

#include "tests/core/testing/statistics.h"

namespace posteriord::core {
namespace {

TEST(GammaTest, DrawsFollowTheDistribution) {
  for (const GammaSpec gamma :
       {GammaSpec{0.05, 2}, GammaSpec{1, 0.1}, GammaSpec{7.5, 3}, GammaSpec{20'000, 1e-3}}) {
    testing::UniformityTest uniformity;
    for (int i = 0; i < testing::SampleCount(100'000); ++i) {
      const double x = DrawGamma(gamma, RandomBlock(1, 2, static_cast<std::uint64_t>(i), 3), 5);
      uniformity.Add(boost::math::gamma_p(gamma.shape, gamma.rate * x));
    }
    EXPECT_GT(uniformity.PValue(), testing::kFalseAlarm) << gamma.shape;
  }
}

TEST(GammaTest, LogDensityIntegratesToOne) {
  const GammaSpec gamma{3.5, 2};
  double integral = 0;
  constexpr double kStep = 1e-3;
  for (double x = kStep / 2; x < 40; x += kStep) {
    integral += std::exp(LogGammaDensity(gamma, x)) * kStep;
  }
  EXPECT_NEAR(integral, 1, 1e-6);
}

}  // namespace
}  // namespace posteriord::core
