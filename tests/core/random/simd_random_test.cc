#include "core/random/simd_random.h"

#include <Random123/philox.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <vector>

#include "tests/core/testing/normal_reference.h"
#include "tests/core/testing/statistics.h"

namespace posteriord::core::simd {
namespace {

using testing::Mean;
using testing::NormalBound;
using testing::SampleCount;

struct Pair {
  double first;
  double second;
};

std::vector<Pair> Lanes(const UniformPair& uniforms) {
  double first[kLanes];
  double second[kLanes];
  hn::StoreU(uniforms.first, D(), first);
  hn::StoreU(uniforms.second, D(), second);
  std::vector<Pair> lanes;
  for (std::size_t i = 0; i < kLanes; ++i) lanes.push_back({first[i], second[i]});
  return lanes;
}

double ToUniform(std::uint32_t low, std::uint32_t high) {
  const std::uint64_t bits = std::uint64_t{high} << 32 | low;
  return std::ldexp(static_cast<double>(bits >> 12) + 0.5, -52);
}

// The two uniforms of an element according to Random123.
Pair Expected(std::uint64_t seed, std::uint32_t chain, std::uint64_t sweep, std::uint32_t block,
              std::uint64_t element) {
  const r123::Philox4x32::ctr_type counter = {
      {static_cast<std::uint32_t>(element), static_cast<std::uint32_t>(element >> 32) | block << 8,
       static_cast<std::uint32_t>(sweep), static_cast<std::uint32_t>(sweep >> 32) | chain << 16}};
  const r123::Philox4x32::key_type key = {
      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  const r123::Philox4x32::ctr_type bits = r123::Philox4x32()(counter, key);
  return {ToUniform(bits[0], bits[1]), ToUniform(bits[2], bits[3])};
}

TEST(UniformsTest, EqualThoseOfRandom123AtAnyAddress) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    // Shifts make small, large and zero words alike frequent.
    const std::uint64_t seed = random() >> random() % 64;
    const auto chain = static_cast<std::uint32_t>(random() >> (48 + random() % 16));
    const std::uint64_t sweep = random() >> (16 + random() % 48);
    const auto block = static_cast<std::uint32_t>(random() >> (40 + random() % 24));
    const std::uint64_t element = random() >> (24 + random() % 40);
    const std::vector<Pair> lanes =
        Lanes(Uniforms(RandomBlock(seed, chain, sweep, block)).At(element));
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if (element + lane >= std::uint64_t{1} << 40) continue;
      const Pair expected = Expected(seed, chain, sweep, block, element + lane);
      ASSERT_EQ(lanes[lane].first, expected.first) << "element " << element << " lane " << lane;
      ASSERT_EQ(lanes[lane].second, expected.second) << "element " << element << " lane " << lane;
    }
  }
}

TEST(UniformsTest, ContinueAcrossTheBoundaryOfTheElementsLowWord) {
  const Uniforms uniforms(RandomBlock(7, 3, (std::uint64_t{1} << 32) + 5, 9));
  for (std::uint64_t element = 0xFFFFFFFFull - 8; element < 0xFFFFFFFFull + 8; ++element) {
    const std::vector<Pair> lanes = Lanes(uniforms.At(element));
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const Pair expected = Expected(7, 3, (std::uint64_t{1} << 32) + 5, 9, element + lane);
      EXPECT_EQ(lanes[lane].first, expected.first) << element << " + " << lane;
      EXPECT_EQ(lanes[lane].second, expected.second) << element << " + " << lane;
    }
  }
}

TEST(ToUniformTest, StaysInsideTheUnitIntervalAndIsSymmetric) {
  const D64 d64;
  const auto uniform = [&](std::uint64_t bits) {
    return hn::GetLane(internal::ToUniform(hn::Set(d64, bits)));
  };
  EXPECT_EQ(uniform(0), 0x1p-53);
  EXPECT_EQ(uniform(~std::uint64_t{0}), 1 - 0x1p-53);
  std::mt19937_64 random(2);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t bits = random();
    EXPECT_EQ(uniform(bits), 1 - uniform(~bits));
  }
}

