#include "server/jobs/checkpoint_schedule.h"

#include <gtest/gtest.h>

namespace posteriord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using TimePoint = CheckpointSchedule::TimePoint;

constexpr TimePoint kStart{};

TEST(CheckpointScheduleTest, FirstIsDueAtOnce) {
  EXPECT_TRUE(CheckpointSchedule(seconds(10)).IsDue(kStart, seconds(0)));
}

TEST(CheckpointScheduleTest, CheapOnesAreTakenAtTheInterval) {
  CheckpointSchedule schedule(seconds(10));
  schedule.Taken(kStart, seconds(1), milliseconds(5));
  EXPECT_FALSE(schedule.IsDue(kStart + milliseconds(9999), seconds(6)));
  EXPECT_TRUE(schedule.IsDue(kStart + seconds(10), seconds(6)));
}

TEST(CheckpointScheduleTest, CostlyOnesTakeATwentiethOfTheTimeAtMost) {
  CheckpointSchedule schedule(seconds(10));
  schedule.Taken(kStart, seconds(1), seconds(2));
  EXPECT_FALSE(schedule.IsDue(kStart + seconds(100), seconds(40)));
  EXPECT_TRUE(schedule.IsDue(kStart + seconds(100), seconds(41)));
}

}  // namespace
}  // namespace posteriord::server
