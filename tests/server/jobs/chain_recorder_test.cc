#include "server/jobs/chain_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "server/store/byte_codec.h"
#include "tests/server/store/testing/sqlite_server.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

class ChainRecorderTest : public ::testing::Test {
 protected:
  ChainRecorderTest() {
    JobRecord job;
    job.id = "job";
    EXPECT_OK(store().CreateJob(job, 2, "", ""));
  }

  JobStore& store() { return server_.store(); }
  ChainPosition Position() { return (*store().Positions("job"))[1]; }

  // A recorder of chain 1 that goes on from what is stored.
  std::unique_ptr<ChainRecorder> MakeRecorder(int storage_bytes = 8) {
    return std::make_unique<ChainRecorder>(
        store(),
        ChainRecorder::Options{
            .job = "job",
            .chain = 1,
            .storage_bytes = storage_bytes,
            .on_commit = [this](const ChainCommit& commit) { commits_.push_back(commit); }},
        Position());
  }

  // What a chain hands over at a sweep: a draw of `size` numbers, a point and a predictive sum.
  static std::vector<double> Values(std::int64_t sweep, int size) {
    std::vector<double> values(size);
    for (int i = 0; i < size; ++i) values[i] = std::sin(static_cast<double>(sweep) + i);
    return values;
  }
  static absl::Status HandOverDraw(ChainRecorder& recorder, std::int64_t sweep, int size = 3) {
    return recorder.AppendDraw(
        {.index = sweep - 1, .sweep = sweep, .warmup = sweep <= 2, .values = Values(sweep, size)});
  }
  static absl::Status HandOverPoint(ChainRecorder& recorder, std::int64_t sweep) {
    return recorder.AppendTrace(
        {.sweep = sweep, .even = true, .logarithmic = sweep < 3, .values = Values(sweep, 2)});
  }
  static absl::Status HandOverSum(ChainRecorder& recorder, std::int64_t sweep) {
    return recorder.AppendPredictive({.sweep = sweep, .draws = sweep, .values = Values(sweep, 4)});
  }
  static absl::Status HandOver(ChainRecorder& recorder, std::int64_t sweep) {
    absl::Status status = HandOverDraw(recorder, sweep);
    if (status.ok()) status = HandOverPoint(recorder, sweep);
    if (status.ok()) status = HandOverSum(recorder, sweep);
    return status;
  }

  // Stores sweeps 0 to `sweeps` of the chain.
  void Record(std::int64_t sweeps) {
    const auto recorder = MakeRecorder();
    ASSERT_OK(HandOverPoint(*recorder, 0));
    for (std::int64_t sweep = 1; sweep <= sweeps; ++sweep) ASSERT_OK(HandOver(*recorder, sweep));
    ASSERT_OK(recorder->Commit(sweeps, std::nullopt));
    commits_.clear();
  }

  SqliteServer server_;
  std::vector<ChainCommit> commits_;
};

TEST_F(ChainRecorderTest, WithoutAnythingNewThereIsNoCommit) {
  const auto recorder = MakeRecorder();
  ASSERT_OK(recorder->Commit(0, std::nullopt));
  EXPECT_THAT(commits_, IsEmpty());
}