// Correlations of uniforms, and of their distances from 1/2, between two streams.
class Correlation {
 public:
  void Add(double u, double v) {
    constexpr double kVariance = 1.0 / 12;
    constexpr double kFoldedVariance = 1.0 / 180;  // of (u - 1/2)^2
    linear_.Add((u - 0.5) * (v - 0.5) / kVariance);
    const double fold_u = (u - 0.5) * (u - 0.5) - kVariance;
    const double fold_v = (v - 0.5) * (v - 0.5) - kVariance;
    folded_.Add(fold_u * fold_v / kFoldedVariance);
  }
  // Larger |z| of both.
  double LargestZ() const {
    return std::max(std::abs(ZScore(linear_, 0)), std::abs(ZScore(folded_, 0)));
  }

 private:
  Mean linear_;
  Mean folded_;
};

TEST(UniformsTest, NeighboursInEveryPartOfTheAddressAreUncorrelated) {
  struct Neighbour {
    const char* what;
    RandomBlock block;
    std::uint64_t shift;
  };
  const RandomBlock base(11, 4, 100, MakeBlock(2, RandomUse::kLatent));
  const std::vector<Neighbour> neighbours = {
      {"next element", base, 1},
      {"element + 8", base, 8},
      {"element + 2^32", base, std::uint64_t{1} << 32},
      {"next seed", RandomBlock(12, 4, 100, MakeBlock(2, RandomUse::kLatent)), 0},
      {"seed + 2^32", RandomBlock(11 + (1ull << 32), 4, 100, MakeBlock(2, RandomUse::kLatent)), 0},
      {"next chain", RandomBlock(11, 5, 100, MakeBlock(2, RandomUse::kLatent)), 0},
      {"next sweep", RandomBlock(11, 4, 101, MakeBlock(2, RandomUse::kLatent)), 0},
      {"sweep + 2^32", RandomBlock(11, 4, 100 + (1ull << 32), MakeBlock(2, RandomUse::kLatent)), 0},
      {"next layer", RandomBlock(11, 4, 100, MakeBlock(3, RandomUse::kLatent)), 0},
      {"other use", RandomBlock(11, 4, 100, MakeBlock(2, RandomUse::kParameters)), 0},
  };
  const int elements = SampleCount(1 << 20);
  const double bound = NormalBound(2 * 5 * static_cast<int>(neighbours.size()));
  for (const Neighbour& neighbour : neighbours) {
    const Uniforms ours(base);
    const Uniforms theirs(neighbour.block);
    Correlation within, first, second, crossed, back;
    for (int element = 0; element < elements; element += static_cast<int>(kLanes)) {
      const std::vector<Pair> a = Lanes(ours.At(element));
      const std::vector<Pair> b = Lanes(theirs.At(element + neighbour.shift));
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        within.Add(a[lane].first, a[lane].second);
        first.Add(a[lane].first, b[lane].first);
        second.Add(a[lane].second, b[lane].second);
        crossed.Add(a[lane].first, b[lane].second);
        back.Add(a[lane].second, b[lane].first);
      }
    }
    EXPECT_LT(within.LargestZ(), bound) << "first and second of an element";
    EXPECT_LT(first.LargestZ(), bound) << neighbour.what;
    EXPECT_LT(second.LargestZ(), bound) << neighbour.what;
    EXPECT_LT(crossed.LargestZ(), bound) << neighbour.what;
    EXPECT_LT(back.LargestZ(), bound) << neighbour.what;
  }
}

TEST(ErfcxTest, IsExactToRoundingFromZeroToHugeArguments) {
  std::vector<double> arguments = {0, 1e-300, 1e-17, 3.75, 1e8, 1e15, 1e100};
  for (double x = 1e-9; x < 1e8; x *= 1.02) arguments.push_back(x);
  for (double x = 0; x < 30; x += 0.01) arguments.push_back(x);
  double worst = 0;
  for (const double x : arguments) {
    const double computed = hn::GetLane(Erfcx(hn::Set(D(), x)));
    const double error = std::abs(testing::RelativeErrorOfErfcx(x, computed));
    EXPECT_LT(error, 1.5e-15) << "x = " << x;
    worst = std::max(worst, error);
  }
  RecordProperty("largest_relative_error_e16", static_cast<int>(worst * 1e16));
}

