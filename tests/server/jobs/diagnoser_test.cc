#include "server/jobs/diagnoser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "server/jobs/chain_recorder.h"
#include "tests/server/jobs/testing/fake_problem.h"
#include "tests/server/store/testing/sqlite_server.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;
using testing::FakeChain;
using testing::FakeProblem;
using testing::FakeSpec;
using testing::IsOkAndHolds;

constexpr std::int64_t kSweeps = 400;

// Two informed chains and one from zero, advanced by hand.
class DiagnoserTest : public ::testing::Test {
 protected:
  static constexpr int kChains = 3;

  DiagnoserTest() { StartJob("job"); }

  void StartJob(const std::string& id) {
    JobRecord job;
    job.id = id;
    ASSERT_OK(server_.store().CreateJob(job, kChains, "", ""));
    job_ = id;
    Restart();
  }

  // A new process that finds what is stored.
  void Restart() {
    server_.Restart();
    diagnoser_ = std::make_unique<Diagnoser>(server_.store(), job_, problem_);
    auto told = diagnoser_->Restore();
    ASSERT_OK(told);
    told_ = *told;
    chains_.clear();
    recorders_.clear();
    const std::vector<ChainPosition> positions = *server_.store().Positions(job_);
    for (int chain = 0; chain < kChains; ++chain) {
      chains_.push_back(std::make_unique<FakeChain>(
          problem_, chain, [](int, std::int64_t) { return absl::OkStatus(); }));
      recorders_.push_back(std::make_unique<ChainRecorder>(
          server_.store(),
          ChainRecorder::Options{.job = job_,
                                 .chain = chain,
                                 .on_commit =
                                     [this](const ChainCommit& commit) {
                                       told_ |= diagnoser_->Add(commit.chain, commit.points,
                                                                commit.sweeps);
                                     }},
          positions[chain]));
    }
  }

  // Lets a chain come to a sweep; a chain of a new process starts anew.
  void Advance(int chain, std::int64_t sweep) {
    const auto outcome = chains_[chain]->Run(
        *recorders_[chain], {.should_yield = [&] { return chains_[chain]->sweep() >= sweep; }});
    ASSERT_OK(outcome);
    ASSERT_OK(recorders_[chain]->Commit(chains_[chain]->sweep(), std::nullopt));
  }
  void AdvanceAll(std::int64_t sweep) {
    for (int chain = 0; chain < kChains; ++chain) Advance(chain, sweep);
  }

  void EvaluateAll() {
    for (;;) {
      const auto evaluated = diagnoser_->EvaluateNext();
      ASSERT_OK(evaluated);
      if (!*evaluated) break;
    }
    told_ = false;
  }

  std::vector<DiagnosticsRecord> Stored() {
    return *server_.store().ReadDiagnostics(job_, 0, 10'000);
  }

  const std::shared_ptr<const core::Problem> problem_ =
      std::make_shared<FakeProblem>(FakeSpec(2, 1, kSweeps));
  SqliteServer server_;
  std::string job_;
  std::unique_ptr<Diagnoser> diagnoser_;
  std::vector<std::unique_ptr<FakeChain>> chains_;
  std::vector<std::unique_ptr<ChainRecorder>> recorders_;
  bool told_ = false;  // to evaluate
};

TEST_F(DiagnoserTest, NothingIsEvaluatedBeforeEveryChainIsThere) {
  EXPECT_FALSE(told_);
  Advance(0, 100);
  Advance(1, 100);
  EXPECT_FALSE(told_);
  EXPECT_THAT(diagnoser_->EvaluateNext(), IsOkAndHolds(false));
  Advance(2, 3);
  EXPECT_TRUE(told_);
  EvaluateAll();
  std::vector<std::int64_t> sweeps;
  for (const DiagnosticsRecord& record : Stored()) sweeps.push_back(record.sweep);
  EXPECT_THAT(sweeps, ElementsAre(0, 1, 2, 3));
}

TEST_F(DiagnoserTest, OnlyOneCallerIsToldToEvaluate) {
  AdvanceAll(2);
  EXPECT_TRUE(told_);
  told_ = false;
  AdvanceAll(5);
  EXPECT_FALSE(told_);
  EvaluateAll();
  AdvanceAll(8);
  EXPECT_TRUE(told_);
}

TEST_F(DiagnoserTest, LastEvaluationIsAtTheLastSweepAndFinal) {
  AdvanceAll(kSweeps);
  EXPECT_FALSE(diagnoser_->finished());
  EvaluateAll();
  EXPECT_TRUE(diagnoser_->finished());
  v1::Diagnostics last;
  ASSERT_TRUE(last.ParseFromString(Stored().back().body));
  EXPECT_EQ(last.sweep(), kSweeps);
  EXPECT_NE(last.state(), v1::THERMALIZATION_STATE_NOT_YET);
  EXPECT_NE(last.state(), v1::THERMALIZATION_STATE_TOO_EARLY);
  EXPECT_THAT(diagnoser_->EvaluateNext(), IsOkAndHolds(false));
}

TEST_F(DiagnoserTest, PredictiveErrorsArePooledWithinTheGroups) {
  AdvanceAll(10);
  EvaluateAll();
  v1::Diagnostics last;
  ASSERT_TRUE(last.ParseFromString(Stored().back().body));
  ASSERT_EQ(last.sweep(), 10);
  // The fake error: predictions of two samples, each the draw's first parameter, on average.
  const auto mean = [](const std::vector<int>& chains) {
    double sum = 0;
    for (const int chain : chains) {
      for (std::int64_t sweep = 1; sweep <= 10; ++sweep) sum += FakeChain::Value(chain, sweep, 0);
    }
    return 2 * sum / (10.0 * static_cast<double>(chains.size()));
  };
  EXPECT_NEAR(last.informed_predictive_test_error(), mean({0, 1}), 1e-12);
  EXPECT_NEAR(last.pooled_predictive_test_error(), mean({2}), 1e-12);
  v1::Diagnostics first;
  ASSERT_TRUE(first.ParseFromString(Stored().front().body));
  EXPECT_FALSE(first.has_pooled_predictive_test_error());  // no draws yet
}

TEST_F(DiagnoserTest, EvaluationsAreTheSameHoweverChainsAdvanceAndTheServerRestarts) {
  AdvanceAll(kSweeps);
  EvaluateAll();
  const std::vector<DiagnosticsRecord> expected = Stored();

  StartJob("other");
  for (const std::int64_t sweep : {1, 7, 33, 34, 150, 230, 398}) {
    Advance(0, sweep);
    Advance(2, std::min(sweep + 90, kSweeps));
    Restart();  // chain 0 is ahead, nothing has been evaluated
    Advance(1, sweep);
    ASSERT_OK(diagnoser_->EvaluateNext());
    Restart();  // between two evaluations
    AdvanceAll(sweep + 1);
    if (sweep % 2 == 1) EvaluateAll();
  }
  AdvanceAll(kSweeps);
  EvaluateAll();
  const std::vector<DiagnosticsRecord> actual = Stored();
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(actual[i].sweep, expected[i].sweep);
    EXPECT_EQ(actual[i].body, expected[i].body) << "at sweep " << expected[i].sweep;
  }
  Restart();
  EXPECT_FALSE(told_);
  EXPECT_TRUE(diagnoser_->finished());
}

}  // namespace
}  // namespace posteriord::server
