// The parts of warm-up: windows, dual averaging, the estimate of the metric.
#include <gtest/gtest.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/kernels/covariance_estimator.h"
#include "core/kernels/dual_averaging.h"
#include "core/kernels/warmup_windows.h"

namespace posteriord::core {
namespace {

using Ends = std::vector<std::int64_t>;

TEST(WarmupWindowsTest, AreThoseOfStan) {
  EXPECT_EQ(WarmupWindows(1000).ends(), (Ends{100, 150, 250, 450, 950}));
  EXPECT_EQ(WarmupWindows(500).ends(), (Ends{100, 150, 250, 450}));
  EXPECT_EQ(WarmupWindows(499).ends(), (Ends{100, 150, 449}));
  EXPECT_EQ(WarmupWindows(2000).ends(), (Ends{100, 150, 250, 450, 850, 1950}));
  EXPECT_EQ(WarmupWindows(150).ends(), Ends{100});
  EXPECT_TRUE(WarmupWindows(1000).Contains(76));
  EXPECT_FALSE(WarmupWindows(1000).Contains(75));
  EXPECT_TRUE(WarmupWindows(1000).Contains(950));
  EXPECT_FALSE(WarmupWindows(1000).Contains(951));
  EXPECT_TRUE(WarmupWindows(1000).EndsAt(250));
  EXPECT_FALSE(WarmupWindows(1000).EndsAt(251));
}

TEST(WarmupWindowsTest, ShortWarmupIsScaledDown) {
  EXPECT_EQ(WarmupWindows(100).ends(), Ends{90});
  EXPECT_FALSE(WarmupWindows(100).Contains(15));
  EXPECT_TRUE(WarmupWindows(100).Contains(16));
  EXPECT_EQ(WarmupWindows(149).ends(), Ends{135});
  EXPECT_EQ(WarmupWindows(20).ends(), Ends{18});
  for (const int steps : {0, 1, 19}) {
    EXPECT_TRUE(WarmupWindows(steps).ends().empty());
    EXPECT_FALSE(WarmupWindows(steps).Contains(steps));
  }
}

TEST(WarmupWindowsTest, EveryWindowHasEnoughStepsAndTheLastEndsBeforeTheFinalBuffer) {
  for (std::int64_t steps = 20; steps < 5000; ++steps) {
    const WarmupWindows windows(steps);
    const std::int64_t final_buffer = steps < 150 ? steps / 10 : 50;
    ASSERT_EQ(windows.ends().back(), steps - final_buffer) << steps;
    std::int64_t begin = 0;
    while (!windows.Contains(begin + 1)) ++begin;
    for (const std::int64_t end : windows.ends()) {
      ASSERT_GE(end - begin, std::min<std::int64_t>(25, steps * 3 / 4)) << steps;
      begin = end;
    }
  }
}

// Acceptance falls from 1 to 0 as the logarithm of the step size grows; the noise stands for that
// of a chain.
TEST(DualAveragingTest, FindsTheStepSizeOfTheTargetAcceptance) {
  for (const double target : {0.3, 0.574, 0.8, 0.95}) {
    for (const double initial : {1e-4, 0.1, 100.0}) {
      std::mt19937_64 random(1);
      std::uniform_real_distribution<double> noise(-0.2, 0.2);
      DualAveraging adaptation(target);
      adaptation.Restart(initial);
      double step_size = initial;
      for (int t = 0; t < 2000; ++t) {
        const double exact = 1 / (1 + std::pow(step_size / 0.05, 2));
        step_size = adaptation.Learn(exact + noise(random) * std::min(exact, 1 - exact));
      }
      const double found = adaptation.Result();
      EXPECT_NEAR(1 / (1 + std::pow(found / 0.05, 2)), target, 0.02);
    }
  }
}

TEST(DualAveragingTest, FirstStepsFollowTheRecursion) {
  DualAveraging adaptation(0.8);
  adaptation.Restart(0.5);
  const double mu = std::log(5.0);
  const double s1 = (0.8 - 0.6) / 11;
  const double x1 = mu - s1 / 0.05;
  EXPECT_NEAR(adaptation.Learn(0.6), std::exp(x1), 1e-12);
  EXPECT_NEAR(adaptation.Result(), std::exp(x1), 1e-12);
  const double s2 = s1 * 11 / 12 + (0.8 - 1.0) / 12;
  const double x2 = mu - std::sqrt(2.0) / 0.05 * s2;
  EXPECT_NEAR(adaptation.Learn(1.0), std::exp(x2), 1e-12);
  const double weight = std::pow(2.0, -0.75);
  EXPECT_NEAR(adaptation.Result(), std::exp(weight * x2 + (1 - weight) * x1), 1e-12);
}

TEST(DualAveragingTest, StaysFiniteWhenNothingIsEverRejectedOrAccepted) {
  for (const double acceptance : {0.0, 1.0}) {
    DualAveraging adaptation(0.8);
    adaptation.Restart(1);
    for (int t = 0; t < 1'000'000; ++t) {
      const double step_size = adaptation.Learn(acceptance);
      ASSERT_TRUE(std::isfinite(step_size) && step_size > 0);
    }
    EXPECT_TRUE(std::isfinite(adaptation.Result()) && adaptation.Result() > 0);
  }
}

TEST(CovarianceEstimatorTest, IsTheRegularisedSampleCovariance) {
  constexpr Eigen::Index kDimension = 5;
  constexpr int kCount = 40;
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  const Eigen::MatrixXd x =
      Eigen::MatrixXd::NullaryExpr(kDimension, kCount, [&] { return 1000 + normal(random); });
  const Eigen::MatrixXd centred = x.colwise() - x.rowwise().mean().eval();
  const Eigen::MatrixXd expected =
      40.0 / 45 * centred * centred.transpose() / 39 +
      1e-3 * 5 / 45 * Eigen::MatrixXd::Identity(kDimension, kDimension);
  CovarianceEstimator dense(MetricKind::kDense, kDimension);
  CovarianceEstimator diagonal(MetricKind::kDiagonal, kDimension);
  for (int round = 0; round < 2; ++round) {  // Reset forgets
    for (int i = 0; i < kCount; ++i) {
      dense.Add(x.col(i));
      diagonal.Add(x.col(i));
    }
    const Eigen::MatrixXd found = dense.Regularised().selfadjointView<Eigen::Lower>();
    EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), 1e-10);
    EXPECT_LT((diagonal.Regularised().col(0) - expected.diagonal()).cwiseAbs().maxCoeff(), 1e-10);
    dense.Reset();
    diagonal.Reset();
  }
}

}  // namespace
}  // namespace posteriord::core
