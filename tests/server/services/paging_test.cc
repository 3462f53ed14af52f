#include "server/services/paging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/proto.h"

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;

TEST(PagingTest, PageSizeZeroIsTheDefault) { EXPECT_EQ(*PageSize(0), 50); }

TEST(PagingTest, PageSizeOutOfRangeNamesTheField) {
  for (const int size : {-1, 1001}) {
    EXPECT_THAT(posteriord::testing::ViolatedFields(PageSize(size).status()),
                ElementsAre("page_size"));
  }
}

TEST(PagingTest, TokenGivesBackTheId) {
  EXPECT_EQ(*DecodePageToken("jobs", EncodePageToken("jobs", "abc123")), "abc123");
  EXPECT_EQ(*DecodePageToken("jobs", ""), "");
}

TEST(PagingTest, TokenOfAnotherListOrMangledIsRefused) {
  const std::string token = EncodePageToken("jobs", "abc123");
  EXPECT_THAT(posteriord::testing::ViolatedFields(DecodePageToken("datasets", token).status()),
              ElementsAre("page_token"));
  EXPECT_FALSE(DecodePageToken("jobs", token.substr(2)).ok());
  EXPECT_FALSE(DecodePageToken("jobs", "nonsense").ok());
}

}  // namespace
}  // namespace posteriord::server
