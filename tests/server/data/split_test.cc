#include "server/data/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Split Fraction(double fraction, std::uint64_t seed = 0) {
  v1::Split split;
  split.set_test_fraction(fraction);
  split.set_seed(seed);
  return split;
}

v1::Split LastRows(std::int64_t rows) {
  v1::Split split;
  split.set_last_rows(rows);
  return split;
}

std::vector<int> TestRows(const v1::Split& split, int rows) {
  RowSplitter splitter(split, rows);
  std::vector<int> test_rows;
  for (int row = 0; row < rows; ++row) {
    if (splitter.NextIsTest()) test_rows.push_back(row);
  }
  return test_rows;
}

TEST(SplitTest, WithoutASplitEveryRowIsForTraining) {
  EXPECT_THAT(TestRows(v1::Split(), 5), IsEmpty());
  EXPECT_THAT(TestRows(Fraction(0), 5), IsEmpty());
  EXPECT_THAT(TestRows(LastRows(0), 5), IsEmpty());
}

TEST(SplitTest, LastRowsAreTheLast) {
  EXPECT_THAT(TestRows(LastRows(2), 5), ElementsAre(3, 4));
  EXPECT_THAT(TestRows(LastRows(4), 5), ElementsAre(1, 2, 3, 4));
}

TEST(SplitTest, FractionIsRoundedButLeavesARowOnEachSide) {
  EXPECT_EQ(TestRowCount(Fraction(0.25), 100), 25);
  EXPECT_EQ(TestRowCount(Fraction(0.2), 1797), 359);
  EXPECT_EQ(TestRowCount(Fraction(1e-9), 100), 1);
  EXPECT_EQ(TestRowCount(Fraction(0.999), 100), 99);
  EXPECT_EQ(TestRowCount(Fraction(0.5), 2), 1);
}

// The choice defines results: it must never change, on any platform. Computed from the definition
// in split.h by another program.
TEST(SplitTest, ChoiceIsTheDefinedOne) {
  EXPECT_THAT(TestRows(Fraction(0.3, 0), 20), ElementsAre(3, 8, 11, 17, 18, 19));
  EXPECT_THAT(TestRows(Fraction(0.3, 42), 20), ElementsAre(1, 2, 3, 11, 12, 19));
}

TEST(SplitTest, ChoiceHasTheRightSizeWhateverTheSeed) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    EXPECT_EQ(TestRows(Fraction(0.37, seed), 50).size(), 19u);  // 18.5 rounds away from zero
  }
}

TEST(SplitTest, EveryRowIsEquallyLikelyToBeATestRow) {
  constexpr int kSeeds = 4000;
  std::vector<int> counts(10, 0);
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (const int row : TestRows(Fraction(0.3, seed), 10)) ++counts[static_cast<std::size_t>(row)];
  }
  const double deviation = std::sqrt(kSeeds * 0.3 * 0.7);
  for (const int count : counts) EXPECT_NEAR(count, 0.3 * kSeeds, 4.5 * deviation);
}

TEST(SplitTest, ImpossibleSplitsAreNamed) {
  const auto message = [](const v1::Split& split, std::int64_t rows) {
    FieldViolations violations;
    CheckSplit(split, "here.split", violations);
    CheckSplitOf(split, rows, "here.split", violations);
    return std::string(violations.ToStatus().message());
  };
  EXPECT_EQ(message(v1::Split(), 1), "");
  EXPECT_EQ(message(Fraction(0.5), 2), "");
  EXPECT_THAT(message(Fraction(1), 10), ::testing::HasSubstr("here.split.test_fraction"));
  EXPECT_THAT(message(Fraction(-0.1), 10), ::testing::HasSubstr("here.split.test_fraction"));
  EXPECT_THAT(message(Fraction(std::nan("")), 10), ::testing::HasSubstr("test_fraction"));
  EXPECT_THAT(message(Fraction(0.5), 1), ::testing::HasSubstr("here.split.test_fraction"));
  EXPECT_EQ(message(LastRows(9), 10), "");
  EXPECT_THAT(message(LastRows(10), 10), ::testing::HasSubstr("here.split.last_rows"));
  EXPECT_THAT(message(LastRows(-1), 10), ::testing::HasSubstr("here.split.last_rows"));
}

}  // namespace
}  // namespace posteriord::server