TEST(NormalQuantileTest, IsExactInBothTailsAndTheCentre) {
  std::vector<double> tails;
  for (double p = 1e-300; p < 0.4; p *= 1.7) tails.push_back(p);
  for (double p = 0.0005; p < 0.5; p += 0.0005) tails.push_back(p);
  for (const double p : {0x1p-53, 0.075, std::nextafter(0.075, 0), std::exp(-25.0), 0.5 - 1e-10}) {
    tails.push_back(p);
  }
  double worst = 0;
  for (double p : tails) {
    if (p > 0x1p-20) p = std::round(p * 0x1p52) * 0x1p-52;  // so that 1 - p is exact
    const V low = hn::Set(D(), p);
    const V high = hn::Set(D(), 1 - p);
    const double lower = hn::GetLane(NormalQuantile(low, high));
    const double upper = hn::GetLane(NormalQuantile(high, low));
    EXPECT_EQ(lower, -upper) << "p = " << p;
    const double error = std::abs(testing::RelativeErrorOfQuantile(p, 1 - p, lower));
    EXPECT_LT(error, 3e-15) << "p = " << p;
    worst = std::max(worst, error);
  }
  RecordProperty("largest_relative_error_e16", static_cast<int>(worst * 1e16));
}

TEST(NormalsFromUniformsTest, AreThePolarCoordinatesToRounding) {
  std::vector<double> radii = {0x1p-53, 1e-9, 0.01, 0.3, 0.5, 0.9, 1 - 1e-9, 1 - 0x1p-53};
  std::vector<double> angles = {0x1p-53, 1e-9, 1 - 0x1p-53};
  for (int eighth = 1; eighth < 8; ++eighth) {
    for (const double nudge : {-0x1p-52, 0.0, 0x1p-52}) angles.push_back(eighth / 8.0 + nudge);
  }
  for (double angle = 0.0005; angle < 1; angle += 0.001) angles.push_back(angle);
  for (const double radius : radii) {
    for (const double angle : angles) {
      const long double length = std::sqrt(-2 * std::log(static_cast<long double>(radius)));
      const long double turn = 2 * std::numbers::pi_v<long double> * angle;
      const NormalPair normals = NormalsFromUniforms({hn::Set(D(), radius), hn::Set(D(), angle)});
      const auto bound = static_cast<double>(1e-15L * length);
      EXPECT_NEAR(hn::GetLane(normals.first), static_cast<double>(length * std::cos(turn)), bound)
          << radius << " " << angle;
      EXPECT_NEAR(hn::GetLane(normals.second), static_cast<double>(length * std::sin(turn)), bound)
          << radius << " " << angle;
    }
  }
}

TEST(UpperTailTest, MassesAreExactAtEveryDepth) {
  for (double depth = -45; depth <= 45; depth += 0.0625) {
    const UpperTail tail = MakeUpperTail(hn::Set(D(), depth));
    const double expected = testing::LogUpperTail(depth);
    if (depth > 37) continue;  // the mass itself underflows
    EXPECT_NEAR(std::log(hn::GetLane(tail.mass)), expected, 1e-15 * (4 + depth * depth))
        << "depth " << depth;
    EXPECT_NEAR(hn::GetLane(tail.mass) + hn::GetLane(tail.complement), 1, 3e-16);
  }
}