TEST_F(ChainRecorderTest, EverythingHandedOverIsStoredAsItWas) {
  const auto recorder = MakeRecorder();
  recorder->AddBusySeconds(1.5);
  ASSERT_OK(HandOverPoint(*recorder, 0));
  for (std::int64_t sweep = 1; sweep <= 3; ++sweep) ASSERT_OK(HandOver(*recorder, sweep));
  ASSERT_OK(recorder->Commit(3, "checkpoint"));

  EXPECT_EQ(Position().draws, 3);
  EXPECT_EQ(Position().points, 4);
  EXPECT_EQ(Position().sweeps, 3);
  EXPECT_EQ(Position().busy_seconds, 1.5);
  ASSERT_OK_AND_ASSIGN(const DrawRecord draws, store().ReadDraws("job", 1, 2));
  EXPECT_EQ(draws.first_draw, 0);
  EXPECT_THAT(draws.sweeps, ElementsAre(1, 2, 3));
  EXPECT_EQ(draws.warmup_draws, 2);
  const std::vector<double> values = NumbersOf<double>(draws.values);
  EXPECT_EQ(std::vector<double>(values.begin() + 6, values.end()), Values(3, 3));
  ASSERT_OK_AND_ASSIGN(const std::vector<TraceRecord> points, store().ReadTrace("job", 1, 2, 1));
  ASSERT_EQ(points.size(), 1);
  EXPECT_EQ(points[0].sweep, 2);
  EXPECT_TRUE(points[0].even);
  EXPECT_TRUE(points[0].logarithmic);
  EXPECT_EQ(points[0].values, Values(2, 2));
  ASSERT_OK_AND_ASSIGN(const auto sum, store().ReadPredictive("job", 1, 3));
  EXPECT_EQ(sum->draws, 3);
  EXPECT_EQ(sum->values, Values(3, 4));
  EXPECT_EQ(**store().ReadCheckpoint("job", 1), "checkpoint");
}

TEST_F(ChainRecorderTest, DrawsAreNarrowedToTheStorageFormat) {
  const auto recorder = MakeRecorder(/*storage_bytes=*/4);
  ASSERT_OK(HandOverPoint(*recorder, 0));
  ASSERT_OK(HandOverDraw(*recorder, 1));
  ASSERT_OK(recorder->Commit(1, std::nullopt));
  ASSERT_OK_AND_ASSIGN(const DrawRecord draws, store().ReadDraws("job", 1, 0));
  const std::vector<double> values = Values(1, 3);
  EXPECT_EQ(NumbersOf<float>(draws.values), std::vector<float>(values.begin(), values.end()));
}

