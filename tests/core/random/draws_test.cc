#include "core/random/draws.h"

#include <Random123/philox.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "tests/core/testing/normal_reference.h"
#include "tests/core/testing/precisions.h"
#include "tests/core/testing/statistics.h"

namespace posteriord::core {
namespace {

using testing::ChiSquaredPValue;
using testing::kFalseAlarm;
using testing::Mean;
using testing::NormalBound;
using testing::SampleCount;
using testing::TwoPieceReference;
using testing::UniformityTest;

constexpr TwoPieceLinear kRelu{.negative_slope = 0, .positive_slope = 1};
constexpr TwoPieceLinear kAbsolute{.negative_slope = -1, .positive_slope = 1};

double StandardCdf(double x) { return std::exp(testing::LogUpperTail(-x)); }

// The two uniforms of an element of RandomBlock(seed, 0, 0, 0), from Random123.
struct UniformsOf {
  UniformsOf(std::uint32_t seed, std::uint32_t element) {
    const auto bits = r123::Philox4x32()({{element, 0, 0, 0}}, {{seed, 0}});
    const auto uniform = [](std::uint32_t low, std::uint32_t high) {
      return std::ldexp(static_cast<double>((std::uint64_t{high} << 32 | low) >> 12) + 0.5, -52);
    };
    first = uniform(bits[0], bits[1]);
    second = uniform(bits[2], bits[3]);
  }
  double first;
  double second;
};

template <typename T>
class DrawsTest : public ::testing::Test {};
TYPED_TEST_SUITE(DrawsTest, testing::Precisions, testing::PrecisionNames);

// ----- Addresses -----

// `draw(first_entry, out)` fills `out`; entries must not depend on how an array is cut.
template <typename T, typename Draw>
void ExpectSameInAnyPartition(Draw draw) {
  constexpr std::size_t kSize = 300;
  constexpr std::uint64_t kFirst = 12345;
  std::vector<T> whole(kSize);
  draw(kFirst, 0, absl::MakeSpan(whole));
  std::mt19937 random(5);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<T> pieces(kSize);
    std::size_t begin = 0;
    while (begin < kSize) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 40, kSize - begin);
      draw(kFirst + begin, begin, absl::MakeSpan(pieces).subspan(begin, size));
      begin += size;
    }
    ASSERT_EQ(whole, pieces);
  }
}

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
        DrawBeforeTwoPieceLinear<TypeParam>(kRelu, 0.1, 0.2, block, first,
                                            means.subspan(begin, out.size()),
                                            others.subspan(begin, out.size()), out);
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

// ----- Latent before a two-piece linear activation -----

template <typename T>
std::vector<T> DrawMany(const TwoPieceReference::Inputs& in, int count, std::uint64_t seed) {
  const std::vector<T> mean(count, static_cast<T>(in.mean));
  const std::vector<T> output(count, static_cast<T>(in.output));
  std::vector<T> draws(count);
  DrawBeforeTwoPieceLinear<T>(in.activation, in.variance, in.output_variance,
                              RandomBlock(seed, 0, 0, 0), 0, mean, output, absl::MakeSpan(draws));
  return draws;
}

template <typename T>
void ExpectTwoPieceDistribution(TwoPieceReference::Inputs in, std::uint64_t seed) {
  SCOPED_TRACE(::testing::Message() << "variances " << in.variance << " " << in.output_variance
                                    << " mean " << in.mean << " output " << in.output);
  // The reference sees what the sampler sees.
  in.mean = static_cast<double>(static_cast<T>(in.mean));
  in.output = static_cast<double>(static_cast<T>(in.output));
  const TwoPieceReference reference(in);
  UniformityTest uniformity;
  std::int64_t negative = 0;
  const int count = SampleCount(1 << 20);
  for (const T draw : DrawMany<T>(in, count, seed)) {
    const auto z = static_cast<double>(draw);
    negative += z < 0 ? 1 : 0;
    uniformity.Add(reference.Cdf(z));
  }
  EXPECT_GT(uniformity.KolmogorovPValue(), kFalseAlarm);
  EXPECT_GT(uniformity.ChiSquaredPValue(), kFalseAlarm);
  const double p = reference.probability_negative();
  const double spread = std::sqrt(p * reference.probability_positive() * count);
  if (spread > 10) {
    EXPECT_LT(std::abs(static_cast<double>(negative) - p * count), NormalBound() * spread);
  }
}

