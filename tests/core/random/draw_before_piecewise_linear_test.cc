#include "core/random/draw_before_piecewise_linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "tests/core/testing/normal_reference.h"
#include "tests/core/testing/partitions.h"
#include "tests/core/testing/precisions.h"
#include "tests/core/testing/statistics.h"
#include "tests/core/testing/uniforms_of.h"

namespace posteriord::core {
namespace {

using testing::ExpectSameInAnyPartition;
using testing::kFalseAlarm;
using testing::NormalBound;
using testing::PiecewiseLinearReference;
using testing::SampleCount;
using testing::UniformityTest;
using testing::UniformsOf;

constexpr PiecewiseLinear kRelu = PiecewiseLinear::Relu();
constexpr PiecewiseLinear kAbsolute = PiecewiseLinear::Absolute();
constexpr PiecewiseLinear kSign = PiecewiseLinear::Sign();
constexpr PiecewiseLinear kHardTanh = PiecewiseLinear::HardTanh();
// Nothing special: slopes of both signs, jumps, knots off 0.
constexpr PiecewiseLinear kJagged({-2, 1}, -0.5, {0.5, -1}, 0.25, {3, 0});
constexpr PiecewiseLinear kStep({0.5, 1}, 0.75, {-1, 2});

std::string Describe(const PiecewiseLinearReference::Inputs& in) {
  std::string text = "pieces";
  for (std::size_t i = 0; i < in.activation.size(); ++i) {
    const PiecewiseLinear::Piece& piece = in.activation.piece(i);
    text += " " + std::to_string(piece.slope) + " z + " + std::to_string(piece.offset);
  }
  return text + ", variances " + std::to_string(in.variance) + " " +
         std::to_string(in.output_variance) + " mean " + std::to_string(in.mean) + " output " +
         std::to_string(in.output);
}

template <typename T>
class BeforePiecewiseLinearTest : public ::testing::Test {};
TYPED_TEST_SUITE(BeforePiecewiseLinearTest, testing::Precisions, testing::PrecisionNames);

TYPED_TEST(BeforePiecewiseLinearTest, IsTheSameInAnyPartition) {
  const RandomBlock block(1, 2, 3, 4);
  std::vector<TypeParam> mean(300), output(300);
  std::mt19937 random(6);
  std::normal_distribution<double> normal;
  for (TypeParam& value : mean) value = static_cast<TypeParam>(3 * normal(random));
  for (TypeParam& value : output) value = static_cast<TypeParam>(3 * normal(random));
  const absl::Span<const TypeParam> means(mean), outputs(output);
  for (const PiecewiseLinear& activation :
       {kRelu, kSign, kHardTanh, kJagged, PiecewiseLinear::Linear()}) {
    ExpectSameInAnyPartition<TypeParam>(
        [&](std::uint64_t first, std::size_t begin, absl::Span<TypeParam> out) {
          DrawBeforePiecewiseLinear<TypeParam>(activation, 0.1, 0.2, block, first,
                                               means.subspan(begin, out.size()),
                                               outputs.subspan(begin, out.size()), out);
        });
  }
}

// ----- Distributions -----

template <typename T>
std::vector<T> DrawMany(const PiecewiseLinearReference::Inputs& in, int count, std::uint64_t seed) {
  const std::vector<T> mean(count, static_cast<T>(in.mean));
  const std::vector<T> output(count, static_cast<T>(in.output));
  std::vector<T> draws(count);
  DrawBeforePiecewiseLinear<T>(in.activation, in.variance, in.output_variance,
                               RandomBlock(seed, 0, 0, 0), 0, mean, output, absl::MakeSpan(draws));
  return draws;
}

// The reference sees what the sampler sees.
template <typename T>
PiecewiseLinearReference::Inputs Rounded(PiecewiseLinearReference::Inputs in) {
  in.mean = static_cast<double>(static_cast<T>(in.mean));
  in.output = static_cast<double>(static_cast<T>(in.output));
  return in;
}

// In single precision only what is rounded differs: a quarter of the draws will do.
template <typename T>
void ExpectDistribution(const PiecewiseLinearReference::Inputs& inputs, std::uint64_t seed) {
  const PiecewiseLinearReference::Inputs in = Rounded<T>(inputs);
  SCOPED_TRACE(Describe(in));
  const PiecewiseLinearReference reference(in);
  UniformityTest uniformity;
  const std::size_t pieces = in.activation.size();
  std::vector<std::int64_t> in_piece(pieces);
  const int count = SampleCount(sizeof(T) == sizeof(double) ? 1 << 20 : 1 << 18);
  for (const T draw : DrawMany<T>(in, count, seed)) {
    const auto z = static_cast<double>(draw);
    ++in_piece[in.activation.PieceAt(z)];
    uniformity.Add(reference.Cdf(z));
  }
  EXPECT_GT(uniformity.KolmogorovPValue(), kFalseAlarm);
  EXPECT_GT(uniformity.ChiSquaredPValue(), kFalseAlarm);
  for (std::size_t i = 0; i < pieces; ++i) {
    const double p = reference.pieces()[i].probability;
    const double spread = std::sqrt(p * (1 - p) * count);
    if (spread > 10) {
      EXPECT_LT(std::abs(static_cast<double>(in_piece[i]) - p * count), NormalBound() * spread);
    }
  }
}

// With both variances 1 and a ReLU, the pieces' means lie `below` and `above` standard deviations
// outside of their half lines when m = below and x = -m - sqrt(2) above.
TYPED_TEST(BeforePiecewiseLinearTest, ReluMatchesTheExactMixtureAtEveryTruncationDepth) {
  std::uint64_t seed = 10;
  for (const double depth : {0.0, 5.0, 20.0, 40.0}) {
    for (const double below : {-depth, depth}) {
      for (const double above : {-depth, depth}) {
        if (depth == 0 && (std::signbit(below) || std::signbit(above))) continue;
        ExpectDistribution<TypeParam>({kRelu, 1, 1, below, -below - std::sqrt(2.0) * above},
                                      ++seed);
      }
    }
  }
}

TYPED_TEST(BeforePiecewiseLinearTest, ReluIsExactWhereLogOfOnePlusErfUnderflows) {
  const PiecewiseLinearReference::Inputs first{kRelu, 1, 0.1, 2, -2.2};
  const PiecewiseLinearReference::Inputs second{kRelu, 1, 1, 15, -25};
  EXPECT_NEAR(PiecewiseLinearReference(first).pieces()[0].probability, 0.896, 5e-4);
  EXPECT_NEAR(PiecewiseLinearReference(second).pieces()[0].probability, 0.404, 5e-4);
  ExpectDistribution<TypeParam>(first, 30);
  ExpectDistribution<TypeParam>(second, 31);
}

TYPED_TEST(BeforePiecewiseLinearTest, ReluMatchesTheExactMixtureAtExtremeRatiosOfNoise) {
  ExpectDistribution<TypeParam>({kRelu, 1, 1e-8, 0.5, 1e-4}, 40);
  ExpectDistribution<TypeParam>({kRelu, 1, 1e-8, -0.5, -3e-4}, 41);
  ExpectDistribution<TypeParam>({kRelu, 1e-8, 1, 5e-5, -0.5}, 42);
  ExpectDistribution<TypeParam>({kRelu, 1e-8, 1, -1e-4, 3}, 43);
  ExpectDistribution<TypeParam>({kRelu, 1e-10, 1e-10, 5e-6, -4e-6}, 44);
  ExpectDistribution<TypeParam>({kRelu, 1e6, 1e6, 400, -800}, 45);
}

TYPED_TEST(BeforePiecewiseLinearTest, OtherSlopesMatchTheExactMixture) {
  ExpectDistribution<TypeParam>({kAbsolute, 1, 0.1, 0.05, 1}, 50);
  ExpectDistribution<TypeParam>({kAbsolute, 1, 0.1, -3, -2}, 51);
  ExpectDistribution<TypeParam>({PiecewiseLinear({0.2, 0}, 0, {1.5, 0}), 0.5, 0.3, 0.4, -0.3}, 52);
  ExpectDistribution<TypeParam>({PiecewiseLinear::LeakyRelu(0.1), 1, 0.01, 0.3, -0.05}, 53);
  ExpectDistribution<TypeParam>({PiecewiseLinear::Linear(), 2, 0.5, 1, -3}, 54);
  ExpectDistribution<TypeParam>({PiecewiseLinear({-3, 2}), 2, 0.5, 1, -3}, 55);
}

// The output at which the top piece has probability 1/2. REQUIRES: `activation` increases.
double BalancedOutput(PiecewiseLinearReference::Inputs in) {
  double low = -1e4 * (1 + std::abs(in.mean));
  double high = -low;
  for (int i = 0; i < 60; ++i) {
    in.output = low / 2 + high / 2;
    (PiecewiseLinearReference(in).pieces().back().log_odds > 0 ? high : low) = in.output;
  }
  return high;
}

// The mean lies `depth` standard deviations outside of the top piece or inside of it, and the
// output makes up for it, so that both are drawn.
TYPED_TEST(BeforePiecewiseLinearTest, BalancedPiecesMatchTheExactMixtureAtEveryTruncationDepth) {
  std::uint64_t seed = 100;
  for (const double depth : {0.0, 5.0, 20.0, 40.0}) {
    for (const double mean : {-depth, depth}) {
      if (depth == 0 && std::signbit(mean)) continue;
      for (const PiecewiseLinear& activation :
           {kSign, kHardTanh, PiecewiseLinear::LeakyRelu(0.2)}) {
        PiecewiseLinearReference::Inputs in{activation, 1, mean < 0 ? 1 : 0.01, mean, 0};
        in.output = BalancedOutput(in);
        ExpectDistribution<TypeParam>(in, ++seed);
      }
    }
  }
}

// Mean and output of the middle piece pull to one of its ends, or beyond.
TYPED_TEST(BeforePiecewiseLinearTest, FinitePiecesMatchTheExactMixtureAtEveryTruncationDepth) {
  std::uint64_t seed = 200;
  for (const double depth : {0.0, 5.0, 20.0, 40.0}) {
    for (const double side : {-1.0, 1.0}) {
      // Outer pieces of steep slopes keep the latent out.
      const PiecewiseLinear well({-1000, -1000}, -1, {1, 0}, 1, {1000, -1000});
      const double center = side * (1 + depth / std::sqrt(2.0));
      ExpectDistribution<TypeParam>({well, 1, 1, center, center}, ++seed);
      ExpectDistribution<TypeParam>({well, 1e-2, 1e-2, side * (1 + 0.1 * depth), side}, ++seed);
    }
  }
  // Wide noise: the middle piece is a small part of a standard deviation.
  ExpectDistribution<TypeParam>({kHardTanh, 100, 100, 0, 0}, ++seed);
  ExpectDistribution<TypeParam>({kHardTanh, 1e4, 1, -20, 0.3}, ++seed);
  ExpectDistribution<TypeParam>(
      {PiecewiseLinear({-1e6, 0}, -1, {1, 0}, 1, {1e6, 0}), 40, 40, 10, 0}, ++seed);
  ExpectDistribution<TypeParam>({kHardTanh, 0.3, 0.2, 0.5, 0.7}, ++seed);
  ExpectDistribution<TypeParam>({kHardTanh, 1e-4, 1e-4, 1.002, 0.995}, ++seed);
  ExpectDistribution<TypeParam>({kHardTanh, 1e-4, 1e-4, 0.4, 0.41}, ++seed);
  ExpectDistribution<TypeParam>({kHardTanh, 1e-4, 1e-4, -1.4, -1.01}, ++seed);
}

TYPED_TEST(BeforePiecewiseLinearTest, JumpsAndKnotsAnywhereMatchTheExactMixture) {
  ExpectDistribution<TypeParam>({kJagged, 1, 1, 0, 0}, 300);
  ExpectDistribution<TypeParam>({kJagged, 0.2, 0.4, 0.1, -0.2}, 301);
  ExpectDistribution<TypeParam>({kJagged, 1, 20, 0.5, 2}, 302);
  ExpectDistribution<TypeParam>({kStep, 1, 1, 0.5, 1}, 303);
  ExpectDistribution<TypeParam>({kStep, 0.01, 0.5, 0.8, 0.2}, 304);
  ExpectDistribution<TypeParam>({PiecewiseLinear({1, 0}, 2, {3, -4}), 1, 1, 1.5, 2}, 305);
}

TYPED_TEST(BeforePiecewiseLinearTest, ScaledActivationsMatchTheExactMixture) {
  std::uint64_t seed = 400;
  // A large slope pushes the latent so close to a knot that single precision shows.
  const double large = sizeof(TypeParam) == sizeof(double) ? 300 : 10;
  for (const double factor : {-0.7, -40.0, 1e-9, 0.0, large}) {
    const double pull = std::min(std::abs(factor), 1.0) * (factor < 0 ? -1 : 1);
    for (const PiecewiseLinear& activation : {kRelu, kAbsolute, kSign, kHardTanh, kJagged}) {
      ExpectDistribution<TypeParam>({activation.Scaled(factor), 1, 0.5, 0.3, 0.4 * pull}, ++seed);
    }
  }
}

TYPED_TEST(BeforePiecewiseLinearTest, AnActivationScaledToZeroLeavesThePrior) {
  for (const PiecewiseLinear& activation : {kRelu, kSign, kHardTanh}) {
    const PiecewiseLinearReference::Inputs prior{PiecewiseLinear::Linear().Scaled(0), 4, 0.1, -1,
                                                 7};
    PiecewiseLinearReference::Inputs in = prior;
    in.activation = activation.Scaled(0);
    const PiecewiseLinearReference reference(prior);
    UniformityTest uniformity;
    for (const TypeParam draw : DrawMany<TypeParam>(in, SampleCount(1 << 18), 500)) {
      uniformity.Add(reference.Cdf(static_cast<double>(draw)));
    }
    EXPECT_GT(uniformity.PValue(), kFalseAlarm);
  }
}

// Draws from a density slightly wrong in one of its parts must not pass for right.
TEST(DrawBeforePiecewiseLinearTest, TheDistributionTestDetectsSlightlyWrongDensities) {
  const auto p_value = [](const PiecewiseLinearReference::Inputs& right,
                          const PiecewiseLinearReference::Inputs& drawn) {
    const PiecewiseLinearReference reference(right);
    UniformityTest uniformity;
    for (const double z : DrawMany<double>(drawn, SampleCount(1 << 18), 600)) {
      uniformity.Add(reference.Cdf(z));
    }
    return uniformity.PValue();
  };
  // A sixteenth of the draws sees errors four times as large.
  const double change = SampleCount(16) == 16 ? 0.06 : 0.24;
  for (const PiecewiseLinear& activation : {kRelu, kHardTanh, kSign, kJagged}) {
    PiecewiseLinearReference::Inputs right{activation, 0.5, 0.4, 0.3, 0.6};
    if (activation.piece(0).slope != 0) right.output_variance = 4;  // or the prior would not count
    SCOPED_TRACE(Describe(right));
    EXPECT_GT(p_value(right, right), kFalseAlarm);
    for (int part = 0; part < 5; ++part) {
      PiecewiseLinearReference::Inputs wrong = right;
      if (part == 0) wrong.variance *= 1 + change;
      if (part == 1) wrong.output_variance *= 1 + 2 * change;
      if (part == 2) wrong.mean += change;
      if (part == 3) wrong.output += change;
      if (part == 4) wrong.activation = activation.Scaled(1 + change);
      EXPECT_LT(p_value(right, wrong), kFalseAlarm) << "part " << part;
    }
  }
}

// ----- Single draws, in 80 digits -----

// What rounding of the two terms of a piece's mean, measured from its nearer knot, may do to its
// depth.
double DepthError(const PiecewiseLinearReference::Inputs& in, std::size_t piece) {
  const double slope = in.activation.piece(piece).slope;
  const double joint = in.output_variance + slope * slope * in.variance;
  const double scale = std::sqrt(in.variance * in.output_variance / joint);
  double error = 0;
  for (std::size_t knot = 0; knot + 1 < in.activation.size(); ++knot) {
    if (knot != piece && knot + 1 != piece) continue;
    const double at = in.activation.knot(knot);
    const double value = in.activation.piece(piece).At(at);
    const double mean = std::abs(in.mean - at) * in.output_variance / joint;
    const double pull = std::abs(slope) * in.variance / joint *
                        (std::abs(in.output - value) + std::abs(slope * at) + std::abs(value));
    error = std::max(error, 1e-15 * (mean + pull) / scale);
  }
  return error;
}

// Depths are known to rounding, log weights to that of depth^2 / 2 and of the log densities at the
// knots.
double LogOddsError(const PiecewiseLinearReference::Inputs& in,
                    const PiecewiseLinearReference& reference) {
  double error = 1e-13;
  for (std::size_t i = 0; i < in.activation.size(); ++i) {
    const PiecewiseLinearReference::Piece& piece = reference.pieces()[i];
    const double inside = std::max(-piece.depth, 0.0);
    error += 1e-15 * inside * inside + (1 + inside) * DepthError(in, i);
    if (std::isfinite(piece.width)) {
      const double far = std::abs(piece.depth) + piece.width;
      error += (1e-15 * far + 2 * DepthError(in, i)) * (1 + piece.width);
    }
  }
  for (std::size_t knot = 0; knot + 1 < in.activation.size(); ++knot) {
    const double below = in.activation.piece(knot).At(in.activation.knot(knot));
    const double above = in.activation.piece(knot + 1).At(in.activation.knot(knot));
    error += 1e-15 * std::abs(above - below) *
             (std::abs(in.output) + std::abs(above) + std::abs(below)) / in.output_variance;
  }
  return error;
}

// Normal number kSettledNormals + `entry` of block (seed, 0, 0, 0), by Box and Muller's formula.
double SettledNormal(std::uint32_t seed, std::uint64_t entry) {
  const UniformsOf uniforms(seed, (kSettledNormals + entry) / 2);
  const double angle = 2 * std::numbers::pi * uniforms.second;
  return std::sqrt(-2 * std::log(uniforms.first)) *
         (entry % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

// Draws element `element` of block (8, 0, 0, 0) and checks it. Returns whether rounding left no
// doubt about the piece.
bool ExpectExactDraw(const PiecewiseLinearReference::Inputs& in, std::uint32_t element) {
  SCOPED_TRACE(::testing::Message() << element << ": " << Describe(in));
  double z = 0;
  DrawBeforePiecewiseLinear<double>(in.activation, in.variance, in.output_variance,
                                    RandomBlock(8, 0, 0, 0), element, {&in.mean, 1},
                                    {&in.output, 1}, {&z, 1});
  EXPECT_TRUE(std::isfinite(z));
  const UniformsOf uniforms(8, element);
  const PiecewiseLinearReference reference(in);
  const std::size_t top = in.activation.size() - 1;
  // Below its probability the first uniform picks the top piece, above 1 minus its probability the
  // bottom one.
  const double logit = std::log1p(-uniforms.first) - std::log(uniforms.first);
  const double top_margin = logit + reference.pieces()[top].log_odds;
  const double bottom_margin = -logit + reference.pieces()[0].log_odds;
  const double unsure = LogOddsError(in, reference);
  if (std::abs(top_margin) < unsure || std::abs(bottom_margin) < unsure) return false;
  const std::size_t i = top_margin > 0 ? top : bottom_margin > 0 ? 0 : 1;
  const PiecewiseLinearReference::Piece& piece = reference.pieces()[i];

  const double knot = in.activation.knot(piece.lower_near ? i - 1 : i);
  const double beyond = (z - knot) * (piece.lower_near ? 1 : -1);
  EXPECT_TRUE(beyond > 0 || (beyond == 0 && std::signbit(beyond) == std::signbit(0.0)))
      << "z " << z << " is not in piece " << i;
  const double y = beyond / piece.scale;
  if (piece.depth < -1e12) {  // the noise drowns in the rounding of the mean
    EXPECT_NEAR(y / -piece.depth, 1, 1e-11);
    return true;
  }
  const double depth_error = DepthError(in, i) + 1e-15 * std::abs(piece.depth);
  double tolerance = 4e-15 * y + 4e-16 * std::abs(z) / piece.scale +
                     (piece.depth > 5 ? 2e-15 / piece.depth : 4e-15 * (1 + std::abs(piece.depth)));
  const double normal = SettledNormal(8, element);
  const bool may_be_settled = piece.depth < -8.9 && piece.log_odds > 39;
  if (may_be_settled && std::abs(y - (normal - piece.depth)) < tolerance + 4 * depth_error) {
    return true;
  }
  double error = 0;
  if (std::isfinite(piece.width)) {
    EXPECT_LE(y, piece.width * (1 + 1e-15) + 4e-16 * std::abs(knot) / piece.scale);
    error = testing::ErrorOfExcessWithin(piece.depth, piece.width, uniforms.second, y);
    tolerance = std::max(tolerance, 1e-14 * piece.width) + 4 * depth_error;
  } else {
    const testing::ExcessError excess = testing::ErrorOfExcess(piece.depth, uniforms.second, y);
    error = excess.absolute;
    tolerance += 4 * excess.sensitivity * depth_error;
  }
  EXPECT_NEAR(error, 0, tolerance) << "depth " << piece.depth << " y " << y;
  return true;
}

TEST(DrawBeforePiecewiseLinearTest, IsExactForInputsOfAnyMagnitude) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> exponent(-12, 12);
  std::uniform_real_distribution<double> near(-40, 40);
  const auto magnitude = [&] { return std::pow(10, exponent(random)); };
  const auto sign = [&] { return random() % 2 == 0 ? 1.0 : -1.0; };
  const int count = SampleCount(4000);
  int checked = 0;
  for (int i = 0; i < count; ++i) {
    PiecewiseLinearReference::Inputs in{i % 4 == 0 ? kAbsolute : kRelu, magnitude(), magnitude(),
                                        sign() * magnitude(), sign() * magnitude()};
    // Half of them where both pieces matter: a mean or an output of some standard deviations.
    if (i % 2 == 0) in.mean = near(random) * std::sqrt(in.variance);
    if (i % 3 == 0) in.output = near(random) * std::sqrt(in.output_variance);
    checked += ExpectExactDraw(in, i) ? 1 : 0;
    if (HasFailure()) return;
  }
  EXPECT_GT(checked, count * 3 / 4);
}

// Depths up to a thousand standard deviations on both sides of every knot, slopes of every size.
TEST(DrawBeforePiecewiseLinearTest, OtherActivationsAreExactUpToThousandStandardDeviations) {
  std::mt19937_64 random(17);
  std::uniform_real_distribution<double> exponent(-6, 6);
  std::uniform_real_distribution<double> depth_exponent(-1, 3);
  const auto magnitude = [&] { return std::pow(10, exponent(random)); };
  const auto sign = [&] { return random() % 2 == 0 ? 1.0 : -1.0; };
  const auto depth = [&] { return sign() * std::pow(10, depth_exponent(random)); };
  const int count = SampleCount(2500);
  int checked = 0;
  for (int i = 0; i < count; ++i) {
    const PiecewiseLinear activations[] = {kHardTanh, kSign, kJagged, kStep, kAbsolute};
    const PiecewiseLinear activation =
        activations[i % 5].Scaled(i % 3 == 0 ? 1 : sign() * magnitude());
    PiecewiseLinearReference::Inputs in{activation, magnitude(), magnitude(), 0, 0};
    const std::size_t knot = random() % (activation.size() - 1);
    in.mean = activation.knot(knot) + depth() * std::sqrt(in.variance);
    in.output = activation(activation.knot(knot)) + depth() * std::sqrt(in.output_variance);
    checked += ExpectExactDraw(in, i) ? 1 : 0;
    if (HasFailure()) return;
  }
  EXPECT_GT(checked, count * 3 / 4);
}

// Means a hundred standard deviations inside of one piece after the other.
TEST(DrawBeforePiecewiseLinearTest, SettledLatentsAreTheNormalsOfTheBlock) {
  constexpr std::uint64_t kEntries = 1000;
  constexpr std::uint64_t kFirst = 37;
  for (const PiecewiseLinear& activation : {kRelu, kHardTanh, kStep, PiecewiseLinear::Linear()}) {
    std::vector<double> mean(kEntries), output(kEntries), draws(kEntries);
    for (std::size_t i = 0; i < kEntries; ++i) {
      mean[i] = std::vector<double>{-100, 0, 100}[i % 3] + (activation.size() == 2 ? 50 : 0);
      output[i] = activation(mean[i]);
    }
    DrawBeforePiecewiseLinear<double>(activation, 1e-2, 1e-2, RandomBlock(8, 0, 0, 0), kFirst, mean,
                                      output, absl::MakeSpan(draws));
    for (std::size_t i = 0; i < kEntries; ++i) {
      double slope = 0;
      for (std::size_t piece = 0; piece < activation.size(); ++piece) {
        const bool below_next = piece + 1 == activation.size() || mean[i] < activation.knot(piece);
        if (below_next) {
          slope = activation.piece(piece).slope;
          break;
        }
      }
      const double scale = std::sqrt(1e-2 / (1 + slope * slope));
      const double normal = SettledNormal(8, kFirst + i);
      EXPECT_NEAR(std::abs(draws[i] - mean[i]), scale * std::abs(normal), 1e-12) << i;
    }
  }
}

TYPED_TEST(BeforePiecewiseLinearTest, StaysFiniteForInputsOfAnyMagnitude) {
  std::mt19937_64 random(9);
  std::uniform_real_distribution<double> exponent(-12, 12);
  constexpr int kEntries = 64;
  std::vector<TypeParam> mean(kEntries), output(kEntries), draws(kEntries);
  const int calls = SampleCount(40'000);
  for (int call = 0; call < calls; ++call) {
    for (std::vector<TypeParam>* values : {&mean, &output}) {
      for (TypeParam& value : *values) {
        value = static_cast<TypeParam>(std::pow(10, exponent(random)));
        if (random() % 2 == 0) value = -value;
        if (random() % 16 == 0) value = 0;
      }
    }
    PiecewiseLinear activation = call % 2 == 0 ? kRelu : call % 4 == 1 ? kHardTanh : kSign;
    if (call % 3 == 0) activation = activation.Scaled(-std::pow(10, 2 * exponent(random)));
    if (call % 16 == 0) activation = activation.Scaled(1e-200);
    DrawBeforePiecewiseLinear<TypeParam>(activation, std::pow(10, exponent(random)),
                                         std::pow(10, exponent(random)), RandomBlock(9, 0, call, 0),
                                         0, mean, output, absl::MakeSpan(draws));
    for (int i = 0; i < kEntries; ++i) {
      ASSERT_TRUE(std::isfinite(draws[i])) << "mean " << mean[i] << " output " << output[i];
    }
  }
}

// ----- Probabilities of pieces -----

TEST(DrawBeforePiecewiseLinearTest, TheReferenceGivesTheLogOddsOfSignInClosedForm) {
  for (const double mean : {-37.0, -3.0, 0.0, 0.5, 12.0}) {
    const PiecewiseLinearReference reference({kSign, 4, 0.5, mean, -0.3});
    const double log_odds =
        2 * -0.3 / 0.5 + testing::LogUpperTail(-mean / 2) - testing::LogUpperTail(mean / 2);
    EXPECT_NEAR(reference.pieces()[1].log_odds, log_odds, 1e-15 * (4 + mean * mean));
  }
}

// Finds, at an element whose first uniform is known, the mean at which the draw passes a knot: the
// probability of what lies above is the uniform there.
TEST(DrawBeforePiecewiseLinearTest, ProbabilitiesOfRarePiecesAreExact) {
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
    PiecewiseLinear activation;
    double variance, output_variance, output;
  };
  const std::vector<Case> cases = {
      {kRelu, 1, 0.1, -2.2},
      {kRelu, 1, 1, -25},
      {kRelu, 1, 1, 0.3},
      {kRelu, 1, 1, 3},
      {kRelu, 1, 1e-8, -3e-4},
      {kRelu, 1, 1e-12, -1},
      {kRelu, 1e-4, 1e-4, -2},
      {kRelu, 1, 1e-12, -1e3},
      {kRelu, 1e-12, 1, -1e3},
      {kRelu, 1e-3, 1e3, 20},
      {kRelu.Scaled(-2), 1, 0.1, 2.2},
      {kRelu.Scaled(1e-9), 1, 1e-6, 3},
      {kAbsolute, 1, 0.1, 2},
      {kSign, 1, 1, 0.3},
      {kSign, 1, 1e-2, 4},
      {kSign, 4, 1e-3, -0.5},
      {kSign.Scaled(-0.1), 4, 1e-3, -0.5},
      {kHardTanh, 1, 1, 0.3},
      {kHardTanh, 1, 0.01, 2},
      {kHardTanh, 1e-4, 1e-4, -0.9},
      {kHardTanh, 100, 1, 1.2},
      {kHardTanh, 1e4, 1e4, -30},
      {kHardTanh.Scaled(-3), 0.1, 0.3, 1},
      {kHardTanh.Scaled(1e-7), 1, 1e-8, 1e-4},
      {kJagged, 1, 0.3, 0.5},
  };
  for (const Case& c : cases) {
    const std::size_t knots = c.activation.size() - 1;
    for (const std::uint32_t element : elements) {
      for (std::size_t knot = 0; knot < knots; ++knot) {
        const double u = UniformsOf(10, element).first;
        const auto is_above = [&](double mean) {
          double z = 0;
          DrawBeforePiecewiseLinear<double>(c.activation, c.variance, c.output_variance,
                                            RandomBlock(10, 0, 0, 0), element, {&mean, 1},
                                            {&c.output, 1}, {&z, 1});
          return !std::signbit(z - c.activation.knot(knot));
        };
        double low = -1e20;
        double high = 1e20;
        ASSERT_FALSE(is_above(low));
        ASSERT_TRUE(is_above(high));
        for (int i = 0; i < 200 && std::nextafter(low, high) < high; ++i) {
          const double middle = low / 2 + high / 2;
          (is_above(middle) ? high : low) = middle;
        }
        const PiecewiseLinearReference::Inputs at{c.activation, c.variance, c.output_variance, high,
                                                  c.output};
        SCOPED_TRACE(::testing::Message() << Describe(at) << " uniform " << u << " knot " << knot);
        const auto log_odds_above = [&](double mean) {
          PiecewiseLinearReference::Inputs in = at;
          in.mean = mean;
          const PiecewiseLinearReference reference(in);
          return knot == 0 ? -reference.pieces().front().log_odds
                           : reference.pieces().back().log_odds;
        };
        const double wanted = std::log(u) - std::log1p(-u);
        // The uniform lies between the probabilities at the two neighbouring means, to rounding.
        const PiecewiseLinearReference reference(at);
        double depth = 0;
        for (const auto& piece : reference.pieces()) {
          depth = std::max(depth, std::abs(piece.depth));
        }
        const double log_odds = log_odds_above(high);
        const double step = std::abs(log_odds - log_odds_above(low));
        EXPECT_NEAR(log_odds, wanted,
                    4e-15 * (4 + depth * depth) + 4 * step + LogOddsError(at, reference));
      }
    }
  }
}

}  // namespace
}  // namespace posteriord::core