TEST_F(ChainRecorderTest, RecordsHoldAbout64KiBOrOneDraw) {
  const auto recorder = MakeRecorder();
  ASSERT_OK(HandOverPoint(*recorder, 0));
  for (std::int64_t sweep = 1; sweep <= 3; ++sweep) {
    ASSERT_OK(HandOverDraw(*recorder, sweep, 4000));  // two of 32,000 bytes fit
  }
  for (std::int64_t sweep = 4; sweep <= 5; ++sweep) {
    ASSERT_OK(HandOverDraw(*recorder, sweep, 10'000));
  }
  ASSERT_OK(recorder->Commit(5, std::nullopt));
  ASSERT_EQ(commits_.size(), 1);
  std::vector<std::size_t> draws;
  for (const DrawRecord& record : commits_[0].draws) draws.push_back(record.sweeps.size());
  EXPECT_THAT(draws, ElementsAre(2, 1, 1, 1));
}

TEST_F(ChainRecorderTest, FullBufferIsCommittedBetweenSweeps) {
  const auto recorder = MakeRecorder();
  ASSERT_OK(HandOverPoint(*recorder, 0));
  for (std::int64_t sweep = 1; sweep <= 4; ++sweep) {
    ASSERT_OK(HandOverDraw(*recorder, sweep, 100'000));  // 800,000 bytes
    ASSERT_OK(HandOverPoint(*recorder, sweep));
    ASSERT_OK(HandOverSum(*recorder, sweep));
  }
  // Two draws exceed 1 MiB; everything of their sweeps comes with them.
  ASSERT_EQ(commits_.size(), 1);
  EXPECT_EQ(commits_[0].sweeps, 2);
  EXPECT_EQ(commits_[0].points.size(), 3);
  EXPECT_EQ(commits_[0].predictive.size(), 2);
  EXPECT_EQ(Position().sweeps, 2);
  ASSERT_OK(recorder->Commit(4, std::nullopt));
  EXPECT_EQ(Position().draws, 4);
}

TEST_F(ChainRecorderTest, RepeatedSweepsAreComparedAndNewOnesStored) {
  Record(5);
  const auto recorder = MakeRecorder();
  recorder->SkipPoints(3);  // the checkpoint is of sweep 2
  for (std::int64_t sweep = 3; sweep <= 7; ++sweep) ASSERT_OK(HandOver(*recorder, sweep));
  ASSERT_OK(recorder->Commit(7, std::nullopt));
  ASSERT_EQ(commits_.size(), 1);
  EXPECT_EQ(commits_[0].expected_draws, 5);
  EXPECT_EQ(commits_[0].draws[0].first_draw, 5);
  EXPECT_EQ(commits_[0].points[0].index, 6);
  EXPECT_EQ(Position().draws, 7);
  EXPECT_EQ(Position().points, 8);
}

TEST_F(ChainRecorderTest, CheckpointWhileRepeatingKeepsTheSweepsStored) {
  Record(5);
  const auto recorder = MakeRecorder();
  recorder->SkipPoints(3);
  ASSERT_OK(HandOver(*recorder, 3));
  ASSERT_OK(recorder->Commit(3, "of sweep 3"));
  EXPECT_EQ(Position().sweeps, 5);
  EXPECT_EQ(Position().draws, 5);
}

TEST_F(ChainRecorderTest, PredictiveSumDroppedMeanwhileNeedNotBeRepeated) {
  Record(5);
  ASSERT_OK(store().AppendDiagnostics("job", {.index = 0, .sweep = 5, .body = ""}));
  const auto recorder = MakeRecorder();
  recorder->SkipPoints(3);
  for (std::int64_t sweep = 3; sweep <= 6; ++sweep) EXPECT_OK(HandOver(*recorder, sweep));
}

TEST_F(ChainRecorderTest, ChainThatDoesNotRepeatItselfIsDataLoss) {
  Record(5);
  const auto code_of = [this](const std::function<absl::Status(ChainRecorder&)>& deviate) {
    const auto recorder = MakeRecorder();
    recorder->SkipPoints(3);
    return deviate(*recorder).code();
  };
  const std::vector<double> draw = Values(3, 3), point = Values(3, 2), sum = Values(3, 4);
  const auto changed = [](std::vector<double> values) {
    values.back() = std::nextafter(values.back(), 2.0);
    return values;
  };
  constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;
  // As stored, to begin with.
  EXPECT_EQ(code_of([](ChainRecorder& r) { return HandOver(r, 3); }), absl::StatusCode::kOk);
  // One bit of a draw.
  EXPECT_EQ(code_of([&](ChainRecorder& r) {
              return r.AppendDraw({.index = 2, .sweep = 3, .values = changed(draw)});
            }),
            kDataLoss);
  // The sweep of a draw.
  EXPECT_EQ(code_of([&](ChainRecorder& r) {
              return r.AppendDraw({.index = 2, .sweep = 4, .values = draw});
            }),
            kDataLoss);
  // Warm-up or not.
  EXPECT_EQ(code_of([&](ChainRecorder& r) {
              return r.AppendDraw({.index = 2, .sweep = 3, .warmup = true, .values = draw});
            }),
            kDataLoss);
  // A draw too many.
  EXPECT_EQ(code_of([&](ChainRecorder& r) {
              return r.AppendDraw({.index = 5, .sweep = 5, .values = draw});
            }),
            kDataLoss);
  // One bit of a trace point.
  EXPECT_EQ(code_of([&](ChainRecorder& r) {
              return r.AppendTrace({.sweep = 3, .even = true, .values = changed(point)});
            }),
            kDataLoss);
  // Its schedule.
  EXPECT_EQ(code_of([&](ChainRecorder& r) {
              return r.AppendTrace({.sweep = 3, .logarithmic = true, .values = point});
            }),
            kDataLoss);
  // One bit of a predictive sum.
  EXPECT_EQ(code_of([&](ChainRecorder& r) {
              return r.AppendPredictive({.sweep = 3, .draws = 3, .values = changed(sum)});
            }),
            kDataLoss);
}

TEST_F(ChainRecorderTest, NewDrawThatLeavesAGapIsDataLoss) {
  Record(5);
  const auto recorder = MakeRecorder();
  recorder->SkipPoints(6);
  EXPECT_THAT(recorder->AppendDraw({.index = 6, .sweep = 7, .values = Values(7, 3)}),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace posteriord::server
