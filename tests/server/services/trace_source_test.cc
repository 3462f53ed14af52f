#include "server/services/trace_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/sampling/schedule.h"
#include "tests/server/store/testing/sqlite_server.h"
#include "tests/testing/proto.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;

constexpr char kJobId[] = "job1";
constexpr int kTotalSweeps = 1'000'000;

// A job of two chains with two observables; a trace keeps at most 16 even points.
class TraceSourceTest : public ::testing::Test {
 protected:
  TraceSourceTest() {
    job_ = posteriord::testing::FromText<v1::Job>(R"pb(
      spec { observation { initial_stride: 1 max_points: 16 } }
      chains {}
      chains { chain: 1 }
      observables { name: "train_error" }
      observables { name: "log_posterior" }
    )pb");
    JobRecord record;
    record.id = kJobId;
    record.create_time_us = 1;
    EXPECT_THAT(server_.store().CreateJob(record, 2, "", ""), testing::IsOk());
    EXPECT_THAT(server_.store().SetState(kJobId, {JobState::kQueued}, JobState::kRunning, 2, ""),
                testing::IsOk());
  }

  // Stores the points of both schedules for the chain's sweeps up to `sweep`.
  void RunTo(int chain, std::int64_t sweep) {
    const core::ObservationSpec observation{.initial_stride = 1, .max_points = 16};
    ChainCommit commit;
    commit.chain = chain;
    commit.expected_points = points_[chain];
    for (std::int64_t s = sweeps_[chain]; s <= sweep; ++s) {
      TraceRecord record{.index = points_[chain],
                         .sweep = s,
                         .even = core::IsEvenPoint(observation, s),
                         .logarithmic = core::IsLogarithmicPoint(s, kTotalSweeps),
                         .values = {100.0 * chain + static_cast<double>(s), 0.5}};
      if (!record.even && !record.logarithmic) continue;
      commit.points.push_back(record);
      ++points_[chain];
    }
    sweeps_[chain] = sweep + 1;
    commit.sweeps = sweep;
    ASSERT_THAT(server_.store().Commit(kJobId, commit), testing::IsOk());
  }

  void Finish() {
    ASSERT_THAT(server_.store().SetState(kJobId, {JobState::kRunning}, JobState::kSucceeded, 3, ""),
                testing::IsOk());
  }

  std::vector<v1::StreamTraceResponse> ReadAll(const v1::StreamTraceRequest& request) {
    auto source = MakeTraceSource(server_.store(), kJobId, job_, request);
    EXPECT_THAT(source, testing::IsOk());
    std::vector<v1::StreamTraceResponse> messages;
    while (!(*source)->finished()) {
      auto next = (*source)->Next();
      EXPECT_THAT(next, testing::IsOk());
      if (!next.ok() || !next->has_value()) break;
      messages.push_back(**std::move(next));
    }
    return messages;
  }

  static std::vector<std::int64_t> SweepsOf(const std::vector<v1::StreamTraceResponse>& messages,
                                            int chain) {
    std::vector<std::int64_t> sweeps;
    for (const auto& message : messages) {
      if (!message.has_chunk() || message.chunk().chain() != chain) continue;
      EXPECT_EQ(message.chunk().values_size(), 2 * message.chunk().sweeps_size());
      sweeps.insert(sweeps.end(), message.chunk().sweeps().begin(), message.chunk().sweeps().end());
    }
    return sweeps;
  }

  SqliteServer server_;
  v1::Job job_;
  std::map<int, std::int64_t> points_;
  std::map<int, std::int64_t> sweeps_;
};

TEST_F(TraceSourceTest, EvenPointsAreThoseOfThePresentStride) {
  RunTo(0, 100);
  RunTo(1, 10);
  Finish();
  v1::StreamTraceRequest request;
  request.set_points(v1::StreamTraceRequest::POINTS_EVEN);
  const auto messages = ReadAll(request);
  EXPECT_THAT(SweepsOf(messages, 0), ElementsAre(0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96));
  EXPECT_THAT(SweepsOf(messages, 1), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_EQ(messages.back().end().state(), v1::Job::STATE_SUCCEEDED);
}

TEST_F(TraceSourceTest, LogarithmicPointsAreAllKept) {
  RunTo(0, 100);
  Finish();
  v1::StreamTraceRequest request;
  request.set_points(v1::StreamTraceRequest::POINTS_LOGARITHMIC);
  std::vector<std::int64_t> expected;
  for (std::int64_t s = 0; s <= 100; ++s) {
    if (core::IsLogarithmicPoint(s, kTotalSweeps)) expected.push_back(s);
  }
  EXPECT_EQ(SweepsOf(ReadAll(request), 0), expected);
}

TEST_F(TraceSourceTest, ResumedAtAnyCursorGivesTheRest) {
  job_.mutable_observables()->Clear();  // of the widest kind: few points to a message
  for (int i = 0; i < 8192; ++i) job_.add_observables();
  RunTo(0, 50);
  RunTo(1, 50);
  Finish();
  v1::StreamTraceRequest request;
  const auto messages = ReadAll(request);
  const auto all = SweepsOf(messages, 1);
  ASSERT_GT(messages.size(), 20u);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    request.set_cursor(messages[i].cursor());
    auto sweeps = SweepsOf({messages.begin(), messages.begin() + i + 1}, 1);
    const auto rest = SweepsOf(ReadAll(request), 1);
    sweeps.insert(sweeps.end(), rest.begin(), rest.end());
    EXPECT_EQ(sweeps, all) << i;
  }
}

TEST_F(TraceSourceTest, DiagnosticsComeInOrderWhenAskedFor) {
  RunTo(0, 3);
  for (int i = 0; i < 3; ++i) {
    v1::Diagnostics diagnostics;
    diagnostics.set_sweep(i + 1);
    ASSERT_THAT(server_.store().AppendDiagnostics(
                    kJobId, {.index = i, .sweep = i + 1, .body = diagnostics.SerializeAsString()}),
                testing::IsOk());
  }
  Finish();
  v1::StreamTraceRequest request;
  request.set_include_diagnostics(true);
  std::vector<std::int64_t> sweeps;
  for (const auto& message : ReadAll(request)) {
    if (message.has_diagnostics()) sweeps.push_back(message.diagnostics().sweep());
  }
  EXPECT_THAT(sweeps, ElementsAre(1, 2, 3));
}

TEST_F(TraceSourceTest, BadRequestsNameTheField) {
  v1::StreamTraceRequest request;
  request.set_cursor("nonsense");
  EXPECT_THAT(posteriord::testing::ViolatedFields(
                  MakeTraceSource(server_.store(), kJobId, job_, request).status()),
              ElementsAre("cursor"));
  request.Clear();
  request.add_chains(-1);
  EXPECT_THAT(posteriord::testing::ViolatedFields(
                  MakeTraceSource(server_.store(), kJobId, job_, request).status()),
              ElementsAre("chains[0]"));
}

}  // namespace
}  // namespace posteriord::server
