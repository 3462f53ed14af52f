#include "server/convert/job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/testing/proto.h"

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;
using testing::ViolatedFields;

absl::Status Check(const v1::Job& job) {
  FieldViolations violations;
  CheckJobMetadata(job, violations);
  return violations.ToStatus();
}

TEST(JobTest, OnlyWhatTheCreatorMaySetIsKept) {
  v1::Job job;
  job.set_name("jobs/mine");
  job.set_display_name("digits");
  (*job.mutable_labels())["team"] = "vision";
  job.mutable_spec()->set_seed(7);
  job.set_state(v1::Job::STATE_SUCCEEDED);
  job.set_version(3);
  const v1::Job input = InputFields(job);
  EXPECT_EQ(input.name(), "");
  EXPECT_EQ(input.display_name(), "digits");
  EXPECT_EQ(input.labels().at("team"), "vision");
  EXPECT_EQ(input.spec().seed(), 7u);
  EXPECT_EQ(input.state(), v1::Job::STATE_UNSPECIFIED);
  EXPECT_EQ(input.version(), 0);
}

TEST(JobTest, LongestNamesAndLabelsPass) {
  v1::Job job;
  job.set_display_name(std::string(128, 'n'));
  (*job.mutable_labels())[absl::StrCat("k", std::string(62, '-'))] = std::string(63, 'v');
  EXPECT_EQ(Check(job), absl::OkStatus());
}

TEST(JobTest, DisplayNameThatIsTooLongIsNamed) {
  v1::Job job;
  job.set_display_name(std::string(129, 'n'));
  EXPECT_THAT(ViolatedFields(Check(job)), ElementsAre("display_name"));
}

TEST(JobTest, BadLabelsAreNamed) {
  for (const std::string& key : {std::string("Upper"), std::string("9"), std::string(""),
                                 std::string("a b"), std::string(64, 'k')}) {
    v1::Job job;
    (*job.mutable_labels())[key] = "value";
    EXPECT_THAT(ViolatedFields(Check(job)), ElementsAre(absl::StrCat("labels[\"", key, "\"]")));
  }
  v1::Job job;
  (*job.mutable_labels())["key"] = std::string(64, 'v');
  EXPECT_THAT(ViolatedFields(Check(job)), ElementsAre("labels[\"key\"]"));
}

TEST(JobTest, MoreThan32LabelsAreRefused) {
  v1::Job job;
  for (int i = 0; i < 33; ++i) (*job.mutable_labels())[absl::StrCat("k", i)] = "";
  EXPECT_THAT(ViolatedFields(Check(job)), ElementsAre("labels"));
}

TEST(JobTest, ParametersAreDescribed) {
  core::ParameterLayout layout;
  layout.arrays = {{"dense1.weight", {3, 2}, 0, 6}, {"dense1.bias", {3}, 6, 3}};
  layout.size = 9;
  v1::Job job;
  SetParameters(layout, job);
  ASSERT_EQ(job.parameters_size(), 2);
  EXPECT_EQ(job.parameters(0).name(), "dense1.weight");
  EXPECT_THAT(job.parameters(0).shape(), ElementsAre(3, 2));
  EXPECT_EQ(job.parameters(1).name(), "dense1.bias");
  EXPECT_EQ(job.parameters(1).offset(), 6);
}

}  // namespace
}  // namespace posteriord::server
