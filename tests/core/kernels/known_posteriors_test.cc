// Whole chains, warm-up included, against posteriors whose moments are known. Monte Carlo errors
// come from the effective sample size of each function.
#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "core/diagnostics/effective_sample_size.h"
#include "core/diagnostics/segments.h"
#include "core/kernels/gradient_sampler.h"
#include "tests/core/kernels/targets.h"
#include "tests/core/testing/normal_reference.h"
#include "tests/core/testing/statistics.h"

namespace posteriord::core {
namespace {

using testing::AutoregressiveGaussian;
using testing::DensityFunction;
using testing::FunctionDensity;
using testing::kAlways;
using testing::LogSpaced;
using testing::NormalBound;
using testing::SampleCount;
using testing::Target;

struct Draws {
  std::vector<Eigen::VectorXd> positions;
  int divergences = 0;
  std::int64_t leapfrog_steps = 0;
};

Draws Sample(Eigen::Index dimension, const DensityFunction& density,
             const GradientSamplerSpec& spec, std::int64_t warmup, std::int64_t draws,
             std::uint64_t seed) {
  GradientSampler sampler(std::make_unique<FunctionDensity>(dimension, density), spec, warmup);
  EXPECT_TRUE(sampler.Start(Eigen::VectorXd::Constant(dimension, 0.5), kAlways).ok());
  Draws result;
  StepInfo info;
  for (std::int64_t sweep = 1; sweep <= warmup + draws; ++sweep) {
    EXPECT_TRUE(sampler.Step({.seed = seed, .chain = 0, .sweep = static_cast<std::uint64_t>(sweep)},
                             kAlways, info));
    if (sweep <= warmup) continue;
    result.positions.push_back(sampler.position());
    result.divergences += info.divergent ? 1 : 0;
    result.leapfrog_steps += info.leapfrog_steps;
  }
  return result;
}

// Expectations of functions of the position, compared at once.
class Expectations {
 public:
  explicit Expectations(const Draws& draws) : draws_(draws) {}

  void Compare(const std::string& name, double expected,
               const std::function<double(const Eigen::VectorXd&)>& function) {
    std::vector<double> values;
    for (const Eigen::VectorXd& position : draws_.positions) values.push_back(function(position));
    const auto segments = SegmentAnalyser().Whole(values);
    const double size = EffectiveSampleSize(segments).value();
    smallest_size_ = std::min(smallest_size_, size);
    const double error = std::sqrt(segments.autocovariance(0) / size);
    comparisons_.push_back({name, (segments.means[0] - expected) / error, error});
  }

  double smallest_size() const { return smallest_size_; }

  void Check() const {
    const double bound = NormalBound(static_cast<int>(comparisons_.size()));
    for (const auto& [name, z, error] : comparisons_) {
      EXPECT_LT(std::abs(z), bound) << name << ", standard error " << error;
    }
  }
  double LargestZ() const {
    double largest = 0;
    for (const auto& comparison : comparisons_) {
      largest = std::max(largest, std::abs(comparison.z));
    }
    return largest;
  }

