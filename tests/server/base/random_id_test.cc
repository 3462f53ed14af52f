#include "server/base/random_id.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace posteriord::server {
namespace {

TEST(RandomIdTest, ManyIdsAreDistinctAndWellFormed) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = RandomId();
    EXPECT_EQ(id.size(), 20u);
    EXPECT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567"), std::string::npos);
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 1000u);
}

}  // namespace
}  // namespace posteriord::server