// The excess solves Q(depth + y) = u Q(depth) to rounding, wherever depth and u lie.
TEST(DrawExcessTest, InvertsTheTailToRoundingAtEveryDepthAndUniform) {
  std::vector<double> uniforms = {0x1p-53, 1e-9,   0.01,     0.3,        0.5,
                                  0.9,     0.9999, 1 - 1e-9, 1 - 0x1p-53};
  std::vector<double> depths = {5, std::nextafter(5, 6), 1e3, 1e6, 1e12};
  for (double depth = -40; depth <= 40; depth += 0.5) depths.push_back(depth);
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform;
  for (int i = 0; i < 8; ++i) uniforms.push_back(uniform(random));
  for (const double depth : depths) {
    for (const double u : uniforms) {
      const double y = hn::GetLane(DrawExcess(MakeUpperTail(hn::Set(D(), depth)), hn::Set(D(), u)));
      ASSERT_TRUE(std::isfinite(y) && y >= 0) << "depth " << depth << " u " << u;
      const double error = testing::ErrorOfExcess(depth, u, y).absolute;
      // Up to depth 5 the excess is a difference of numbers as large as depth + y; beyond, it is
      // found by itself. At u near 1 it is limited by the spacing of doubles next to 1.
      const double hazard = depth > 0 ? depth : 1e-3;
      const double tolerance =
          depth > 5 ? 4e-15 * y + 2e-15 / hazard : 4e-15 * (1 + std::abs(depth) + y);
      EXPECT_NEAR(error, 0, tolerance) << "depth " << depth << " u " << u << " y " << y;
    }
  }
}

TEST(DrawExcessTest, LanesDoNotDependOnTheirNeighbours) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> uniform(1e-6, 1 - 1e-6);
  std::uniform_real_distribution<double> any_depth(-12, 12);
  for (int i = 0; i < 2000; ++i) {
    double depth[kLanes], u[kLanes], together[kLanes];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      depth[lane] = any_depth(random);
      u[lane] = uniform(random);
    }
    const D d;
    hn::StoreU(DrawExcess(MakeUpperTail(hn::LoadU(d, depth)), hn::LoadU(d, u)), d, together);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double alone =
          hn::GetLane(DrawExcess(MakeUpperTail(hn::Set(d, depth[lane])), hn::Set(d, u[lane])));
      ASSERT_EQ(together[lane], alone) << "depth " << depth[lane] << " u " << u[lane];
    }
  }
}

std::vector<double> Widths() { return {1e-12, 1e-6, 0.01, 0.1, 0.4, 0.4999, 0.5, 1, 5, 20, 1e3}; }

std::vector<double> DepthsFor(double width) {
  return {-0.5 * width, -0.3 * width, 0, 0.5, 1.9, 2.1, 5, 6, 20, 40, 1e3, 1e6};
}

TEST(IntervalTest, MassesAreExactAtEveryDepthAndWidth) {
  for (const double width : Widths()) {
    for (const double depth : DepthsFor(width)) {
      const Interval interval = MakeInterval(hn::Set(D(), depth), hn::Set(D(), width));
      const double error =
          testing::RelativeErrorOfIntervalMass(depth, width, hn::GetLane(interval.mass));
      EXPECT_NEAR(error, 0, 4e-15) << "depth " << depth << " width " << width;
    }
  }
}

TEST(IntervalTest, ExcessInvertsTheDistributionToRoundingAtEveryDepthAndWidth) {
  for (const double width : Widths()) {
    for (const double depth : DepthsFor(width)) {
      for (const double u : {0x1p-53, 1e-9, 0.01, 0.3, 0.5, 0.9, 1 - 1e-9, 1 - 0x1p-53}) {
        const Interval interval = MakeInterval(hn::Set(D(), depth), hn::Set(D(), width));
        const V uniform = hn::Set(D(), u);
        const V tail =
            DrawExcess(MakeUpperTail(interval.depth, interval.erfcx), TailShare(interval, uniform));
        const double y = hn::GetLane(ConfineExcess(interval, uniform, tail));
        ASSERT_TRUE(y >= 0 && y <= width) << "depth " << depth << " width " << width << " u " << u;
        // Where the density falls off, an error of one uniform in 2^-53 counts more.
        const double error = testing::ErrorOfExcessWithin(depth, width, u, y);
        const double size = std::min(width, 1 / std::max(depth, 1.0));
        const double resolution =
            width < 0.5 ? 0 : 3e-16 * std::exp(std::min(y * (depth + y / 2), 700.0)) * size;
        EXPECT_NEAR(error, 0, 1e-14 * size + 4e-15 * y + resolution)
            << "depth " << depth << " width " << width << " u " << u << " y " << y;
      }
    }
  }
}

}  // namespace
}  // namespace posteriord::core::simd
