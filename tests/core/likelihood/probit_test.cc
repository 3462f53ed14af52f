#include "core/likelihood/probit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/core/testing/normal_reference.h"
#include "tests/core/testing/precisions.h"
#include "tests/core/testing/statistics.h"

namespace posteriord::core {
namespace {

using Eigen::Index;
using testing::kFalseAlarm;
using testing::LogUpperTail;
using testing::Mean;
using testing::NormalBound;
using testing::SampleCount;
using testing::UniformityTest;

constexpr double kVariance = 0.5;
const double kSd = std::sqrt(kVariance);

template <typename T>
class ProbitLikelihoodTest : public ::testing::Test {
 protected:
  ProbitLikelihood<T> likelihood_;
};
TYPED_TEST_SUITE(ProbitLikelihoodTest, testing::Precisions, testing::PrecisionNames);

// Many samples that are alike: the same mean and label, each with latents of its own.
template <typename T>
struct Copies {
  Copies(const std::vector<double>& means, int label, Index samples)
      : mean(samples, means.size()),
        latent(Matrix<T>::Zero(samples, means.size())),
        targets(Eigen::MatrixXd::Constant(samples, 1, label)) {
    for (std::size_t c = 0; c < means.size(); ++c)
      mean.col(c).setConstant(static_cast<T>(means[c]));
  }
  Matrix<T> mean;
  Matrix<T> latent;
  Eigen::MatrixXd targets;
};

// The target's entry is normal above the largest of the others as they were, the others then are
// normal below it.
template <typename T>
void ExpectExactConditionals(const std::vector<double>& means, int label) {
  SCOPED_TRACE(::testing::Message() << means.size() << " classes, label " << label);
  const Index samples = SampleCount(200'000);
  const auto classes = static_cast<Index>(means.size());
  Copies<T> copies(means, label, samples);
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  for (Index row = 0; row < samples; ++row) {
    for (Index c = 0; c < classes; ++c) copies.latent(row, c) = static_cast<T>(normal(random));
  }
  const Matrix<T> before = copies.latent;
  const ProbitLikelihood<T> likelihood;
  likelihood.DrawLatent({0, samples, kVariance}, copies.targets, RandomBlock(2, 0, 1, 0),
                        copies.mean, copies.latent);

  std::vector<UniformityTest> uniformity(classes);
  const auto upper_tail = [&](double z, Index c) {
    return LogUpperTail((z - static_cast<double>(copies.mean(0, c))) / kSd);
  };
  for (Index row = 0; row < samples; ++row) {
    const auto winner = static_cast<double>(copies.latent(row, label));
    double limit = -1e30;
    for (Index c = 0; c < classes; ++c) {
      if (c != label) limit = std::max(limit, static_cast<double>(before(row, c)));
    }
    ASSERT_GE(winner, limit);
    uniformity[label].Add(std::exp(upper_tail(winner, label) - upper_tail(limit, label)));
    for (Index c = 0; c < classes; ++c) {
      if (c == label) continue;
      const auto z = static_cast<double>(copies.latent(row, c));
      ASSERT_LE(z, winner);
      // log Phi(t) = log Q(-t).
      const auto m = static_cast<double>(copies.mean(0, c));
      uniformity[c].Add(std::exp(LogUpperTail((m - z) / kSd) - LogUpperTail((m - winner) / kSd)));
    }
  }
  for (Index c = 0; c < classes; ++c) {
    EXPECT_GT(uniformity[c].PValue(), kFalseAlarm) << "class " << c;
  }
}

TYPED_TEST(ProbitLikelihoodTest, LatentsHaveTheirExactConditionals) {
  ExpectExactConditionals<TypeParam>({0.3, -0.2}, 0);
  ExpectExactConditionals<TypeParam>({0.3, -0.2}, 1);
  ExpectExactConditionals<TypeParam>({0.5, 0.1, -0.4}, 1);
  ExpectExactConditionals<TypeParam>({0.5, 0.1, -0.4}, 2);
  ExpectExactConditionals<TypeParam>({9, 0.1, -9}, 2);  // twelve standard deviations and more
}

// Gibbs sweeps over the latents of a sample settle at z ~ N(mean, variance) given that the target's
// entry is the largest, which rejection sampling draws directly.
template <typename T>
void ExpectTruncatedJoint(const std::vector<double>& means, int label) {
  SCOPED_TRACE(::testing::Message() << means.size() << " classes, label " << label);
  const Index samples = SampleCount(50'000);
  const auto classes = static_cast<Index>(means.size());
  Copies<T> copies(means, label, samples);
  const ProbitLikelihood<T> likelihood;
  for (int sweep = 0; sweep < 30; ++sweep) {
    likelihood.DrawLatent({0, samples, kVariance}, copies.targets, RandomBlock(3, 0, sweep, 0),
                          copies.mean, copies.latent);
  }

  // Means, second moments and products, of either sampler.
  std::vector<Mean> ours(classes * (classes + 3) / 2), theirs = ours;
  const auto add = [&](const std::vector<double>& z, std::vector<Mean>& moments) {
    std::size_t k = 0;
    for (Index i = 0; i < classes; ++i) {
      moments[k++].Add(z[i]);
      for (Index j = 0; j <= i; ++j) moments[k++].Add(z[i] * z[j]);
    }
  };
  std::vector<double> z(classes);
  for (Index row = 0; row < samples; ++row) {
    for (Index c = 0; c < classes; ++c) z[c] = static_cast<double>(copies.latent(row, c));
    add(z, ours);
  }
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  while (theirs[0].count() < 4 * samples) {
    for (Index c = 0; c < classes; ++c) z[c] = means[c] + kSd * normal(random);
    if (std::max_element(z.begin(), z.end()) - z.begin() == label) add(z, theirs);
  }
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_LT(std::abs(ZScore(ours[i], theirs[i])), NormalBound(static_cast<int>(ours.size())))
        << "moment " << i;
  }
}

TYPED_TEST(ProbitLikelihoodTest, SweepsSettleAtTheTruncatedJointDistribution) {
  ExpectTruncatedJoint<TypeParam>({0.2, -0.3}, 1);
  ExpectTruncatedJoint<TypeParam>({0.5, 0.1, -0.4}, 0);
  ExpectTruncatedJoint<TypeParam>({0.5, 0.1, -0.4}, 2);
}

TYPED_TEST(ProbitLikelihoodTest, LatentsDoNotDependOnChunks) {
  constexpr Index kSamples = 50;
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  Matrix<TypeParam> mean(kSamples, 3), latent(kSamples, 3);
  Eigen::MatrixXd targets(kSamples, 1);
  for (Index row = 0; row < kSamples; ++row) {
    targets(row, 0) = static_cast<double>(random() % 3);
    for (Index c = 0; c < 3; ++c) {
      mean(row, c) = static_cast<TypeParam>(normal(random));
      latent(row, c) = static_cast<TypeParam>(normal(random));
    }
  }
  Matrix<TypeParam> whole = latent;
  this->likelihood_.DrawLatent({0, kSamples, kVariance}, targets, RandomBlock(6, 0, 1, 0), mean,
                               whole);
  for (const auto& [first, rows] : {std::pair<Index, Index>{0, 7}, {7, 1}, {8, 42}}) {
    this->likelihood_.DrawLatent({first, kSamples, kVariance}, targets, RandomBlock(6, 0, 1, 0),
                                 mean.middleRows(first, rows), latent.middleRows(first, rows));
  }
  EXPECT_EQ(latent, whole);
}

TYPED_TEST(ProbitLikelihoodTest, TargetsAndVotesGoToTheLargestEntry) {
  EXPECT_FALSE(this->likelihood_.latent_is_observed());
  Matrix<TypeParam> latent(3, 3);
  latent << 1, 3, 2,  //
      -1, -3, -2,     //
      0, 0, 5;
  const Eigen::MatrixXd targets = this->likelihood_.MakeTargets(latent);
  EXPECT_EQ(targets, Eigen::Vector3d(1, 0, 2));
  Eigen::MatrixXd votes = Eigen::MatrixXd::Zero(3, 3);
  this->likelihood_.AddPrediction(latent, votes);
  Eigen::MatrixXd expected(3, 3);
  expected << 0, 1, 0,  //
      1, 0, 0,          //
      0, 0, 1;
  EXPECT_EQ(votes, expected);
}

TYPED_TEST(ProbitLikelihoodTest, ErrorIsTheShareOfWrongClasses) {
  Eigen::MatrixXd prediction(4, 2);
  prediction << 0.9, 0.1,  //
      0.2, 0.8,            //
      0.4, 0.6,            //
      1, 0;
  EXPECT_DOUBLE_EQ(this->likelihood_.Error(prediction, Eigen::Vector4d(0, 1, 0, 0)), 0.25);
}

}  // namespace
}  // namespace posteriord::core
