#include "core/random/draw_before_smooth.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/core/testing/partitions.h"
#include "tests/core/testing/precisions.h"
#include "tests/core/testing/smooth_reference.h"
#include "tests/core/testing/statistics.h"

namespace posteriord::core {
namespace {

using testing::ExpectSameInAnyPartition;
using testing::kFalseAlarm;
using testing::Mean;
using testing::NormalBound;
using testing::SampleCount;
using testing::SmoothReference;
using testing::UniformityTest;

constexpr SmoothActivation kTanh = SmoothActivation::Tanh();
constexpr SmoothActivation kErf = SmoothActivation::Erf();
constexpr SmoothActivation kGelu = SmoothActivation::Gelu();

template <typename T>
class BeforeSmoothTest : public ::testing::Test {};
TYPED_TEST_SUITE(BeforeSmoothTest, testing::Precisions, testing::PrecisionNames);

// One transition of all of `draws`, of one density. Returns the proposals per draw.
template <typename T>
double Transition(const SmoothReference::Inputs& in, std::uint64_t seed, std::uint64_t sweep,
                  std::vector<T>& draws) {
  const std::vector<T> mean(draws.size(), static_cast<T>(in.mean));
  const std::vector<T> output(draws.size(), static_cast<T>(in.output));
  const std::int64_t proposals = DrawBeforeSmooth<T>(
      in.activation, in.variance, in.output_variance, RandomBlock(seed, 0, sweep, 0), 0,
      draws.size(), mean, output, absl::MakeSpan(draws));
  return static_cast<double>(proposals) / static_cast<double>(draws.size());
}

// Draws by inversion of the distribution function.
template <typename T>
std::vector<T> ExactDraws(const SmoothReference& reference, int count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform;
  std::vector<T> draws(count);
  for (T& draw : draws) draw = static_cast<T>(reference.Quantile(uniform(random)));
  return draws;
}

// The reference sees what the sampler sees.
template <typename T>
SmoothReference::Inputs Rounded(SmoothReference::Inputs in) {
  in.mean = static_cast<double>(static_cast<T>(in.mean));
  in.output = static_cast<double>(static_cast<T>(in.output));
  return in;
}

std::vector<SmoothReference::Inputs> Cases() {
  std::vector<SmoothReference::Inputs> cases;
  for (const SmoothActivation& s : {kTanh, kErf, kGelu}) {
    // Noise as large as the signal, and small.
    cases.push_back({s, 1, 1, 0, 0});
    cases.push_back({s, 1, 0.3, 1.2, -0.6});
    cases.push_back({s, 1e-4, 1e-4, 0.7, 0.55});
    // One noise far above the other, both ways.
    cases.push_back({s, 1, 1e-6, -0.3, 0.4});
    cases.push_back({s, 1e-6, 1, 0.3, -0.4});
    // Outputs that the activation cannot take, and prior means far out.
    cases.push_back({s, 1, 0.1, 0.5, -3});
    cases.push_back({s, 1, 0.1, 0.5, 3});
    cases.push_back({s, 1, 0.04, 20, -0.9});
    cases.push_back({s, 1, 0.04, -40, 0.9});
    // As scaled by an outgoing weight.
    cases.push_back({s.Scaled(-0.7), 0.5, 0.2, 0.4, -0.3});
    cases.push_back({s.Scaled(-50), 0.5, 0.2, 0.4, -30});
    cases.push_back({s.Scaled(1e-9), 0.5, 0.2, 0.4, 1});
    cases.push_back({s.Scaled(0), 0.5, 0.2, 0.4, 1});
  }
  // Two modes: the prior and the output contradict each other.
  cases.push_back({kTanh, 4, 0.02, 5, -0.5});
  cases.push_back({kErf, 4, 0.04, 5, -0.25});
  // GELU takes small negative values on both sides of its minimum.
  cases.push_back({kGelu, 4, 1e-4, -1, -0.12});
  return cases;
}

TYPED_TEST(BeforeSmoothTest, ATransitionLeavesTheDensityInvariant) {
  std::uint64_t seed = 0;
  for (const SmoothReference::Inputs& inputs : Cases()) {
    const SmoothReference::Inputs in = Rounded<TypeParam>(inputs);
    ++seed;
    SCOPED_TRACE(::testing::Message()
                 << "kind " << static_cast<int>(in.activation.kind) << " scale "
                 << in.activation.scale << " variances " << in.variance << " " << in.output_variance
                 << " mean " << in.mean << " output " << in.output);
    const SmoothReference reference(in);
    const std::vector<TypeParam> before = ExactDraws<TypeParam>(
        reference, SampleCount(sizeof(TypeParam) == 8 ? 1 << 20 : 1 << 18), seed);
    std::vector<TypeParam> after = before;
    const double proposals = Transition(in, seed, 1, after);
    EXPECT_LT(proposals, 20);
    UniformityTest uniformity;
    Mean asymmetry;
    std::int64_t moved = 0;
    for (std::size_t i = 0; i < after.size(); ++i) {
      const double u = reference.Cdf(static_cast<double>(before[i]));
      const double v = reference.Cdf(static_cast<double>(after[i]));
      uniformity.Add(v);
      asymmetry.Add(u * v * (u - v));
      moved += before[i] != after[i] ? 1 : 0;
    }
    EXPECT_GT(uniformity.KolmogorovPValue(), kFalseAlarm);
    EXPECT_GT(uniformity.ChiSquaredPValue(), kFalseAlarm);
    // The transition is reversible too.
    EXPECT_LT(std::abs(ZScore(asymmetry, 0)), NormalBound());
    EXPECT_GT(static_cast<double>(moved), 0.99 * static_cast<double>(after.size()));
  }
}

TYPED_TEST(BeforeSmoothTest, TransitionsFromAFarValueReachTheWholeDensity) {
  std::uint64_t seed = 100;
  for (const SmoothReference::Inputs& inputs : Cases()) {
    const SmoothReference::Inputs in = Rounded<TypeParam>(inputs);
    ++seed;
    SCOPED_TRACE(::testing::Message()
                 << "kind " << static_cast<int>(in.activation.kind) << " scale "
                 << in.activation.scale << " variances " << in.variance << " " << in.output_variance
                 << " mean " << in.mean << " output " << in.output);
    const SmoothReference reference(in);
    const double far = in.mean + 30 * std::sqrt(in.variance);
    std::vector<TypeParam> draws(SampleCount(1 << 14), static_cast<TypeParam>(far));
    for (std::uint64_t sweep = 1; sweep <= 60; ++sweep) Transition(in, seed, sweep, draws);
    UniformityTest uniformity;
    for (const TypeParam draw : draws) uniformity.Add(reference.Cdf(static_cast<double>(draw)));
    EXPECT_GT(uniformity.PValue(), kFalseAlarm);
  }
}

// A density slightly wrong in one of its parts must not pass for invariant.
TEST(DrawBeforeSmoothTest, TheInvarianceTestDetectsSlightlyWrongDensities) {
  const double change = SampleCount(16) == 16 ? 0.05 : 0.4;
  for (const SmoothActivation& activation : {kTanh, kErf, kGelu}) {
    const SmoothReference::Inputs right{activation, 0.5, 0.3, 0.5, 0.8};
    const SmoothReference reference(right);
    const std::vector<double> exact = ExactDraws<double>(reference, SampleCount(1 << 19), 200);
    for (int part = -1; part < 5; ++part) {
      SmoothReference::Inputs drawn = right;
      if (part == 0) drawn.variance *= 1 + change;
      if (part == 1) drawn.output_variance *= 1 + 2 * change;
      if (part == 2) drawn.mean += change;
      if (part == 3) drawn.output += change;
      if (part == 4) drawn.activation = activation.Scaled(1 + change);
      std::vector<double> draws = exact;
      Transition(drawn, 201, 1, draws);
      UniformityTest uniformity;
      for (const double draw : draws) uniformity.Add(reference.Cdf(draw));
      if (part < 0) {
        EXPECT_GT(uniformity.PValue(), kFalseAlarm);
      } else {
        EXPECT_LT(uniformity.PValue(), kFalseAlarm)
            << "kind " << static_cast<int>(activation.kind) << " part " << part;
      }
    }
  }
}

TYPED_TEST(BeforeSmoothTest, IsTheSameInAnyPartition) {
  constexpr std::uint64_t kTotal = 20'000;
  std::vector<TypeParam> mean(300), output(300), start(300);
  std::mt19937 random(6);
  std::normal_distribution<double> normal;
  for (std::vector<TypeParam>* values : {&mean, &output, &start}) {
    for (TypeParam& value : *values) value = static_cast<TypeParam>(2 * normal(random));
  }
  const absl::Span<const TypeParam> means(mean), outputs(output);
  for (const SmoothActivation& activation : {kTanh, kErf, kGelu}) {
    ExpectSameInAnyPartition<TypeParam>(
        [&](std::uint64_t first, std::size_t begin, absl::Span<TypeParam> out) {
          for (std::size_t i = 0; i < out.size(); ++i) out[i] = start[begin + i];
          DrawBeforeSmooth<TypeParam>(activation, 0.5, 1e-3, RandomBlock(1, 2, 3, 4), first, kTotal,
                                      means.subspan(begin, out.size()),
                                      outputs.subspan(begin, out.size()), out);
        });
  }
}

TYPED_TEST(BeforeSmoothTest, StaysFiniteAndKeepsToTheSliceForInputsOfAnyMagnitude) {
  std::mt19937_64 random(9);
  std::uniform_real_distribution<double> exponent(-12, 12);
  constexpr int kEntries = 64;
  std::vector<TypeParam> mean(kEntries), output(kEntries), draws(kEntries);
  const int calls = SampleCount(10'000);
  for (int call = 0; call < calls; ++call) {
    for (std::vector<TypeParam>* values : {&mean, &output, &draws}) {
      for (TypeParam& value : *values) {
        value = static_cast<TypeParam>(std::pow(10, exponent(random)));
        if (random() % 2 == 0) value = -value;
        if (random() % 16 == 0) value = 0;
      }
    }
    const SmoothActivation activation = std::vector{kTanh, kErf, kGelu}[call % 3].Scaled(
        call % 2 == 0 ? 1 : -std::pow(10, exponent(random)));
    const double variance = std::pow(10, exponent(random));
    const double output_variance = std::pow(10, exponent(random));
    const std::vector<TypeParam> before = draws;
    const std::int64_t proposals = DrawBeforeSmooth<TypeParam>(
        activation, variance, output_variance, RandomBlock(9, 0, call, 0), 0, kEntries, mean,
        output, absl::MakeSpan(draws));
    ASSERT_LT(proposals, kEntries * kMaxSliceProposals / 2);
    const auto energy = [&](int i, TypeParam z) {
      const long double from_mean = static_cast<long double>(z) - mean[i];
      const long double from_output = output[i] - testing::SmoothValue(activation, z);
      return from_mean * from_mean / (2 * variance) +
             from_output * from_output / (2 * output_variance);
    };
    for (int i = 0; i < kEntries; ++i) {
      ASSERT_TRUE(std::isfinite(draws[i])) << "mean " << mean[i] << " output " << output[i];
      if constexpr (std::is_same_v<TypeParam, double>) {
        // No uniform is below 2^-53. The activation is known to rounding.
        const long double level = energy(i, before[i]) + 37;
        const long double rounding = 1e-14L * level + 4e-15L * std::abs(activation.scale) *
                                                          (1 + std::abs(draws[i])) *
                                                          std::sqrt(level / output_variance);
        ASSERT_LE(energy(i, draws[i]), level + 2 * rounding)
            << "from " << before[i] << " mean " << mean[i] << " output " << output[i];
      }
    }
  }
}

}  // namespace
}  // namespace posteriord::core
