#include "core/kernels/hamiltonian.h"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/kernels/metric.h"
#include "tests/core/kernels/targets.h"
#include "tests/core/testing/statistics.h"

namespace posteriord::core {
namespace {

using testing::CurvedTarget;
using testing::kAlways;
using testing::Mean;
using testing::NormalBound;
using testing::SampleCount;
using testing::Target;

// Some positive definite matrix, or its diagonal.
Eigen::MatrixXd SomeInverseMass(MetricKind kind, Eigen::Index d) {
  if (kind == MetricKind::kIdentity) return {};
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  const Eigen::MatrixXd root = Eigen::MatrixXd::NullaryExpr(d, d, [&] { return normal(random); });
  const Eigen::MatrixXd dense = 0.3 * root * root.transpose() + Eigen::MatrixXd::Identity(d, d);
  if (kind == MetricKind::kDense) return dense;
  return dense.diagonal();
}

Metric SomeMetric(MetricKind kind, Eigen::Index d) {
  Metric metric(kind, d);
  EXPECT_TRUE(metric.SetInverseMass(SomeInverseMass(kind, d)));
  return metric;
}

Eigen::MatrixXd FullInverseMass(const Metric& metric, Eigen::Index d) {
  switch (metric.kind()) {
    case MetricKind::kIdentity:
      return Eigen::MatrixXd::Identity(d, d);
    case MetricKind::kDiagonal:
      return metric.inverse_mass().col(0).asDiagonal();
    case MetricKind::kDense:
      break;
  }
  return metric.inverse_mass();
}

Eigen::VectorXd Normals(Eigen::Index d, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  return Eigen::VectorXd::NullaryExpr(d, [&] { return normal(random); });
}

class MetricTest : public ::testing::TestWithParam<MetricKind> {};
class HamiltonianTest : public ::testing::TestWithParam<MetricKind> {};

std::string KindName(const ::testing::TestParamInfo<MetricKind>& info) {
  return std::vector<std::string>{"Identity", "Diagonal",
                                  "Dense"}[static_cast<std::size_t>(info.param)];
}
constexpr auto kAllMetrics = {MetricKind::kIdentity, MetricKind::kDiagonal, MetricKind::kDense};
INSTANTIATE_TEST_SUITE_P(All, MetricTest, ::testing::ValuesIn(kAllMetrics), KindName);
INSTANTIATE_TEST_SUITE_P(All, HamiltonianTest, ::testing::ValuesIn(kAllMetrics), KindName);

TEST_P(MetricTest, MomentaHaveTheMassMatrixAsCovarianceAndItsInverseMakesVelocities) {
  constexpr Eigen::Index kDimension = 7;
  const Metric metric = SomeMetric(GetParam(), kDimension);
  const Eigen::MatrixXd inverse_mass = FullInverseMass(metric, kDimension);
  // p = A z, column by column; the covariance is A A'.
  Eigen::MatrixXd a(kDimension, kDimension);
  for (Eigen::Index i = 0; i < kDimension; ++i) {
    Eigen::VectorXd p = Eigen::VectorXd::Unit(kDimension, i);
    metric.MakeMomentum(p);
    a.col(i) = p;
  }
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(kDimension, kDimension);
  EXPECT_LT((a * a.transpose() * inverse_mass - identity).cwiseAbs().maxCoeff(), 1e-12);
  std::mt19937_64 random(2);
  const Eigen::VectorXd p = Normals(kDimension, random);
  Eigen::VectorXd velocity(kDimension);
  metric.Velocity(p, velocity);
  EXPECT_LT((velocity - inverse_mass * p).cwiseAbs().maxCoeff(), 1e-13);
}

TEST_P(MetricTest, RefusesWhatIsNoMetricAndStaysAsItWas) {
  Metric metric = SomeMetric(GetParam(), 3);
  const Eigen::MatrixXd before = metric.inverse_mass();
  EXPECT_FALSE(metric.SetInverseMass(Eigen::MatrixXd::Identity(4, 4)));
  if (GetParam() != MetricKind::kIdentity) {
    Eigen::MatrixXd bad = before;
    bad(1, bad.cols() - 1) = -1e3;  // negative, or below the diagonal too large
    bad(2, 0) = -1e3;
    EXPECT_FALSE(metric.SetInverseMass(bad));
    bad = before;
    bad(0, 0) = std::numeric_limits<double>::quiet_NaN();
    EXPECT_FALSE(metric.SetInverseMass(bad));
  }
  EXPECT_EQ(metric.inverse_mass(), before);
}

TEST_P(HamiltonianTest, LeapfrogIsUndoneByAFlippedMomentum) {
  const Target target = CurvedTarget();
  const auto density = target.Make();
  const Metric metric = SomeMetric(GetParam(), target.dimension);
  Hamiltonian hamiltonian(*density, metric);
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 100; ++trial) {
    PhasePoint start(target.dimension);
    start.position = target.draw(random);
    start.momentum = Normals(target.dimension, random);
    metric.MakeMomentum(start.momentum);
    ASSERT_TRUE(hamiltonian.Evaluate(kAlways, start));
    PhasePoint point = start;
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(hamiltonian.Leapfrog(0.1, kAlways, point));
    EXPECT_GT((point.position - start.position).norm(), 1e-3);
    PhasePoint backwards = point;
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(hamiltonian.Leapfrog(-0.1, kAlways, backwards));
    point.momentum = -point.momentum;
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(hamiltonian.Leapfrog(0.1, kAlways, point));
    EXPECT_LT((point.position - start.position).cwiseAbs().maxCoeff(), 1e-10);
    EXPECT_LT((point.momentum + start.momentum).cwiseAbs().maxCoeff(), 1e-10);
    EXPECT_LT((backwards.position - start.position).cwiseAbs().maxCoeff(), 1e-10);
    EXPECT_LT((backwards.momentum - start.momentum).cwiseAbs().maxCoeff(), 1e-10);
  }
}

TEST_P(HamiltonianTest, EnergyErrorOverAFixedTimeFallsAsTheSquareOfTheStepSize) {
  const Target target = CurvedTarget();
  const auto density = target.Make();
  const Metric metric = SomeMetric(GetParam(), target.dimension);
  Hamiltonian hamiltonian(*density, metric);
  // Root mean square over starts of the error after time 0.8, in 16, 32, ... steps.
  std::vector<double> log_step_sizes, log_errors;
  for (int steps = 32; steps <= 1024; steps *= 2) {
    std::mt19937_64 random(4);
    double squares = 0;
    for (int trial = 0; trial < 50; ++trial) {
      PhasePoint point(target.dimension);
      point.position = target.draw(random);
      point.momentum = Normals(target.dimension, random);
      metric.MakeMomentum(point.momentum);
      ASSERT_TRUE(hamiltonian.Evaluate(kAlways, point));
      const double before = hamiltonian.Energy(point);
      for (int i = 0; i < steps; ++i) {
        ASSERT_TRUE(hamiltonian.Leapfrog(0.8 / steps, kAlways, point));
      }
      squares += std::pow(hamiltonian.Energy(point) - before, 2);
    }
    log_step_sizes.push_back(-std::log(steps));
    log_errors.push_back(0.5 * std::log(squares));
  }
  for (std::size_t i = 1; i < log_errors.size(); ++i) {
    const double slope =
        (log_errors[i] - log_errors[i - 1]) / (log_step_sizes[i] - log_step_sizes[i - 1]);
    EXPECT_GT(slope, 1.9) << i;
    EXPECT_LT(slope, 2.1) << i;
  }
}

// Volume is preserved: the integral of exp(-H) over the ends of trajectories is that over the
// starts.
TEST_P(HamiltonianTest, ExponentialOfEnergyErrorHasMeanOneFromExactDraws) {
  const Target target = CurvedTarget();
  const auto density = target.Make();
  const Metric metric = SomeMetric(GetParam(), target.dimension);
  Hamiltonian hamiltonian(*density, metric);
  std::mt19937_64 random(5);
  Mean mean, error;
  const int count = SampleCount(100'000);
  for (int i = 0; i < count; ++i) {
    PhasePoint point(target.dimension);
    point.position = target.draw(random);
    point.momentum = Normals(target.dimension, random);
    metric.MakeMomentum(point.momentum);
    ASSERT_TRUE(hamiltonian.Evaluate(kAlways, point));
    const double before = hamiltonian.Energy(point);
    for (int step = 0; step < 3; ++step) {
      ASSERT_TRUE(hamiltonian.Leapfrog(0.35, kAlways, point));
    }
    const double delta = hamiltonian.Energy(point) - before;
    mean.Add(std::exp(-delta));
    error.Add(std::min(1.0, std::abs(delta)));
  }
  EXPECT_LT(std::abs(ZScore(mean, 1)), NormalBound());
  EXPECT_GT(error.mean(), 0.05);  // or there would be nothing to see
}

TEST(HamiltonianEnergyTest, IsInfiniteWhereTheDensityIsZeroOrNotANumber) {
  for (const double value :
       {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN()}) {
    testing::FunctionDensity density(
        2, [value](const Eigen::VectorXd&, Eigen::VectorXd&) { return value; });
    const Metric metric(MetricKind::kIdentity, 2);
    Hamiltonian hamiltonian(density, metric);
    PhasePoint point(2);
    ASSERT_TRUE(hamiltonian.Evaluate(kAlways, point));
    EXPECT_EQ(hamiltonian.Energy(point), std::numeric_limits<double>::infinity());
  }
}

}  // namespace
}  // namespace posteriord::core