// With both variances 1 and a ReLU, the pieces' means lie `below` and `above` standard deviations
// outside of their half lines when m = below and x = -m - sqrt(2) above.
TYPED_TEST(DrawsTest, BeforeReluMatchesTheExactMixtureAtEveryTruncationDepth) {
  std::uint64_t seed = 10;
  for (const double depth : {0.0, 5.0, 20.0, 40.0}) {
    for (const double below : {-depth, depth}) {
      for (const double above : {-depth, depth}) {
        if (depth == 0 && (std::signbit(below) || std::signbit(above))) continue;
        ExpectTwoPieceDistribution<TypeParam>({kRelu, 1, 1, below, -below - std::sqrt(2.0) * above},
                                              ++seed);
      }
    }
  }
}

TYPED_TEST(DrawsTest, BeforeReluIsExactWhereLogOfOnePlusErfUnderflows) {
  const TwoPieceReference::Inputs first{kRelu, 1, 0.1, 2, -2.2};
  const TwoPieceReference::Inputs second{kRelu, 1, 1, 15, -25};
  EXPECT_NEAR(TwoPieceReference(first).probability_negative(), 0.896, 5e-4);
  EXPECT_NEAR(TwoPieceReference(second).probability_negative(), 0.404, 5e-4);
  ExpectTwoPieceDistribution<TypeParam>(first, 30);
  ExpectTwoPieceDistribution<TypeParam>(second, 31);
}

TYPED_TEST(DrawsTest, BeforeReluMatchesTheExactMixtureAtExtremeRatiosOfNoise) {
  ExpectTwoPieceDistribution<TypeParam>({kRelu, 1, 1e-8, 0.5, 1e-4}, 40);
  ExpectTwoPieceDistribution<TypeParam>({kRelu, 1, 1e-8, -0.5, -3e-4}, 41);
  ExpectTwoPieceDistribution<TypeParam>({kRelu, 1e-8, 1, 5e-5, -0.5}, 42);
  ExpectTwoPieceDistribution<TypeParam>({kRelu, 1e-8, 1, -1e-4, 3}, 43);
  ExpectTwoPieceDistribution<TypeParam>({kRelu, 1e-10, 1e-10, 5e-6, -4e-6}, 44);
  ExpectTwoPieceDistribution<TypeParam>({kRelu, 1e6, 1e6, 400, -800}, 45);
}

TYPED_TEST(DrawsTest, BeforeOtherSlopesMatchesTheExactMixture) {
  ExpectTwoPieceDistribution<TypeParam>({kAbsolute, 1, 0.1, 0.05, 1}, 50);
  ExpectTwoPieceDistribution<TypeParam>({kAbsolute, 1, 0.1, -3, -2}, 51);
  ExpectTwoPieceDistribution<TypeParam>({{0.2, 1.5}, 0.5, 0.3, 0.4, -0.3}, 52);
}

// What the vector code must do at an element, in 50 digits: which piece, and where in it.
struct ExactStep {
  ExactStep(const TwoPieceReference& reference, const UniformsOf& uniforms)
      : is_positive(std::log1p(-uniforms.first) - std::log(uniforms.first) > -reference.log_odds()),
        margin(std::abs(std::log1p(-uniforms.first) - std::log(uniforms.first) +
                        reference.log_odds())),
        piece(is_positive ? reference.positive() : reference.negative()) {}
  bool is_positive;
  double margin;  // distance of the log odds from the choice of the other piece
  TwoPieceReference::Piece piece;
};