 private:
  struct Comparison {
    std::string name;
    double z;
    double error;
  };
  const Draws& draws_;
  std::vector<Comparison> comparisons_;
  double smallest_size_ = 1e300;
};

// ----- A correlated Gaussian in 50 dimensions -----

struct Setting {
  std::string name;
  GradientSamplerKind kind;
  MetricKind metric;
  int draws;
};

class CorrelatedGaussianTest : public ::testing::TestWithParam<Setting> {};

TEST_P(CorrelatedGaussianTest, MeansAndCovariancesAreExact) {
  constexpr double kCorrelation = 0.7;
  const Eigen::VectorXd scales = LogSpaced(50, 0.1, 10);
  const Target target = AutoregressiveGaussian(scales, kCorrelation);
  GradientSamplerSpec spec;
  spec.kind = GetParam().kind;
  spec.metric = GetParam().metric;
  spec.target_acceptance = DefaultTargetAcceptance(spec.kind);
  spec.leapfrog_steps = 12;
  // In this dimension MALA is too slow to learn its metric from a thousand steps.
  if (spec.kind == GradientSamplerKind::kMala) {
    for (const double scale : scales) spec.inverse_mass.push_back(scale * scale);
  }
  spec.step_size_jitter = spec.kind == GradientSamplerKind::kHmc ? 0.2 : 0;
  const Draws draws = Sample(50, target.density, spec, 1000, SampleCount(GetParam().draws), 1);
  Expectations expectations(draws);
  for (Eigen::Index i = 0; i < 50; ++i) {
    expectations.Compare("mean", 0, [&](const Eigen::VectorXd& x) { return x[i] / scales[i]; });
    for (Eigen::Index j = i; j < std::min<Eigen::Index>(50, i + 3); ++j) {
      expectations.Compare(
          "covariance", std::pow(kCorrelation, j - i),
          [&](const Eigen::VectorXd& x) { return x[i] * x[j] / scales[i] / scales[j]; });
    }
  }
  expectations.Check();
  EXPECT_EQ(draws.divergences, 0);
  EXPECT_GT(expectations.smallest_size(), SampleCount(300));  // so that there is something to see
}

INSTANTIATE_TEST_SUITE_P(
    All, CorrelatedGaussianTest,
    ::testing::Values(
        Setting{"NutsDiagonal", GradientSamplerKind::kNuts, MetricKind::kDiagonal, 4000},
        Setting{"NutsDense", GradientSamplerKind::kNuts, MetricKind::kDense, 4000},
        Setting{"HmcDiagonal", GradientSamplerKind::kHmc, MetricKind::kDiagonal, 4000},
        Setting{"MalaGivenMetric", GradientSamplerKind::kMala, MetricKind::kDiagonal, 60000}),
    [](const auto& test) { return test.param.name; });

// ----- Linear regression with a conjugate prior -----

// y ~ N(X b, s2 I), b | s2 ~ N(0, s2 / 2 I), s2 ~ inverse gamma(3, 2); sampled as (b, log s2).
TEST(KnownPosteriorsTest, LinearRegressionHasTheConjugatePosterior) {
  constexpr Eigen::Index kRows = 25;
  constexpr Eigen::Index kColumns = 4;
  constexpr double kPrecision = 2;
  constexpr double kShape = 3;
  constexpr double kScale = 2;
  std::mt19937_64 random(21);
  std::normal_distribution<double> normal;
  Eigen::MatrixXd x = Eigen::MatrixXd::NullaryExpr(kRows, kColumns, [&] { return normal(random); });
  x.col(1) += 0.8 * x.col(0);
  const Eigen::VectorXd y =
      x * Eigen::Vector4d(1, -2, 0.5, 0) +
      Eigen::VectorXd::NullaryExpr(kRows, [&] { return 0.7 * normal(random); });

  const Eigen::MatrixXd precision =
      x.transpose() * x + kPrecision * Eigen::MatrixXd::Identity(kColumns, kColumns);
  const Eigen::MatrixXd inverse =
      precision.llt().solve(Eigen::MatrixXd::Identity(kColumns, kColumns));
  const Eigen::VectorXd mean = inverse * (x.transpose() * y);
  const double shape = kShape + kRows / 2.0;
  const double scale = kScale + 0.5 * (y.squaredNorm() - mean.dot(precision * mean));

  const DensityFunction density = [&](const Eigen::VectorXd& q, Eigen::VectorXd& gradient) {
    const Eigen::VectorXd b = q.head(kColumns);
    const double log_variance = q[kColumns];
    const double inverse_variance = std::exp(-log_variance);
    const Eigen::VectorXd residual = y - x * b;
    const double squares = residual.squaredNorm() + kPrecision * b.squaredNorm() + 2 * kScale;
    const double count = (kRows + kColumns) / 2.0 + kShape;
    gradient.head(kColumns) = inverse_variance * (x.transpose() * residual - kPrecision * b);
    gradient[kColumns] = -count + 0.5 * squares * inverse_variance;
    return -count * log_variance - 0.5 * squares * inverse_variance;
  };
  for (const auto kind : {GradientSamplerKind::kHmc, GradientSamplerKind::kNuts}) {
    GradientSamplerSpec spec;
    spec.kind = kind;
    spec.step_size_jitter = kind == GradientSamplerKind::kHmc ? 0.2 : 0;
    const Draws draws = Sample(kColumns + 1, density, spec, 1000, SampleCount(20'000), 2);
    Expectations expectations(draws);
    for (Eigen::Index i = 0; i < kColumns; ++i) {
      expectations.Compare("coefficient", mean[i], [&](const Eigen::VectorXd& q) { return q[i]; });
      for (Eigen::Index j = 0; j <= i; ++j) {
        expectations.Compare(
            "covariance", scale / (shape - 1) * inverse(i, j),
            [&](const Eigen::VectorXd& q) { return (q[i] - mean[i]) * (q[j] - mean[j]); });
      }
    }
    const double log_variance = std::log(scale) - boost::math::digamma(shape);
    expectations.Compare("log variance", log_variance,
                         [&](const Eigen::VectorXd& q) { return q[kColumns]; });
    expectations.Compare(
        "its variance", boost::math::trigamma(shape),
        [&](const Eigen::VectorXd& q) { return std::pow(q[kColumns] - log_variance, 2); });
    expectations.Check();
    EXPECT_GT(expectations.smallest_size(), SampleCount(2000));
  }
}

// ----- Eight schools -----

constexpr double kEffects[] = {28, 8, -3, 7, -1, 1, 18, 12};
constexpr double kErrors[] = {15, 10, 16, 11, 9, 11, 10, 18};

// Posterior moments of y_j ~ N(theta_j, error_j^2), theta_j ~ N(mu, tau^2), mu ~ N(0, 5^2),
// tau ~ half-Cauchy(0, 5), by quadrature over log tau: given tau the rest is Gaussian.
struct EightSchools {
  double mu = 0;
  double mu_square = 0;
  double tau = 0;
  double log_tau = 0;
  double log_tau_square = 0;
  double theta[8] = {};

  EightSchools() {
    double total = 0;
    for (double u = -25; u < 12; u += 1e-3) {
      const double t = std::exp(u);
      double precision = 1.0 / 25;
      double weighted = 0;
      double log_weight = u - std::log1p(t * t / 25);
      for (int j = 0; j < 8; ++j) {
        const double variance = kErrors[j] * kErrors[j] + t * t;
        precision += 1 / variance;
        weighted += kEffects[j] / variance;
        log_weight -= 0.5 * (std::log(variance) + kEffects[j] * kEffects[j] / variance);
      }
      const double mean = weighted / precision;
      log_weight += 0.5 * mean * weighted - 0.5 * std::log(precision);
      const double weight = std::exp(log_weight);
      total += weight;
      mu += weight * mean;
      mu_square += weight * (mean * mean + 1 / precision);
      tau += weight * t;
      log_tau += weight * u;
      log_tau_square += weight * u * u;
      for (int j = 0; j < 8; ++j) {
        const double share = t * t / (t * t + kErrors[j] * kErrors[j]);
        theta[j] += weight * (share * kEffects[j] + (1 - share) * mean);
      }
    }
    for (double* moment : {&mu, &mu_square, &tau, &log_tau, &log_tau_square}) *moment /= total;
    for (double& moment : theta) moment /= total;
  }
};

// (mu, log tau, standardised effects).
double NonCentredSchools(const Eigen::VectorXd& q, Eigen::VectorXd& gradient) {
  const double tau = std::exp(q[1]);
  const double ratio = tau * tau / 25;
  double value = -q[0] * q[0] / 50 + q[1] - std::log1p(ratio);
  gradient.setZero();
  gradient[0] = -q[0] / 25;
  gradient[1] = 1 - 2 * ratio / (1 + ratio);
  for (int j = 0; j < 8; ++j) {
    const double z = q[2 + j];
    const double residual = (kEffects[j] - q[0] - tau * z) / kErrors[j];
    const double slope = residual / kErrors[j];
    value -= 0.5 * z * z + 0.5 * residual * residual;
    gradient[0] += slope;
    gradient[1] += slope * tau * z;
    gradient[2 + j] = -z + slope * tau;
  }
  return value;
}

// posteriordb, eight_schools-eight_schools_noncentered, 10,000 reference draws: means and their
// Monte Carlo errors.
TEST(KnownPosteriorsTest, QuadratureOfEightSchoolsAgreesWithPosteriordb) {
  const EightSchools exact;
  EXPECT_NEAR(exact.mu, 4.41051833695493, 4 * 0.0330374705950917);
  EXPECT_NEAR(exact.tau, 3.60205952364059, 4 * 0.0318615135640706);
  const double theta[] = {6.15050229334425, 4.9395811407422, 3.90590609001582, 4.79601675138494,
                          3.6144363246799,  4.0511475789675, 6.31716975886893, 4.88399694353288};
  for (int j = 0; j < 8; ++j) EXPECT_NEAR(exact.theta[j], theta[j], 4 * 0.0557) << j;
}

TEST(KnownPosteriorsTest, EightSchoolsAreExact) {
  const EightSchools exact;
  for (const MetricKind metric : {MetricKind::kDiagonal, MetricKind::kDense}) {
    GradientSamplerSpec spec;
    spec.metric = metric;
    spec.target_acceptance = 0.9;
    const Draws draws = Sample(10, NonCentredSchools, spec, 1000, SampleCount(20'000), 3);
    Expectations expectations(draws);
    expectations.Compare("mu", exact.mu, [](const Eigen::VectorXd& q) { return q[0]; });
    expectations.Compare("mu^2", exact.mu_square,
                         [](const Eigen::VectorXd& q) { return q[0] * q[0]; });
    expectations.Compare("tau", exact.tau, [](const Eigen::VectorXd& q) { return std::exp(q[1]); });
    expectations.Compare("log tau", exact.log_tau, [](const Eigen::VectorXd& q) { return q[1]; });
    expectations.Compare("log^2 tau", exact.log_tau_square,
                         [](const Eigen::VectorXd& q) { return q[1] * q[1]; });
    for (int j = 0; j < 8; ++j) {
      expectations.Compare("theta", exact.theta[j], [j](const Eigen::VectorXd& q) {
        return q[0] + std::exp(q[1]) * q[2 + j];
      });
    }
    expectations.Check();
    EXPECT_GT(expectations.smallest_size(), SampleCount(2000));
  }
}

// ----- Neal's funnel -----

constexpr Eigen::Index kFunnelDimension = 10;

// v ~ N(0, 9), the others N(0, exp(v)).
double Funnel(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
  const double inverse = std::exp(-x[0]);
  const double squares = x.tail(kFunnelDimension - 1).squaredNorm();
  gradient = -inverse * x;
  gradient[0] = -x[0] / 9 - 0.5 * (kFunnelDimension - 1) + 0.5 * squares * inverse;
  return -x[0] * x[0] / 18 - 0.5 * (kFunnelDimension - 1) * x[0] - 0.5 * squares * inverse;
}

// Below this v, which happens with probability 0.02, steps of the size that suits the rest diverge.
constexpr double kNeck = -6;
double InNeck(const Eigen::VectorXd& x) { return x[0] < kNeck ? 1 : 0; }
const double kNeckProbability = std::exp(testing::LogUpperTail(-kNeck / 3));

TEST(KnownPosteriorsTest, CentredFunnelIsWrongInTheNeckAndReportsDivergences) {
  constexpr int kChains = 8;
  int divergences = 0;
  int chains_with_divergences = 0;
  double share = 0;
  for (std::uint64_t seed = 1; seed <= kChains; ++seed) {
    const Draws draws = Sample(kFunnelDimension, Funnel, {}, 1000, 4000, seed);
    divergences += draws.divergences;
    chains_with_divergences += draws.divergences > 0 ? 1 : 0;
    for (const Eigen::VectorXd& x : draws.positions) share += InNeck(x) / (4000.0 * kChains);
  }
  // Whoever looks at the draws alone may see nothing; the divergences tell. A single chain may be
  // lucky never to meet the neck.
  EXPECT_LT(share, 0.5 * kNeckProbability);
  EXPECT_GE(divergences, 40);
  EXPECT_GE(chains_with_divergences, kChains / 2);
  RecordProperty("divergences", divergences);
  RecordProperty("chains_with_divergences", chains_with_divergences);
}

TEST(KnownPosteriorsTest, NonCentredFunnelIsExactAndHasNoDivergences) {
  const DensityFunction density = [](const Eigen::VectorXd& z, Eigen::VectorXd& gradient) {
    gradient = -z;
    gradient[0] = -z[0] / 9;
    return -z[0] * z[0] / 18 - 0.5 * z.tail(kFunnelDimension - 1).squaredNorm();
  };
  const Draws draws = Sample(kFunnelDimension, density, {}, 1000, SampleCount(20'000), 4);
  EXPECT_EQ(draws.divergences, 0);
  Expectations expectations(draws);
  expectations.Compare("v", 0, [](const Eigen::VectorXd& x) { return x[0]; });
  expectations.Compare("v^2", 9, [](const Eigen::VectorXd& x) { return x[0] * x[0]; });
  expectations.Compare("neck", kNeckProbability, InNeck);
  expectations.Check();
}

}  // namespace
}  // namespace posteriord::core
