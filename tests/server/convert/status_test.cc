#include "server/convert/status.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/testing/proto.h"

namespace posteriord::server {
namespace {

using testing::DetailOf;

TEST(StatusTest, DetailsAndMessageSurviveTheWire) {
  absl::Status status = absl::NotFoundError("no such job");
  status = WithReason(status, "JOB_NOT_FOUND", {{"job", "jobs/a"}});
  status = WithResource(status, "Job", "jobs/a");
  status = WithRetryDelay(status, std::chrono::milliseconds(1500));
  const absl::Status received = FromProto(ToProto(status));
  EXPECT_EQ(received, status);
  EXPECT_EQ(received.message(), "no such job");
  const auto info = DetailOf<google::rpc::ErrorInfo>(received);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->reason(), "JOB_NOT_FOUND");
  EXPECT_EQ(info->domain(), "posteriord");
  EXPECT_EQ(info->metadata().at("job"), "jobs/a");
  EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(received)->resource_name(), "jobs/a");
  EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(received)->retry_delay().seconds(), 1);
  EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(received)->retry_delay().nanos(), 500'000'000);
}

TEST(StatusTest, ErrorWithoutReasonGetsThatOfItsCode) {
  const absl::Status status = FromProto(ToProto(absl::DataLossError("damaged")));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status)->reason(), "DATA_LOSS");
}

TEST(StatusTest, LongMessagesAreCutAndBrokenTextIsMended) {
  EXPECT_LE(ToProto(absl::InternalError(std::string(100'000, 'x'))).ByteSizeLong(), 2000u);
  EXPECT_EQ(ToProto(absl::InternalError("a\xff")).message(), "a?");
}

}  // namespace
}  // namespace posteriord::server
