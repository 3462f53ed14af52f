#include "core/random/draws.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/core/testing/normal_reference.h"
#include "tests/core/testing/partitions.h"
#include "tests/core/testing/precisions.h"
#include "tests/core/testing/statistics.h"
#include "tests/core/testing/uniforms_of.h"

namespace posteriord::core {
namespace {

using testing::ChiSquaredPValue;
using testing::ExpectSameInAnyPartition;
using testing::kFalseAlarm;
using testing::Mean;
using testing::NormalBound;
using testing::SampleCount;
using testing::UniformityTest;
using testing::UniformsOf;

double StandardCdf(double x) { return std::exp(testing::LogUpperTail(-x)); }

template <typename T>
class DrawsTest : public ::testing::Test {};
TYPED_TEST_SUITE(DrawsTest, testing::Precisions, testing::PrecisionNames);

// ----- Addresses -----

TYPED_TEST(DrawsTest, AreTheSameInAnyPartition) {
  const RandomBlock block(1, 2, 3, 4);
  std::vector<TypeParam> mean(300), other(300);
  std::mt19937 random(6);
  std::normal_distribution<double> normal;
  for (TypeParam& value : mean) value = static_cast<TypeParam>(3 * normal(random));
  for (TypeParam& value : other) value = static_cast<TypeParam>(3 * normal(random));
  const absl::Span<const TypeParam> means(mean), others(other);
  ExpectSameInAnyPartition<TypeParam>(
      [&](std::uint64_t first, std::size_t, absl::Span<TypeParam> out) {
        DrawNormals<TypeParam>(block, first, out);
      });
  ExpectSameInAnyPartition<TypeParam>(
      [&](std::uint64_t first, std::size_t begin, absl::Span<TypeParam> out) {
        DrawNormalAbove<TypeParam>(0.1, block, first, means.subspan(begin, out.size()),
                                   others.subspan(begin, out.size()), out);
      });
  ExpectSameInAnyPartition<TypeParam>(
      [&](std::uint64_t first, std::size_t begin, absl::Span<TypeParam> out) {
        DrawNormalBelow<TypeParam>(0.1, block, first, means.subspan(begin, out.size()),
                                   others.subspan(begin, out.size()), out);
      });
}

TEST(DrawUniformsTest, AreTheFirstUniformsOfTheElementsInAnyPartition) {
  std::vector<double> draws(37);
  DrawUniforms(RandomBlock(4, 0, 0, 0), 100, absl::MakeSpan(draws));
  for (std::size_t i = 0; i < draws.size(); ++i) {
    EXPECT_EQ(draws[i], UniformsOf(4, 100 + i).first);
    double alone = 0;
    DrawUniforms(RandomBlock(4, 0, 0, 0), 100 + i, {&alone, 1});
    EXPECT_EQ(alone, draws[i]);
  }
}

TEST(DrawNormalsTest, FloatsAreTheRoundedDoubles) {
  std::vector<float> floats(1001);
  std::vector<double> doubles(1001);
  DrawNormals<float>(RandomBlock(1, 2, 3, 4), 77, absl::MakeSpan(floats));
  DrawNormals<double>(RandomBlock(1, 2, 3, 4), 77, absl::MakeSpan(doubles));
  for (std::size_t i = 0; i < floats.size(); ++i) {
    EXPECT_EQ(floats[i], static_cast<float>(doubles[i]));
  }
}

// ----- Standard normals -----

TYPED_TEST(DrawsTest, NormalsHaveTheMomentsAndTheDistributionOfTheNormal) {
  std::vector<TypeParam> draws(SampleCount(1 << 21));
  DrawNormals<TypeParam>(RandomBlock(1, 0, 1, 0), 0, absl::MakeSpan(draws));
  UniformityTest uniformity;
  std::array<Mean, 6> powers;
  for (const TypeParam draw : draws) {
    const auto x = static_cast<double>(draw);
    uniformity.Add(StandardCdf(x));
    double power = 1;
    for (Mean& mean : powers) mean.Add(power *= x);
  }
  EXPECT_GT(uniformity.KolmogorovPValue(), kFalseAlarm);
  EXPECT_GT(uniformity.ChiSquaredPValue(), kFalseAlarm);
  const std::array<double, 6> expected = {0, 1, 0, 3, 0, 15};
  for (std::size_t i = 0; i < powers.size(); ++i) {
    EXPECT_LT(std::abs(ZScore(powers[i], expected[i])), NormalBound(6)) << "power " << i + 1;
  }
}

TEST(DrawNormalsTest, TailsBeyondFourAndFiveSigmaHaveTheirShare) {
  const int batches = SampleCount(32);
  constexpr int kBatch = 1 << 20;
  constexpr std::array<double, 8> kEdges = {-5, -4.5, -4, -3.5, 3.5, 4, 4.5, 5};
  std::array<double, kEdges.size() + 1> counts{};
  std::vector<double> draws(kBatch);
  for (int batch = 0; batch < batches; ++batch) {
    DrawNormals<double>(RandomBlock(2, 0, batch, 0), 0, absl::MakeSpan(draws));
    for (const double x : draws) {
      if (std::abs(x) < 3.5) continue;
      ++counts[std::upper_bound(kEdges.begin(), kEdges.end(), x) - kEdges.begin()];
    }
  }
  const double total = static_cast<double>(batches) * kBatch;
  double statistic = 0;
  for (std::size_t cell = 0; cell <= kEdges.size(); ++cell) {
    if (cell == kEdges.size() / 2) continue;  // the bulk
    const double below = cell == 0 ? 0 : StandardCdf(kEdges[cell - 1]);
    const double p =
        cell == kEdges.size() ? StandardCdf(-kEdges.back()) : StandardCdf(kEdges[cell]) - below;
    statistic += (counts[cell] - total * p) * (counts[cell] - total * p) / (total * p);
  }
  EXPECT_GT(ChiSquaredPValue(statistic, kEdges.size()), kFalseAlarm);
}

TEST(DrawNormalsTest, NeighboursAreUncorrelated) {
  const int size = SampleCount(1 << 20);
  std::vector<double> a(size), b(size);
  DrawNormals<double>(RandomBlock(3, 0, 1, 0), 0, absl::MakeSpan(a));
  DrawNormals<double>(RandomBlock(3, 0, 2, 0), 0, absl::MakeSpan(b));
  Mean next, after_next, sweep, next_squares, sweep_squares;
  for (int i = 0; i + 2 < size; ++i) {
    next.Add(a[i] * a[i + 1]);
    after_next.Add(a[i] * a[i + 2]);
    sweep.Add(a[i] * b[i]);
    next_squares.Add((a[i] * a[i] - 1) * (a[i + 1] * a[i + 1] - 1));
    sweep_squares.Add((a[i] * a[i] - 1) * (b[i] * b[i] - 1));
  }
  for (const Mean* mean : {&next, &after_next, &sweep, &next_squares, &sweep_squares}) {
    EXPECT_LT(std::abs(ZScore(*mean, 0)), NormalBound(5));
  }
}

// ----- One-sided truncated normals -----

TYPED_TEST(DrawsTest, NormalsAboveAndBelowALimitHaveTheTruncatedDistribution) {
  const double variance = 0.25;
  const double sd = std::sqrt(variance);
  const int count = SampleCount(1 << 19);
  std::uint64_t seed = 60;
  for (const double depth : {-40.0, -20.0, -5.0, -1.0, 0.0, 1.0, 5.0, 5.5, 20.0, 40.0}) {
    for (const double sign : {1.0, -1.0}) {
      const std::vector<TypeParam> mean(count, TypeParam{3});
      const std::vector<TypeParam> limit(count, static_cast<TypeParam>(3 + sign * depth * sd));
      std::vector<TypeParam> draws(count);
      const RandomBlock block(++seed, 0, 0, 0);
      if (sign > 0) {
        DrawNormalAbove<TypeParam>(variance, block, 0, mean, limit, absl::MakeSpan(draws));
      } else {
        DrawNormalBelow<TypeParam>(variance, block, 0, mean, limit, absl::MakeSpan(draws));
      }
      const double log_mass = testing::LogUpperTail(depth);
      UniformityTest uniformity;
      for (int i = 0; i < count; ++i) {
        if (sign > 0) {
          ASSERT_GE(draws[i], limit[i]);
        } else {
          ASSERT_LE(draws[i], limit[i]);
        }
        const double x = sign * (static_cast<double>(draws[i]) - 3) / sd;
        uniformity.Add(std::exp(testing::LogUpperTail(x) - log_mass));
      }
      EXPECT_GT(uniformity.PValue(), kFalseAlarm) << "depth " << depth << " sign " << sign;
    }
  }
}

TYPED_TEST(DrawsTest, NormalsBeyondALimitRespectItForInputsOfAnyMagnitude) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> exponent(-12, 12);
  constexpr int kEntries = 64;
  std::vector<TypeParam> mean(kEntries), limit(kEntries), above(kEntries), below(kEntries);
  const int calls = SampleCount(20'000);
  for (int call = 0; call < calls; ++call) {
    for (std::vector<TypeParam>* values : {&mean, &limit}) {
      for (TypeParam& value : *values) {
        value = static_cast<TypeParam>(std::pow(10, exponent(random)));
        if (random() % 2 == 0) value = -value;
      }
    }
    const double variance = std::pow(10, exponent(random));
    const RandomBlock block(11, 0, call, 0);
    DrawNormalAbove<TypeParam>(variance, block, 0, mean, limit, absl::MakeSpan(above));
    DrawNormalBelow<TypeParam>(variance, block, 0, mean, limit, absl::MakeSpan(below));
    for (int i = 0; i < kEntries; ++i) {
      ASSERT_TRUE(std::isfinite(above[i]) && above[i] >= limit[i]);
      ASSERT_TRUE(std::isfinite(below[i]) && below[i] <= limit[i]);
    }
  }
}

}  // namespace
}  // namespace posteriord::core
