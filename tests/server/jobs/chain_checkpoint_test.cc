#include "server/jobs/chain_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "google/rpc/error_details.pb.h"
#include "tests/testing/proto.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using testing::DetailOf;
using testing::StatusIs;

const ChainCheckpoint kCheckpoint = {
    .profile = "core 1; gcc 12", .points = 42, .state = std::string("a\0b", 3)};

TEST(ChainCheckpointTest, ComesBackAsItWas) {
  ASSERT_OK_AND_ASSIGN(const ChainCheckpoint decoded,
                       DecodeCheckpoint(EncodeCheckpoint(kCheckpoint), "core 1; gcc 12"));
  EXPECT_EQ(decoded.profile, kCheckpoint.profile);
  EXPECT_EQ(decoded.points, kCheckpoint.points);
  EXPECT_EQ(decoded.state, kCheckpoint.state);
}

TEST(ChainCheckpointTest, OtherProfileIsRefusedNamingBoth) {
  const auto decoded = DecodeCheckpoint(EncodeCheckpoint(kCheckpoint), "core 1; gcc 13");
  EXPECT_THAT(decoded, StatusIs(absl::StatusCode::kFailedPrecondition));
  const auto info = DetailOf<google::rpc::ErrorInfo>(decoded.status());
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->reason(), "NUMERIC_PROFILE_CHANGED");
  EXPECT_EQ(info->metadata().at("jobProfile"), "core 1; gcc 12");
  EXPECT_EQ(info->metadata().at("serverProfile"), "core 1; gcc 13");
}

TEST(ChainCheckpointTest, EveryCutIsDataLoss) {
  const std::string bytes = EncodeCheckpoint(kCheckpoint);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(DecodeCheckpoint(bytes.substr(0, size), kCheckpoint.profile),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
  EXPECT_THAT(DecodeCheckpoint(bytes + "x", kCheckpoint.profile),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace posteriord::server
