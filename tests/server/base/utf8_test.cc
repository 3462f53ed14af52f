#include "server/base/utf8.h"

#include <gtest/gtest.h>

namespace posteriord::server {
namespace {

TEST(Utf8Test, CharactersOfEveryLengthAreValid) {
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_TRUE(IsValidUtf8("plain"));
  EXPECT_TRUE(IsValidUtf8("\xC3\xA9 \xE2\x82\xAC \xED\x9F\xBF \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF"));
}

TEST(Utf8Test, MalformedBytesAreInvalid) {
  EXPECT_FALSE(IsValidUtf8("\x80"));              // a tail without a head
  EXPECT_FALSE(IsValidUtf8("\xC3"));              // cut short
  EXPECT_FALSE(IsValidUtf8("\xE2\x82"));          // cut short
  EXPECT_FALSE(IsValidUtf8("\xC0\xAF"));          // overlong
  EXPECT_FALSE(IsValidUtf8("\xE0\x80\xAF"));      // overlong
  EXPECT_FALSE(IsValidUtf8("\xF0\x80\x80\xAF"));  // overlong
  EXPECT_FALSE(IsValidUtf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(IsValidUtf8("\xF4\x90\x80\x80"));  // above U+10FFFF
  EXPECT_FALSE(IsValidUtf8("\xFF"));
}

TEST(Utf8Test, PrefixEndsBeforeTheFirstMalformedByte) {
  EXPECT_EQ(ValidUtf8Prefix("ab\xC3\xA9\xFFz"), 4u);
}

TEST(Utf8Test, RepairedTextIsValidAndCutBetweenCharacters) {
  EXPECT_EQ(ToValidUtf8("a\xFF\xC3\xA9", 10), "a?\xC3\xA9");
  EXPECT_EQ(ToValidUtf8("a\xC3\xA9", 2), "a");
}

}  // namespace
}  // namespace posteriord::server
