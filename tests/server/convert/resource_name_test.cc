#include "server/convert/resource_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/testing/proto.h"

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;
using testing::ViolatedFields;

TEST(ResourceNameTest, NamesAndIdsMatch) {
  EXPECT_EQ(JobName("a1"), "jobs/a1");
  EXPECT_EQ(DatasetName("b2"), "datasets/b2");
  EXPECT_EQ(*ParseJobName("jobs/a1", "name"), "a1");
  EXPECT_EQ(*ParseDatasetName("datasets/b2", "name"), "b2");
}

TEST(ResourceNameTest, MalformedNamesAreRefusedNamingTheField) {
  for (const std::string& name :
       {std::string(), std::string("jobs"), std::string("jobs/"), std::string("job/a"),
        std::string("jobs/A"), std::string("jobs/a/b"), std::string("jobs/../a"),
        std::string("datasets/a"), "jobs/" + std::string(65, 'a')}) {
    const auto parsed = ParseJobName(name, "name");
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(ViolatedFields(parsed.status()), ElementsAre("name")) << name;
  }
}

}  // namespace
}  // namespace posteriord::server
