#include "posteriord/error.h"

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"

namespace posteriord::client {
namespace {

grpc::Status WithDetails(grpc::StatusCode code, const std::string& message,
                         const std::vector<const google::protobuf::Message*>& details) {
  google::rpc::Status rich;
  rich.set_code(code);
  rich.set_message(message);
  for (const google::protobuf::Message* detail : details) rich.add_details()->PackFrom(*detail);
  return {code, message, rich.SerializeAsString()};
}

TEST(ErrorTest, CodeMessageAndDetailsSurviveTheConversion) {
  google::rpc::ErrorInfo info;
  info.set_reason("JOB_TOO_LARGE");
  const absl::Status status =
      ToAbslStatus(WithDetails(grpc::StatusCode::RESOURCE_EXHAUSTED, "too large", {&info}));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "too large");
  google::rpc::ErrorInfo found;
  ASSERT_TRUE(GetErrorDetail(status, found));
  EXPECT_EQ(found.reason(), "JOB_TOO_LARGE");
  google::rpc::BadRequest absent;
  EXPECT_FALSE(GetErrorDetail(status, absent));
}

TEST(ErrorTest, OkStaysOk) { EXPECT_TRUE(ToAbslStatus(grpc::Status::OK).ok()); }

TEST(ErrorTest, UnreadableDetailsDoNotHideTheError) {
  const absl::Status status =
      ToAbslStatus(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such job", "\xff\xff garbage"));
  EXPECT_EQ(status, absl::NotFoundError("no such job"));
}

TEST(ErrorTest, DescriptionListsFieldsReasonAndResource) {
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field("job.spec.schedule.draws");
  bad.mutable_field_violations(0)->set_description("must be at least 1");
  bad.add_field_violations()->set_field("job.spec.seed");
  bad.mutable_field_violations(1)->set_description("is odd");
  google::rpc::ErrorInfo info;
  info.set_reason("BAD_SPEC");
  info.mutable_metadata()->insert({"limit", "3"});
  info.mutable_metadata()->insert({"asked", "5"});
  google::rpc::ResourceInfo resource;
  resource.set_resource_name("jobs/a1");
  resource.set_resource_type("posteriord.v1.Job");
  EXPECT_EQ(
      DescribeError(ToAbslStatus(WithDetails(grpc::StatusCode::INVALID_ARGUMENT,
                                             "the job is not valid", {&bad, &info, &resource}))),
      "INVALID_ARGUMENT: the job is not valid\n"
      "  job.spec.schedule.draws: must be at least 1\n"
      "  job.spec.seed: is odd\n"
      "  reason: BAD_SPEC (asked: 5, limit: 3)\n"
      "  resource: jobs/a1 (posteriord.v1.Job)");
}

TEST(ErrorTest, DescriptionLeavesOutWhatIsSaidTwice) {
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field("spec.data");
  bad.mutable_field_violations(0)->set_description("is required");
  bad.add_field_violations()->set_field("spec.seed");
  bad.mutable_field_violations(1)->set_description("is odd");
  google::rpc::ErrorInfo info;
  info.set_reason("INVALID_ARGUMENT");
  EXPECT_EQ(DescribeError(ToAbslStatus(WithDetails(grpc::StatusCode::INVALID_ARGUMENT,
                                                   "spec.data: is required; spec.seed: is odd",
                                                   {&bad, &info}))),
            "INVALID_ARGUMENT:\n"
            "  spec.data: is required\n"
            "  spec.seed: is odd");
}

TEST(ErrorTest, DescriptionWithoutDetailsIsOneLine) {
  EXPECT_EQ(DescribeError(absl::NotFoundError("no such job")), "NOT_FOUND: no such job");
}

}  // namespace
}  // namespace posteriord::client
