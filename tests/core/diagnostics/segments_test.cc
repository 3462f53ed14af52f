#include "core/diagnostics/segments.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <vector>

#include "core/diagnostics/moments.h"

namespace posteriord::core {
namespace {

std::vector<double> NormalPoints(std::size_t count, double mean, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal(mean);
  std::vector<double> points(count);
  for (double& point : points) point = normal(engine);
  return points;
}

double DirectAutocovariance(absl::Span<const double> half, std::size_t lag) {
  const double mean = Mean(half);
  double sum = 0;
  for (std::size_t i = 0; i + lag < half.size(); ++i) {
    sum += (half[i] - mean) * (half[i + lag] - mean);
  }
  return sum / static_cast<double>(half.size());
}

TEST(SegmentAnalyserTest, AutocovarianceMatchesTheDirectSumForEveryLength) {
  SegmentAnalyser analyser;
  for (const std::size_t count : {2, 3, 4, 5, 6, 7, 8, 10, 15, 16, 17, 31, 64, 65, 129, 600, 601}) {
    const std::vector<double> points = NormalPoints(count, 100, static_cast<unsigned>(count));
    const std::size_t n = count / 2;
    const Segments halves = analyser.Halves(points);
    ASSERT_EQ(halves.points, static_cast<std::int64_t>(n));
    ASSERT_EQ(halves.means.size(), 2u);
    const absl::Span<const double> all(points);
    for (std::size_t lag = 0; lag < n; ++lag) {
      const double expected =
          (DirectAutocovariance(all.first(n), lag) + DirectAutocovariance(all.last(n), lag)) / 2;
      EXPECT_NEAR(halves.autocovariance(lag), expected, 1e-13) << count << " points, lag " << lag;
    }
  }
}

TEST(SegmentAnalyserTest, MiddlePointOfAnOddNumberIsLeftOut) {
  SegmentAnalyser analyser;
  const Segments halves = analyser.Halves({1, 2, 1000, 3, 5});
  EXPECT_EQ(halves.means, (std::vector<double>{1.5, 4}));
  EXPECT_NEAR(halves.autocovariance(0), (0.25 + 1) / 2, 1e-15);
}

TEST(SegmentAnalyserTest, ConstantChainHasExactlyNoAutocovariance) {
  SegmentAnalyser analyser;
  const Segments halves = analyser.Halves(std::vector<double>(101, 0.1));
  EXPECT_EQ(halves.means, (std::vector<double>{0.1, 0.1}));
  for (std::size_t lag = 0; lag < 50; ++lag) EXPECT_EQ(halves.autocovariance(lag), 0);
}

TEST(SegmentsTest, AddedChainsAreAveragedOver) {
  SegmentAnalyser analyser;
  const Segments first = analyser.Halves(NormalPoints(40, 0, 1));
  const Segments second = analyser.Halves(NormalPoints(40, 3, 2));
  Segments all;
  all.Add(first);
  all.Add(second);
  EXPECT_EQ(all.points, 20);
  EXPECT_EQ(all.means, (std::vector<double>{first.means[0], first.means[1], second.means[0],
                                            second.means[1]}));
  for (std::size_t lag = 0; lag < 20; ++lag) {
    EXPECT_DOUBLE_EQ(all.autocovariance(lag),
                     (first.autocovariance(lag) + second.autocovariance(lag)) / 2);
  }
}

}  // namespace
}  // namespace posteriord::core
