#include "client/posteriorctl/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace posteriord::client {
namespace {

TEST(TextTest, GroupedSeparatesThousands) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(-100), "-100");
  EXPECT_EQ(Grouped(-1234567), "-1,234,567");
  EXPECT_EQ(Grouped(std::numeric_limits<std::int64_t>::max()), "9,223,372,036,854,775,807");
}

TEST(TextTest, RoundedKeepsThreeDigitsAndWritesThousandsInFull) {
  EXPECT_EQ(Rounded(0), "0");
  EXPECT_EQ(Rounded(0.031249), "0.0312");
  EXPECT_EQ(Rounded(1.64e-5), "1.64e-05");
  EXPECT_EQ(Rounded(999.4), "999");
  EXPECT_EQ(Rounded(999.5), "1,000");
  EXPECT_EQ(Rounded(-12345.6), "-12,346");
  EXPECT_EQ(Rounded(1.5e300), "1.5e+300");
  EXPECT_EQ(Rounded(std::numeric_limits<double>::quiet_NaN()), "-");
}

TEST(TextTest, PercentHasOneDecimal) { EXPECT_EQ(Percent(0.0251), "2.5%"); }

TEST(TextTest, DurationsHaveAtMostTwoUnits) {
  EXPECT_EQ(ShortDuration(-absl::Seconds(3)), "0.0s");
  EXPECT_EQ(ShortDuration(absl::Milliseconds(4230)), "4.2s");
  EXPECT_EQ(ShortDuration(absl::Milliseconds(9960)), "10s");
  EXPECT_EQ(ShortDuration(absl::Seconds(192)), "3m 12s");
  EXPECT_EQ(ShortDuration(absl::Minutes(125)), "2h 05m");
  EXPECT_EQ(ShortDuration(absl::Hours(76)), "3d 04h");
  EXPECT_EQ(ShortDuration(absl::InfiniteDuration()), "years");
}

TEST(TextTest, BytesUseDecimalUnits) {
  EXPECT_EQ(Bytes(0), "0 B");
  EXPECT_EQ(Bytes(999), "999 B");
  EXPECT_EQ(Bytes(1000), "1.0 kB");
  EXPECT_EQ(Bytes(61700000), "61.7 MB");
  EXPECT_EQ(Bytes(999999999), "1.0 GB");
}

TEST(TextTest, TuplesReadAsPythonDoes) {
  EXPECT_EQ(Tuple({}), "()");
  EXPECT_EQ(Tuple({4}), "(4,)");
  EXPECT_EQ(Tuple({4, 800, 32}), "(4, 800, 32)");
}

TEST(TextTest, TimesAreShownInTheZoneGiven) {
  google::protobuf::Timestamp time;
  EXPECT_EQ(LocalTime(time, absl::UTCTimeZone()), "-");
  time.set_seconds(1740837909);
  EXPECT_EQ(LocalTime(time, absl::UTCTimeZone()), "2025-03-01 14:05:09");
  EXPECT_EQ(LocalTime(time, absl::FixedTimeZone(3600)), "2025-03-01 15:05:09");
}

TEST(TextTest, PrintableDisarmsControlCharactersAndBrokenUtf8) {
  EXPECT_EQ(Printable("plain Ä 日本"), "plain Ä 日本");
  EXPECT_EQ(Printable("\x1b[2Jgone\n"), "?[2Jgone?");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "?31m");  // the 8-bit form of ESC [
  EXPECT_EQ(Printable("a\xff\xc3"), "a??");
}

TEST(TextTest, TruncatedCutsBetweenCharacters) {
  EXPECT_EQ(Truncated("abcdef", 6), "abcdef");
  EXPECT_EQ(Truncated("abcdefg", 6), "abc...");
  EXPECT_EQ(Truncated("ääääääää", 6), "äää...");
  EXPECT_EQ(Truncated("abcdef", 2), "..");
  EXPECT_EQ(Truncated("abcdef", 0), "");
}

}  // namespace
}  // namespace posteriord::client
