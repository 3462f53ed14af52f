#include "server/jobs/chain_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

#include "server/store/byte_codec.h"
#include "tests/server/jobs/testing/fake_control.h"
#include "tests/server/jobs/testing/fake_problem.h"
#include "tests/server/jobs/testing/wrapped_job_store.h"
#include "tests/server/store/testing/sqlite_server.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using std::chrono::steady_clock;
using testing::FakeChain;
using testing::FakeControl;
using testing::FakeProblem;
using testing::FakeSpec;
using testing::StatusIs;

class ChainTaskTest : public ::testing::Test {
 protected:
  ChainTaskTest() {
    JobRecord job;
    job.id = "job";
    EXPECT_OK(store_.CreateJob(job, 1, "", ""));
  }

  ChainPosition Position() { return (*store_.Positions("job"))[0]; }

  // A task that goes on from what is stored. Every sweep takes a millisecond.
  std::shared_ptr<ChainTask> MakeChainTask(std::int64_t draws, std::string profile = "profile") {
    ChainTask::Options options;
    options.recorder.job = "job";
    options.problem = std::make_shared<FakeProblem>(FakeSpec(0, 1, draws));
    options.create_chain = [this](std::shared_ptr<const core::Problem> problem, int index) {
      return std::make_unique<FakeChain>(std::move(problem), index,
                                         [this](int, std::int64_t sweep) {
                                           first_sweep_ = std::min(first_sweep_, sweep);
                                           now_ += std::chrono::milliseconds(1);
                                           return on_sweep_(sweep);
                                         });
    };
    options.numeric_profile = std::move(profile);
    options.checkpoint_interval = std::chrono::seconds(10);
    options.now = [this] { return now_; };
    options.on_error = [this](const absl::Status& error) { error_ = error; };
    first_sweep_ = 1 << 30;
    return std::make_shared<ChainTask>(store_, std::move(options), Position());
  }

  // What a chain that nobody disturbs would have stored.
  void ExpectDrawsOfAnUndisturbedChain(std::int64_t draws) {
    ASSERT_EQ(Position().draws, draws);
    for (std::int64_t draw = 0; draw < draws; ++draw) {
      ASSERT_OK_AND_ASSIGN(const DrawRecord record, store_.ReadDraws("job", 0, draw));
      const std::vector<double> values = NumbersOf<double>(record.values);
      for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(values[(draw - record.first_draw) * 3 + i], FakeChain::Value(0, draw + 1, i));
      }
    }
  }

  SqliteServer server_;
  testing::WrappedJobStore store_{server_.store()};
  steady_clock::time_point now_{};
  std::function<absl::Status(std::int64_t)> on_sweep_ = [](std::int64_t) {
    return absl::OkStatus();
  };
  std::int64_t first_sweep_ = 0;  // that the latest task's chain made
  absl::Status error_;
};

TEST_F(ChainTaskTest, EverySliceEndsWithEverythingStored) {
  const auto task = MakeChainTask(100);
  EXPECT_EQ(task->RunSlice(FakeControl(7)), Task::Next::kAgain);
  EXPECT_EQ(Position().sweeps, 7);
  EXPECT_EQ(Position().draws, 7);
  EXPECT_DOUBLE_EQ(Position().busy_seconds, 0.007);
  EXPECT_EQ(task->RunSlice(FakeControl(5)), Task::Next::kAgain);
  EXPECT_EQ(Position().draws, 12);
  EXPECT_EQ(task->RunSlice(FakeControl()), Task::Next::kDone);
  ExpectDrawsOfAnUndisturbedChain(100);
  EXPECT_OK(error_);
}

