#include "posteriord/names.h"

#include <gtest/gtest.h>

namespace posteriord::client {
namespace {

TEST(NamesTest, BareIdsAndFullNamesMeanTheSame) {
  EXPECT_EQ(JobName("a1"), "jobs/a1");
  EXPECT_EQ(JobName("jobs/a1"), "jobs/a1");
  EXPECT_EQ(DatasetName("d1"), "datasets/d1");
  EXPECT_EQ(DatasetName("datasets/d1"), "datasets/d1");
}

}  // namespace
}  // namespace posteriord::client
