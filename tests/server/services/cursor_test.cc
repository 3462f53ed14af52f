#include "server/services/cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/testing/proto.h"

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;

TEST(CursorTest, GivesBackWhatWasEncoded) {
  const std::vector<std::int64_t> positions = {0, 1, 127, 128, INT64_MAX};
  EXPECT_EQ(*DecodeCursor("scope", EncodeCursor("scope", positions), 5), positions);
}

TEST(CursorTest, OfAnotherScopeIsRefused) {
  const auto decoded = DecodeCursor("other", EncodeCursor("scope", {1, 2}), 2);
  EXPECT_THAT(posteriord::testing::ViolatedFields(decoded.status()), ElementsAre("cursor"));
}

TEST(CursorTest, WithAnotherNumberOfPositionsIsRefused) {
  const std::string cursor = EncodeCursor("scope", {1, 2});
  EXPECT_FALSE(DecodeCursor("scope", cursor, 1).ok());
  EXPECT_FALSE(DecodeCursor("scope", cursor, 3).ok());
}

TEST(CursorTest, EveryChangedOrMissingCharacterIsNoticed) {
  const std::string cursor = EncodeCursor("scope", {12345, 678, 0});
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    std::string changed = cursor;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto decoded = DecodeCursor("scope", changed, 3);
    // The last character carries unused bits; decoding to the same positions is no harm.
    if (decoded.ok()) {
      EXPECT_EQ(*decoded, (std::vector<std::int64_t>{12345, 678, 0}));
    }
    EXPECT_TRUE(i + 1 == cursor.size() || !decoded.ok()) << i;
    EXPECT_FALSE(DecodeCursor("scope", cursor.substr(0, i), 3).ok()) << i;
  }
}

TEST(CursorTest, GarbageIsRefused) {
  for (const char* garbage : {"", "!", "AAAA", "not a cursor", "____________________"}) {
    EXPECT_FALSE(DecodeCursor("scope", garbage, 0).ok()) << garbage;
  }
}

}  // namespace
}  // namespace posteriord::server