TEST_F(ChainTaskTest, FirstSliceStoresACheckpointAndLaterOnesSeldom) {
  std::vector<bool> checkpoints;
  store_.before_commit = [&](const ChainCommit& commit) {
    checkpoints.push_back(commit.checkpoint.has_value());
    return absl::OkStatus();
  };
  const auto task = MakeChainTask(30'000);
  for (int slice = 0; slice < 12; ++slice) task->RunSlice(FakeControl(2000));
  EXPECT_EQ(checkpoints, (std::vector<bool>{true, false, false, false, false, true, false, false,
                                            false, false, true, false}));
}

TEST_F(ChainTaskTest, LastSliceStoresACheckpoint) {
  std::optional<std::string> checkpoint;
  store_.before_commit = [&](const ChainCommit& commit) {
    checkpoint = commit.checkpoint;
    return absl::OkStatus();
  };
  const auto task = MakeChainTask(10);
  task->RunSlice(FakeControl(4));
  task->RunSlice(FakeControl());
  EXPECT_TRUE(checkpoint.has_value());
}

TEST_F(ChainTaskTest, NewTaskGoesOnFromTheCheckpointAndRepeatsTheRest) {
  {
    const auto task = MakeChainTask(50);
    task->RunSlice(FakeControl(10));  // with a checkpoint
    task->RunSlice(FakeControl(10));  // without
  }
  const auto task = MakeChainTask(50);
  EXPECT_EQ(task->RunSlice(FakeControl()), Task::Next::kDone);
  EXPECT_EQ(first_sweep_, 11);
  EXPECT_OK(error_);
  ExpectDrawsOfAnUndisturbedChain(50);
}

TEST_F(ChainTaskTest, SavedCheckpointSparesRepeating) {
  {
    const auto task = MakeChainTask(50);
    task->RunSlice(FakeControl(10));
    task->RunSlice(FakeControl(10));
    ASSERT_OK(task->SaveCheckpoint());
  }
  const auto task = MakeChainTask(50);
  task->RunSlice(FakeControl());
  EXPECT_EQ(first_sweep_, 21);
  ExpectDrawsOfAnUndisturbedChain(50);
}

TEST_F(ChainTaskTest, InterruptedChainKeepsItsDrawsAndSavesNoCheckpoint) {
  FakeControl control;
  {
    const auto task = MakeChainTask(50);
    task->RunSlice(FakeControl(10));
    on_sweep_ = [&](std::int64_t sweep) {
      if (sweep == 15) control.Interrupt();
      return absl::OkStatus();
    };
    EXPECT_EQ(task->RunSlice(control), Task::Next::kDone);
    EXPECT_EQ(Position().draws, 14);
    ASSERT_OK(task->SaveCheckpoint());
  }
  on_sweep_ = [](std::int64_t) { return absl::OkStatus(); };
  const auto task = MakeChainTask(50);
  task->RunSlice(FakeControl());
  EXPECT_EQ(first_sweep_, 11);
  ExpectDrawsOfAnUndisturbedChain(50);
}

TEST_F(ChainTaskTest, ErrorOfTheChainIsToldAndTheDrawsBeforeAreKept) {
  on_sweep_ = [](std::int64_t sweep) {
    return sweep < 8 ? absl::OkStatus() : absl::InternalError("not finite");
  };
  EXPECT_EQ(MakeChainTask(50)->RunSlice(FakeControl()), Task::Next::kDone);
  EXPECT_THAT(error_, StatusIs(absl::StatusCode::kInternal, "not finite"));
  ExpectDrawsOfAnUndisturbedChain(7);
}

TEST_F(ChainTaskTest, ExceptionsBecomeErrors) {
  on_sweep_ = [](std::int64_t) -> absl::Status { throw std::bad_alloc(); };
  EXPECT_EQ(MakeChainTask(50)->RunSlice(FakeControl()), Task::Next::kDone);
  EXPECT_THAT(error_, StatusIs(absl::StatusCode::kResourceExhausted));
  on_sweep_ = [](std::int64_t) -> absl::Status { throw std::runtime_error("strange"); };
  EXPECT_EQ(MakeChainTask(50)->RunSlice(FakeControl()), Task::Next::kDone);
  EXPECT_THAT(error_, StatusIs(absl::StatusCode::kInternal));
}

TEST_F(ChainTaskTest, RefusedCommitIsAnError) {
  store_.before_commit = [](const ChainCommit&) {
    return absl::ResourceExhaustedError("disk full");
  };
  EXPECT_EQ(MakeChainTask(50)->RunSlice(FakeControl(5)), Task::Next::kDone);
  EXPECT_THAT(error_, StatusIs(absl::StatusCode::kResourceExhausted, "disk full"));
}

TEST_F(ChainTaskTest, CheckpointOfAnotherNumericProfileIsAnError) {
  MakeChainTask(50)->RunSlice(FakeControl(5));
  EXPECT_EQ(MakeChainTask(50, "other")->RunSlice(FakeControl(5)), Task::Next::kDone);
  EXPECT_THAT(error_, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(Position().draws, 5);
}

}  // namespace
}  // namespace posteriord::server
