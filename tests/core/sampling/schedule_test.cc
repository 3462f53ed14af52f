#include "core/sampling/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace posteriord::core {
namespace {

ObservationSpec Observation(std::int64_t initial_stride, int max_points) {
  return {.initial_stride = initial_stride, .max_points = max_points};
}

TEST(EvenStrideTest, IsTheSmallestDoublingThatFitsForEveryStrideAndSize) {
  for (std::int64_t initial = 1; initial <= 9; ++initial) {
    for (int max_points = 16; max_points <= 64; max_points += 2) {
      const ObservationSpec observation = Observation(initial, max_points);
      for (std::int64_t sweep = 0; sweep <= 2500; ++sweep) {
        std::int64_t expected = initial;
        while (sweep / expected > max_points) expected *= 2;
        ASSERT_EQ(EvenStride(observation, sweep), expected)
            << initial << " " << max_points << " " << sweep;
      }
    }
  }
}

// Follows a chain sweep by sweep, as a reader that keeps the points on the present stride does.
TEST(EvenStrideTest, TraceStaysEvenAndBetweenHalfAndAllOfItsSize) {
  for (std::int64_t initial = 1; initial <= 9; ++initial) {
    for (int max_points = 16; max_points <= 64; max_points += 2) {
      const ObservationSpec observation = Observation(initial, max_points);
      std::vector<std::int64_t> trace;
      std::int64_t stride = initial;
      bool was_full = false;
      for (std::int64_t sweep = 0; sweep <= 2500; ++sweep) {
        const std::int64_t next_stride = EvenStride(observation, sweep);
        ASSERT_GE(next_stride, stride);
        ASSERT_EQ(next_stride % stride, 0);
        stride = next_stride;
        if (IsEvenPoint(observation, sweep)) trace.push_back(sweep);
        std::erase_if(trace, [&](std::int64_t point) { return point % stride != 0; });
        const auto points = static_cast<std::int64_t>(trace.size());
        ASSERT_EQ(points, sweep / stride + 1);  // no gap: every multiple of the stride was taken
        ASSERT_LE(points, max_points + 1);
        was_full |= points >= max_points / 2;
        if (was_full) {
          ASSERT_GE(points, max_points / 2);
        }
      }
      ASSERT_TRUE(was_full);
    }
  }
}

TEST(EvenStrideTest, LargestSweepCountDoesNotOverflow) {
  const std::int64_t sweep = std::numeric_limits<std::int64_t>::max();
  const std::int64_t stride = EvenStride(Observation(1'000'000'000, 16), sweep);
  EXPECT_LE(sweep / stride, 16);
  EXPECT_GT(sweep / (stride / 2), 16);
}

TEST(IsEvenPointTest, BeforeTheFirstStrideOnlyTheStartIsTaken) {
  const ObservationSpec observation = Observation(10, 16);
  EXPECT_TRUE(IsEvenPoint(observation, 0));
  for (std::int64_t sweep = 1; sweep < 10; ++sweep) EXPECT_FALSE(IsEvenPoint(observation, sweep));
  EXPECT_TRUE(IsEvenPoint(observation, 10));
}

std::vector<std::int64_t> LogarithmicPoints(std::int64_t total) {
  std::vector<std::int64_t> points = {0};
  while (points.back() < total) points.push_back(NextLogarithmicPoint(points.back(), total));
  return points;
}

TEST(LogarithmicPointTest, StartsWithEverySweepAndThenThinsOut) {
  EXPECT_EQ(LogarithmicPoints(60),
            (std::vector<std::int64_t>{0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 13, 14,
                                       16, 18, 20, 22, 25, 28, 32, 35, 40, 45, 50, 56, 60}));
}

TEST(LogarithmicPointTest, AreRoundedPowersUpToATrillion) {
  std::vector<std::int64_t> expected = {0};
  for (int k = 0; k <= 240; ++k) {
    const std::int64_t point = std::llround(std::pow(10.0, k / 20.0));
    if (point != expected.back()) expected.push_back(point);
  }
  EXPECT_EQ(LogarithmicPoints(1'000'000'000'000), expected);
}

TEST(LogarithmicPointTest, IncreaseAndEndWithTheTotal) {
  for (const std::int64_t total :
       {std::int64_t{1}, std::int64_t{2}, std::int64_t{12}, std::int64_t{1000}, std::int64_t{1001},
        std::int64_t{123'456'789}, std::numeric_limits<std::int64_t>::max()}) {
    const std::vector<std::int64_t> points = LogarithmicPoints(total);
    for (std::size_t i = 1; i < points.size(); ++i) ASSERT_LT(points[i - 1], points[i]);
    EXPECT_EQ(points.back(), total);
  }
}

TEST(LogarithmicPointTest, BothFunctionsNameTheSameSweeps) {
  for (const std::int64_t total : {1, 7, 100, 999, 3000}) {
    std::vector<std::int64_t> named;
    for (std::int64_t sweep = 0; sweep <= total; ++sweep) {
      if (IsLogarithmicPoint(sweep, total)) named.push_back(sweep);
    }
    EXPECT_EQ(named, LogarithmicPoints(total));
  }
}

TEST(LogarithmicPointTest, TwentyPerDecade) {
  for (std::int64_t low = 100; low <= 100'000'000'000'000'000; low *= 10) {
    int count = 0;
    for (std::int64_t point = low; point < 10 * low; ++count) {
      point = NextLogarithmicPoint(point, std::numeric_limits<std::int64_t>::max());
    }
    EXPECT_EQ(count, 20) << low;
  }
}

}  // namespace
}  // namespace posteriord::core