// What rounding of the two terms of a piece's mean may do to its depth.
double DepthError(const TwoPieceReference::Inputs& in, double slope, double scale) {
  const double joint = in.output_variance + slope * slope * in.variance;
  const double pull = std::abs(slope) * in.variance / joint * std::abs(in.output);
  return 1e-15 * (std::abs(in.mean) * in.output_variance / joint + pull) / scale;
}

TEST(DrawBeforeTwoPieceLinearTest, IsExactForInputsOfAnyMagnitude) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> exponent(-12, 12);
  std::uniform_real_distribution<double> near(-40, 40);
  const auto magnitude = [&] { return std::pow(10, exponent(random)); };
  const auto sign = [&] { return random() % 2 == 0 ? 1.0 : -1.0; };
  const int count = SampleCount(4000);
  int checked = 0;
  for (int i = 0; i < count; ++i) {
    TwoPieceReference::Inputs in{i % 4 == 0 ? kAbsolute : kRelu, magnitude(), magnitude(),
                                 sign() * magnitude(), sign() * magnitude()};
    // Half of them where both pieces matter: a mean or an output of some standard deviations.
    if (i % 2 == 0) in.mean = near(random) * std::sqrt(in.variance);
    if (i % 3 == 0) in.output = near(random) * std::sqrt(in.output_variance);
    double z = 0;
    DrawBeforeTwoPieceLinear<double>(in.activation, in.variance, in.output_variance,
                                     RandomBlock(8, 0, 0, 0), i, {&in.mean, 1}, {&in.output, 1},
                                     {&z, 1});
    SCOPED_TRACE(::testing::Message()
                 << i << ": slope " << in.activation.negative_slope << " variances " << in.variance
                 << " " << in.output_variance << " mean " << in.mean << " output " << in.output);
    ASSERT_TRUE(std::isfinite(z));
    const UniformsOf uniforms(8, i);
    const TwoPieceReference reference(in);
    const ExactStep exact(reference, uniforms);
    // Depths are known to rounding, and log weights to that of depth^2 / 2.
    const auto log_weight_error = [&](const TwoPieceReference::Piece& piece, double slope) {
      const double inside = std::max(-piece.depth, 0.0);
      return 1e-15 * inside * inside + (1 + inside) * DepthError(in, slope, piece.scale);
    };
    const double unsure = 1e-13 +
                          log_weight_error(reference.negative(), in.activation.negative_slope) +
                          log_weight_error(reference.positive(), in.activation.positive_slope);
    if (exact.margin < unsure) continue;
    ++checked;
    ASSERT_EQ(z > 0 || (z == 0 && !std::signbit(z)), exact.is_positive)
        << "log odds " << reference.log_odds() << " first uniform " << uniforms.first;
    const double y = std::abs(z) / exact.piece.scale;
    if (exact.piece.depth < -1e12) {  // the noise drowns in the rounding of the mean
      EXPECT_NEAR(y / -exact.piece.depth, 1, 1e-11);
      continue;
    }
    const testing::ExcessError error =
        testing::ErrorOfExcess(exact.piece.depth, uniforms.second, y);
    const double slope =
        exact.is_positive ? in.activation.positive_slope : in.activation.negative_slope;
    const double tolerance =
        4e-15 * y +
        (exact.piece.depth > 5 ? 2e-15 / exact.piece.depth
                               : 4e-15 * (1 + std::abs(exact.piece.depth))) +
        4 * error.sensitivity *
            (DepthError(in, slope, exact.piece.scale) + 1e-15 * std::abs(exact.piece.depth));
    EXPECT_NEAR(error.absolute, 0, tolerance) << "depth " << exact.piece.depth << " y " << y;
  }
  EXPECT_GT(checked, count * 3 / 4);
}

TYPED_TEST(DrawsTest, BeforeReluStaysFiniteForInputsOfAnyMagnitude) {
  std::mt19937_64 random(9);
  std::uniform_real_distribution<double> exponent(-12, 12);
  constexpr int kEntries = 64;
  std::vector<TypeParam> mean(kEntries), output(kEntries), draws(kEntries);
  const int calls = SampleCount(20'000);
  for (int call = 0; call < calls; ++call) {
    for (std::vector<TypeParam>* values : {&mean, &output}) {
      for (TypeParam& value : *values) {
        value = static_cast<TypeParam>(std::pow(10, exponent(random)));
        if (random() % 2 == 0) value = -value;
        if (random() % 16 == 0) value = 0;
      }
    }
    DrawBeforeTwoPieceLinear<TypeParam>(kRelu, std::pow(10, exponent(random)),
                                        std::pow(10, exponent(random)), RandomBlock(9, 0, call, 0),
                                        0, mean, output, absl::MakeSpan(draws));
    for (int i = 0; i < kEntries; ++i) {
      ASSERT_TRUE(std::isfinite(draws[i])) << "mean " << mean[i] << " output " << output[i];
    }
  }
}

// Finds, at an element whose first uniform is known, the mean at which the choice of piece flips:
// there the probability of the piece is the uniform.
TEST(DrawBeforeTwoPieceLinearTest, ProbabilitiesOfRarePiecesAreExact) {
  // Elements with uniforms close to 0 and to 1, and ordinary ones.
  std::vector<std::uint32_t> elements = {0, 1, 2, 3};
  double smallest = 1;
  double largest = 0;
  elements.resize(6);
  for (std::uint32_t element = 0; element < 2'000'000; ++element) {
    const double u = UniformsOf(10, element).first;
    if (u < smallest) smallest = u, elements[4] = element;
    if (u > largest) largest = u, elements[5] = element;
  }
  ASSERT_LT(smallest, 1e-5);
  ASSERT_GT(largest, 1 - 1e-5);

  struct Case {
    double variance, output_variance, output;
  };
  const std::vector<Case> cases = {
      {1, 0.1, -2.2}, {1, 1, -25},      {1, 1, 0.3},      {1, 1, 3},        {1, 1e-8, -3e-4},
      {1, 1e-12, -1}, {1e-4, 1e-4, -2}, {1, 1e-12, -1e3}, {1e-12, 1, -1e3}, {1e-3, 1e3, 20}};
  for (const Case& c : cases) {
    for (const std::uint32_t element : elements) {
      const double u = UniformsOf(10, element).first;
      const auto is_positive = [&](double mean) {
        double z = 0;
        DrawBeforeTwoPieceLinear<double>(kRelu, c.variance, c.output_variance,
                                         RandomBlock(10, 0, 0, 0), element, {&mean, 1},
                                         {&c.output, 1}, {&z, 1});
        return !std::signbit(z);
      };
      double low = -1e20;
      double high = 1e20;
      ASSERT_FALSE(is_positive(low));
      ASSERT_TRUE(is_positive(high));
      for (int i = 0; i < 200 && std::nextafter(low, high) < high; ++i) {
        const double middle = low / 2 + high / 2;
        (is_positive(middle) ? high : low) = middle;
      }
      SCOPED_TRACE(::testing::Message()
                   << "variances " << c.variance << " " << c.output_variance << " output "
                   << c.output << " uniform " << u << " mean at the flip " << high);
      const TwoPieceReference reference({kRelu, c.variance, c.output_variance, high, c.output});
      const TwoPieceReference before({kRelu, c.variance, c.output_variance, low, c.output});
      const double wanted = std::log(u) - std::log1p(-u);
      // The uniform lies between the probabilities at the two neighbouring means, to rounding.
      const double depth =
          std::max(std::abs(reference.negative().depth), std::abs(reference.positive().depth));
      const double step = std::abs(reference.log_odds() - before.log_odds());
      EXPECT_NEAR(reference.log_odds(), wanted, 4e-15 * (4 + depth * depth) + 4 * step);
    }
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
