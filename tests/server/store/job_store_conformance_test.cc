// What every JobStore does. Each implementation instantiates the suite at the end of this file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/store/job_store.h"
#include "tests/server/store/testing/records.h"
#include "tests/server/store/testing/sqlite_server.h"
#include "tests/testing/notification.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::posteriord::testing::IsOk;
using ::posteriord::testing::IsOkAndHolds;
using ::posteriord::testing::Notification;
using ::posteriord::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

using enum JobState;

// A store and what tests need around it.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual JobStore& store() = 0;
  // Makes a data set that jobs can read.
  virtual void AddDataset(const std::string& id) = 0;
  // Called between writing and reading: what was written is still there.
  virtual void BeforeReading() {}
};

class SqliteSubject : public Subject {
 public:
  JobStore& store() override { return server_.store(); }
  void AddDataset(const std::string& id) override { server_.AddDataset(id); }

 protected:
  SqliteServer server_;
};

class RestartedSqliteSubject : public SqliteSubject {
 public:
  void BeforeReading() override { server_.Restart(); }
};

class CrashedSqliteSubject : public SqliteSubject {
 public:
  JobStore& store() override { return crashed_ ? crashed_->store() : SqliteSubject::store(); }
  void AddDataset(const std::string& id) override { server_.AddDataset(id); }
  void BeforeReading() override { crashed_ = (crashed_ ? *crashed_ : server_).Crash(); }

 private:
  std::unique_ptr<SqliteServer> crashed_;
};

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<Subject>()> make;
};

class JobStoreTest : public ::testing::TestWithParam<Implementation> {
 protected:
  // To write with.
  JobStore& store() { return subject_->store(); }
  // To read with what was written before.
  JobStore& reread() {
    subject_->BeforeReading();
    return subject_->store();
  }
  void AddDataset(const std::string& id) { subject_->AddDataset(id); }

  void Create(const JobRecord& record, int chains = 2) {
    ASSERT_THAT(store().CreateJob(record, chains, "", ""), IsOkAndHolds(record.id));
  }
  void Create(const std::string& id, int chains = 2) { Create(MakeJob(id), chains); }
  void Finish(const std::string& id, JobState state = kSucceeded) {
    ASSERT_OK(store().SetState(id, {kQueued, kRunning}, state, 2, ""));
  }

  std::vector<std::string> List(const JobStore::ListQuery& query) {
    std::vector<std::string> ids;
    const auto jobs = store().ListJobs(query);
    EXPECT_THAT(jobs, IsOk());
    for (const JobRecord& job : *jobs) ids.push_back(job.id);
    return ids;
  }

 private:
  const std::unique_ptr<Subject> subject_ = GetParam().make();
};

// ----- Creating, getting, deleting -----

TEST_P(JobStoreTest, JobIsReturnedAsItWasCreated) {
  AddDataset("digits");
  JobRecord record = MakeJob("a1");
  record.labels = {{"team", "red"}, {"run", ""}};
  record.dataset_id = "digits";
  record.body = std::string("\0binary\xFF", 8);
  Create(record);
  EXPECT_THAT(reread().GetJob("a1"), IsOkAndHolds(record));
}

TEST_P(JobStoreTest, UnknownJobIsNotFoundByAnyMethod) {
  EXPECT_THAT(store().GetJob("nope"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().SetState("nope", {kQueued}, kRunning, 1, ""),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().DeleteJob("nope"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().Commit("nope", MakeCommit(0, 0, 1, 0, 1)),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().Positions("nope"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().ReadDraws("nope", 0, 0), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().ReadTrace("nope", 0, 0, 1), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().ReadPredictive("nope", 0, 0), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().ReadCheckpoint("nope", 0), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().AppendDiagnostics("nope", {0, 1, "x"}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().ReadDiagnostics("nope", 0, 1), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().LatestDiagnostics("nope"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().Seal("nope"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().GetJob("../catalog"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().Positions("../catalog"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().Positions(""), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(JobStoreTest, ImpossibleJobIsRefused) {
  EXPECT_THAT(store().CreateJob(MakeJob("../up"), 1, "", ""),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(store().CreateJob(MakeJob(""), 1, "", ""),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(store().CreateJob(MakeJob("a"), 0, "", ""),
              StatusIs(absl::StatusCode::kInvalidArgument));
  JobRecord final_job = MakeJob("a");
  final_job.state = kFailed;
  EXPECT_THAT(store().CreateJob(final_job, 1, "", ""),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(List({}), IsEmpty());
}

TEST_P(JobStoreTest, IdCannotBeUsedTwice) {
  Create("a");
  EXPECT_THAT(store().CreateJob(MakeJob("a"), 1, "", ""),
              StatusIs(absl::StatusCode::kAlreadyExists));
  Finish("a");
  ASSERT_OK(store().DeleteJob("a"));
  EXPECT_THAT(store().CreateJob(MakeJob("a"), 1, "", ""),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_P(JobStoreTest, RepeatedRequestReturnsTheFirstJobAndCreatesNothing) {
  EXPECT_THAT(store().CreateJob(MakeJob("a"), 1, "request", "print"), IsOkAndHolds("a"));
  EXPECT_THAT(reread().CreateJob(MakeJob("b"), 1, "request", "print"), IsOkAndHolds("a"));
  EXPECT_THAT(List({}), ElementsAre("a"));
  EXPECT_THAT(store().GetJob("b"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(JobStoreTest, RequestIdWithAnotherFingerprintAlreadyExists) {
  EXPECT_THAT(store().CreateJob(MakeJob("a"), 1, "request", "print"), IsOk());
  EXPECT_THAT(reread().CreateJob(MakeJob("b"), 1, "request", "other"),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(List({}), ElementsAre("a"));
}

TEST_P(JobStoreTest, RequestsWithoutIdAreAllDifferent) {
  EXPECT_THAT(store().CreateJob(MakeJob("a"), 1, "", "print"), IsOkAndHolds("a"));
  EXPECT_THAT(store().CreateJob(MakeJob("b"), 1, "", "print"), IsOkAndHolds("b"));
}

TEST_P(JobStoreTest, RequestIdOfADeletedJobIsFree) {
  EXPECT_THAT(store().CreateJob(MakeJob("a"), 1, "request", "print"), IsOk());
  Finish("a");
  ASSERT_OK(store().DeleteJob("a"));
  EXPECT_THAT(reread().CreateJob(MakeJob("b"), 1, "request", "other"), IsOkAndHolds("b"));
}

TEST_P(JobStoreTest, ManyThreadsWithOneRequestMakeOneJob) {
  std::vector<std::string> results(8);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < results.size(); ++i) {
      threads.emplace_back([&, i] {
        const auto id = store().CreateJob(MakeJob(absl::StrCat("job", i)), 1, "request", "print");
        if (id.ok()) results[i] = *id;
      });
    }
  }
  EXPECT_THAT(std::set<std::string>(results.begin(), results.end()), SizeIs(1));
  EXPECT_THAT(List({}), ElementsAre(results[0]));
}

TEST_P(JobStoreTest, JobOfAMissingDataSetIsNotCreated) {
  JobRecord record = MakeJob("a");
  record.dataset_id = "missing";
  EXPECT_THAT(store().CreateJob(record, 1, "request", ""), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(reread().GetJob("a"), StatusIs(absl::StatusCode::kNotFound));
  record.dataset_id.clear();
  EXPECT_THAT(store().CreateJob(record, 1, "request", ""), IsOkAndHolds("a"));
}

TEST_P(JobStoreTest, DataSetIsInUseUntilTheJobIsFinal) {
  AddDataset("digits");
  JobRecord record = MakeJob("a");
  record.dataset_id = "digits";
  EXPECT_THAT(store().DatasetInUse("digits"), IsOkAndHolds(false));
  Create(record);
  Create("other");
  EXPECT_THAT(reread().DatasetInUse("digits"), IsOkAndHolds(true));
  EXPECT_THAT(store().DatasetInUse(""), IsOkAndHolds(false));
  Finish("a");
  EXPECT_THAT(store().DatasetInUse("digits"), IsOkAndHolds(false));
}

TEST_P(JobStoreTest, JobThatHasNotEndedIsNotDeleted) {
  Create("a");
  EXPECT_THAT(store().DeleteJob("a"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(reread().GetJob("a"), IsOk());
}

TEST_P(JobStoreTest, DeletedJobIsGone) {
  Create("a");
  ASSERT_OK(store().Commit("a", MakeCommit(0, 0, 2, 0, 2)));
  Finish("a");
  ASSERT_OK(store().DeleteJob("a"));
  EXPECT_THAT(store().ReadDraws("a", 0, 0), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(reread().GetJob("a"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().ReadDraws("a", 0, 0), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store().DeleteJob("a"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(List({}), IsEmpty());
}

// ----- Listing -----

TEST_P(JobStoreTest, ListIsNewestFirstAndInPages) {
  for (const char* id : {"a", "b", "c", "d", "e"}) Create(id);
  reread();
  EXPECT_THAT(List({.limit = 2}), ElementsAre("e", "d"));
  EXPECT_THAT(List({.after_id = "d", .limit = 2}), ElementsAre("c", "b"));
  EXPECT_THAT(List({.after_id = "b", .limit = 2}), ElementsAre("a"));
  EXPECT_THAT(List({.after_id = "a", .limit = 2}), IsEmpty());
}

TEST_P(JobStoreTest, PagesNeitherRepeatNorSkipWhenJobsComeAndGo) {
  for (const char* id : {"a", "b", "c", "d"}) Create(id);
  EXPECT_THAT(List({.limit = 2}), ElementsAre("d", "c"));
  Create("e");
  Finish("c");
  ASSERT_OK(store().DeleteJob("c"));
  reread();
  EXPECT_THAT(List({.after_id = "c", .limit = 2}), ElementsAre("b", "a"));
}

TEST_P(JobStoreTest, PagingWhileJobsAreCreatedSeesEveryEarlierJobOnce) {
  std::vector<std::string> before;
  for (int i = 0; i < 20; ++i) {
    before.insert(before.begin(), absl::StrCat("old", i));
    Create(before.front());
  }
  std::jthread creator([&] {
    for (int i = 0; i < 20; ++i) {
      EXPECT_THAT(store().CreateJob(MakeJob(absl::StrCat("new", i)), 1, "", ""), IsOk());
    }
  });
  std::vector<std::string> seen;
  std::string after;
  while (true) {
    const std::vector<std::string> page = List({.after_id = after, .limit = 3});
    if (page.empty()) break;
    for (const std::string& id : page) {
      if (id.starts_with("old")) seen.push_back(id);
    }
    after = page.back();
  }
  EXPECT_EQ(seen, before);
}

TEST_P(JobStoreTest, ListingAfterAJobThatNeverWasIsRefused) {
  EXPECT_THAT(store().ListJobs({.after_id = "nope"}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(JobStoreTest, ListFiltersByStateAndLabels) {
  const auto create = [&](const std::string& id, std::map<std::string, std::string> labels) {
    JobRecord record = MakeJob(id);
    record.labels = std::move(labels);
    Create(record);
  };
  create("a", {{"team", "red"}, {"size", "big"}});
  create("b", {{"team", "blue"}});
  create("c", {{"team", "red"}});
  create("d", {{"team", "red"}, {"size", "big"}});
  Finish("a");
  Finish("b", kCancelled);
  ASSERT_OK(store().SetState("d", {kQueued}, kRunning, 1, ""));
  reread();
  EXPECT_THAT(List({.states = {kSucceeded}}), ElementsAre("a"));
  EXPECT_THAT(List({.states = {kSucceeded, kCancelled, kRunning}}), ElementsAre("d", "b", "a"));
  EXPECT_THAT(List({.states = {kSucceeded, kCancelled, kRunning}, .limit = 2}),
              ElementsAre("d", "b"));
  EXPECT_THAT(List({.states = {kSucceeded, kCancelled}, .after_id = "b"}), ElementsAre("a"));
  EXPECT_THAT(List({.states = {kFailed}}), IsEmpty());
  EXPECT_THAT(List({.labels = {{"team", "red"}}}), ElementsAre("d", "c", "a"));
  EXPECT_THAT(List({.labels = {{"team", "red"}}, .after_id = "d", .limit = 1}), ElementsAre("c"));
  EXPECT_THAT(List({.labels = {{"team", "red"}, {"size", "big"}}}), ElementsAre("d", "a"));
  EXPECT_THAT(List({.states = {kSucceeded}, .labels = {{"team", "red"}, {"size", "big"}}}),
              ElementsAre("a"));
  EXPECT_THAT(List({.labels = {{"team", "green"}}}), IsEmpty());
}

// ----- States -----

TEST_P(JobStoreTest, StateChangesSetTimesAndOutcome) {
  JobRecord expected = MakeJob("a");
  Create(expected);
  ASSERT_OK(store().SetState("a", {kQueued}, kRunning, 100, ""));
  expected.state = kRunning;
  expected.start_time_us = 100;
  EXPECT_THAT(reread().GetJob("a"), IsOkAndHolds(expected));
  ASSERT_OK(store().SetState("a", {kRunning}, kRunning, 150, ""));  // again after a restart
  EXPECT_THAT(store().GetJob("a"), IsOkAndHolds(expected));
  ASSERT_OK(store().SetState("a", {kQueued, kRunning}, kFailed, 200, "because"));
  expected.state = kFailed;
  expected.end_time_us = 200;
  expected.outcome = "because";
  EXPECT_THAT(reread().GetJob("a"), IsOkAndHolds(expected));
}

TEST_P(JobStoreTest, SuccessKeepsItsReason) {
  Create("a");
  ASSERT_OK(store().SetState("a", {kQueued}, kRunning, 100, "not yet known"));
  EXPECT_EQ(store().GetJob("a")->outcome, "");
  ASSERT_OK(store().SetState("a", {kRunning}, kSucceeded, 200, "because"));
  EXPECT_EQ(reread().GetJob("a")->outcome, "because");
}

TEST_P(JobStoreTest, StateChangeFromAnotherStateFailsAndChangesNothing) {
  Create("a");
  Finish("a", kCancelled);
  ASSERT_OK_AND_ASSIGN(const JobRecord before, store().GetJob("a"));
  EXPECT_THAT(store().SetState("a", {kQueued, kRunning}, kSucceeded, 9, ""),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(reread().GetJob("a"), IsOkAndHolds(before));
}

TEST_P(JobStoreTest, OfManyThreadsOneEndsTheJob) {
  Create("a");
  std::atomic<int> winners = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        const JobState to = i % 2 == 0 ? kSucceeded : kCancelled;
        if (store().SetState("a", {kQueued}, to, i, "").ok()) ++winners;
      });
    }
  }
  EXPECT_EQ(winners, 1);
}

// ----- Commits -----

TEST_P(JobStoreTest, NewJobHasEmptyChains) {
  Create("a", 3);
  EXPECT_THAT(reread().Positions("a"),
              IsOkAndHolds(ElementsAre(ChainPosition(), ChainPosition(), ChainPosition())));
}

TEST_P(JobStoreTest, CommitIsReadBack) {
  Create("a");
  ChainCommit commit = MakeCommit(1, 0, 3, 0, 4);
  commit.draws[0].warmup_draws = 2;
  commit.draws.push_back(MakeDraws(1, 3, 2));
  commit.predictive.push_back(MakePredictive(1, 50));
  commit.checkpoint = "state of the chain";
  ASSERT_OK(store().Commit("a", commit));

  JobStore& read = reread();
  EXPECT_THAT(read.Positions("a"),
              IsOkAndHolds(ElementsAre(ChainPosition(),
                                       ChainPosition{5, 4, commit.sweeps, commit.busy_seconds})));
  for (int draw = 0; draw < 5; ++draw) {
    EXPECT_THAT(read.ReadDraws("a", 1, draw), IsOkAndHolds(commit.draws[draw < 3 ? 0 : 1]));
  }
  EXPECT_THAT(read.ReadTrace("a", 1, 0, 10), IsOkAndHolds(commit.points));
  EXPECT_THAT(read.ReadPredictive("a", 1, 50), IsOkAndHolds(Optional(commit.predictive[0])));
  EXPECT_THAT(read.ReadCheckpoint("a", 1), IsOkAndHolds(Optional(*commit.checkpoint)));
}

TEST_P(JobStoreTest, ReadingBeyondWhatIsStoredFindsNothing) {
  Create("a");
  ASSERT_OK(store().Commit("a", MakeCommit(0, 0, 2, 0, 2)));
  JobStore& read = reread();
  EXPECT_THAT(read.ReadDraws("a", 0, 2), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(read.ReadDraws("a", 1, 0), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(read.ReadTrace("a", 0, 2, 10), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(read.ReadTrace("a", 0, 100, 10), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(read.ReadPredictive("a", 0, 50), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(read.ReadCheckpoint("a", 0), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(read.ReadDiagnostics("a", 0, 10), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(read.LatestDiagnostics("a"), IsOkAndHolds(std::nullopt));
}

TEST_P(JobStoreTest, ChainThatDoesNotExistIsRefused) {
  Create("a", 2);
  for (const int chain : {-1, 2}) {
    EXPECT_THAT(store().Commit("a", MakeCommit(chain, 0, 1, 0, 1)),
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(store().ReadDraws("a", chain, 0), StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(store().ReadTrace("a", chain, 0, 1), StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(store().ReadPredictive("a", chain, 0),
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(store().ReadCheckpoint("a", chain), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_P(JobStoreTest, NegativePositionIsRefused) {
  Create("a");
  EXPECT_THAT(store().ReadDraws("a", 0, -1), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(store().ReadTrace("a", 0, -1, 1), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(store().ReadDiagnostics("a", -1, 1), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(JobStoreTest, TraceIsReadInPieces) {
  Create("a");
  ASSERT_OK(store().Commit("a", MakeCommit(0, 0, 1, 0, 3)));
  ASSERT_OK(store().Commit("a", MakeCommit(0, 1, 1, 3, 4)));
  EXPECT_THAT(reread().ReadTrace("a", 0, 2, 3),
              IsOkAndHolds(ElementsAre(MakePoint(0, 2), MakePoint(0, 3), MakePoint(0, 4))));
  EXPECT_THAT(store().ReadTrace("a", 0, 5, 3),
              IsOkAndHolds(ElementsAre(MakePoint(0, 5), MakePoint(0, 6))));
  EXPECT_THAT(store().ReadTrace("a", 0, 0, 0), IsOkAndHolds(IsEmpty()));
}

TEST_P(JobStoreTest, NumbersKeepTheirBits) {
  Create("a");
  ChainCommit commit = MakeCommit(0, 0, 1, 0, 1);
  commit.points[0].values = {std::numeric_limits<double>::quiet_NaN(), -0.0,
                             std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::denorm_min()};
  commit.busy_seconds = 0.1;
  ASSERT_OK(store().Commit("a", commit));
  EXPECT_THAT(reread().ReadTrace("a", 0, 0, 1), IsOkAndHolds(commit.points));
  ASSERT_OK_AND_ASSIGN(const auto positions, store().Positions("a"));
  EXPECT_EQ(positions[0].busy_seconds, 0.1);
}

TEST_P(JobStoreTest, CommitAtAnotherPositionIsAbortedAndChangesNothing) {
  Create("a");
  ASSERT_OK(store().Commit("a", MakeCommit(0, 0, 2, 0, 3)));
  ASSERT_OK_AND_ASSIGN(const auto before, store().Positions("a"));
  EXPECT_THAT(store().Commit("a", MakeCommit(0, 0, 2, 0, 3)),
              StatusIs(absl::StatusCode::kAborted));  // again
  EXPECT_THAT(store().Commit("a", MakeCommit(0, 3, 1, 3, 1)),
              StatusIs(absl::StatusCode::kAborted));  // a gap
  EXPECT_THAT(store().Commit("a", MakeCommit(0, 2, 1, 2, 1)), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(store().Commit("a", MakeCommit(0, 2, 1, 4, 1)), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(reread().Positions("a"), IsOkAndHolds(before));
  EXPECT_THAT(store().ReadDraws("a", 0, 2), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(JobStoreTest, CommitWhoseRecordsDoNotFollowOneAnotherIsRefusedWhole) {
  Create("a");
  std::vector<std::pair<std::string, std::function<void(ChainCommit&)>>> damages = {
      {"gap between records", [](auto& c) { c.draws.push_back(MakeDraws(0, 3, 1)); }},
      {"overlap", [](auto& c) { c.draws.push_back(MakeDraws(0, 1, 1)); }},
      {"first draw elsewhere", [](auto& c) { c.draws[0].first_draw = 1; }},
      {"record without draws", [](auto& c) { c.draws.push_back({.first_draw = 2}); }},
      {"values of half a draw", [](auto& c) { c.draws[0].values.pop_back(); }},
      {"no values", [](auto& c) { c.draws[0].values.clear(); }},
      {"more warm-up than draws", [](auto& c) { c.draws[0].warmup_draws = 3; }},
      {"negative warm-up", [](auto& c) { c.draws[0].warmup_draws = -1; }},
      {"gap between points", [](auto& c) { c.points.push_back(MakePoint(0, 3)); }},
      {"point twice", [](auto& c) { c.points.push_back(MakePoint(0, 1)); }},
  };
  for (const auto& [name, damage] : damages) {
    ChainCommit commit = MakeCommit(0, 0, 2, 0, 2);
    damage(commit);
    EXPECT_THAT(store().Commit("a", commit), StatusIs(absl::StatusCode::kInvalidArgument)) << name;
  }
  EXPECT_THAT(reread().Positions("a"), IsOkAndHolds(ElementsAre(ChainPosition(), ChainPosition())));
}

TEST_P(JobStoreTest, CommitOfProgressAloneIsStored) {
  Create("a");
  ASSERT_OK(store().Commit("a", {.chain = 1, .sweeps = 70, .busy_seconds = 1.5}));
  EXPECT_THAT(reread().Positions("a"),
              IsOkAndHolds(ElementsAre(ChainPosition(), ChainPosition{0, 0, 70, 1.5})));
}

TEST_P(JobStoreTest, NothingIsAddedToAFinalJob) {
  Create("a");
  ASSERT_OK(store().Commit("a", MakeCommit(0, 0, 1, 0, 1)));
  Finish("a");
  EXPECT_THAT(store().Commit("a", MakeCommit(0, 1, 1, 1, 1)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(store().AppendDiagnostics("a", {0, 10, "x"}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(reread().ReadDraws("a", 0, 0), IsOkAndHolds(MakeDraws(0, 0, 1)));
  EXPECT_THAT(store().ReadDraws("a", 0, 1), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(JobStoreTest, CheckpointIsReplacedWhateverItsSize) {
  Create("a");
  std::string large;
  for (int i = 0; large.size() < 3'500'000; ++i) absl::StrAppend(&large, i, ",");
  std::int64_t draws = 0;
  for (const std::string& checkpoint :
       {std::string("small"), large, std::string(1 << 20, 'x'), std::string(), large}) {
    ChainCommit commit = MakeCommit(0, draws, 1, draws, 1);
    commit.checkpoint = checkpoint;
    ASSERT_OK(store().Commit("a", commit));
    ++draws;
    ASSERT_OK_AND_ASSIGN(const auto read, reread().ReadCheckpoint("a", 0));
    EXPECT_TRUE(read == checkpoint) << checkpoint.size();
  }
  ASSERT_OK(store().Commit("a", MakeCommit(0, draws, 1, draws, 1)));  // keeps the last
  EXPECT_THAT(reread().ReadCheckpoint("a", 0), IsOkAndHolds(Optional(large)));
  EXPECT_THAT(store().ReadCheckpoint("a", 1), IsOkAndHolds(std::nullopt));
}

TEST_P(JobStoreTest, CommitsOfManyChainsAtOnceAreAllStored) {
  constexpr int kChains = 6;
  constexpr int kCommits = 15;
  Create("a", kChains);
  {
    std::vector<std::jthread> threads;
    for (int chain = 0; chain < kChains; ++chain) {
      threads.emplace_back([&, chain] {
        for (int i = 0; i < kCommits; ++i) {
          EXPECT_OK(store().Commit("a", MakeCommit(chain, 2 * i, 2, i, 1)));
        }
      });
    }
  }
  JobStore& read = reread();
  for (int chain = 0; chain < kChains; ++chain) {
    for (int draw = 0; draw < 2 * kCommits; ++draw) {
      EXPECT_THAT(read.ReadDraws("a", chain, draw),
                  IsOkAndHolds(MakeDraws(chain, draw / 2 * 2, 2)));
    }
    EXPECT_THAT(read.ReadTrace("a", chain, 0, 100), IsOkAndHolds(SizeIs(kCommits)));
  }
}

TEST_P(JobStoreTest, ReadersDuringCommitsSeeWholeCommitsOnly) {
  constexpr int kCommits = 30;
  Create("a", 1);
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < 6; ++reader) {
    readers.emplace_back([&] {
      std::int64_t draw = 0;
      while (true) {
        const bool last_round = done;
        const auto draws = store().ReadDraws("a", 0, draw);
        if (draws.ok()) {
          EXPECT_EQ(*draws, MakeDraws(0, draw, 2));
          draw += 2;
          // Made by the same commit.
          EXPECT_THAT(store().ReadTrace("a", 0, draw / 2 - 1, 1), IsOkAndHolds(SizeIs(1)));
        } else {
          EXPECT_THAT(draws, StatusIs(absl::StatusCode::kNotFound));
          if (last_round) break;
        }
      }
      EXPECT_EQ(draw, 2 * kCommits);
    });
  }
  for (int i = 0; i < kCommits; ++i) EXPECT_OK(store().Commit("a", MakeCommit(0, 2 * i, 2, i, 1)));
  done = true;
}

// ----- Predictive sums and diagnostics -----

TEST_P(JobStoreTest, PredictiveSumOfTheSameSweepIsReplaced) {
  Create("a");
  ChainCommit commit{.chain = 0};
  commit.predictive = {MakePredictive(0, 10), MakePredictive(0, 20)};
  ASSERT_OK(store().Commit("a", commit));
  commit.predictive = {PredictiveRecord{20, 7, {1, 2, 3}}};
  ASSERT_OK(store().Commit("a", commit));
  EXPECT_THAT(reread().ReadPredictive("a", 0, 10), IsOkAndHolds(Optional(MakePredictive(0, 10))));
  EXPECT_THAT(store().ReadPredictive("a", 0, 20),
              IsOkAndHolds(Optional(PredictiveRecord{20, 7, {1, 2, 3}})));
  EXPECT_THAT(store().ReadPredictive("a", 0, 15), IsOkAndHolds(std::nullopt));
}

TEST_P(JobStoreTest, DiagnosticsAreReadBackInOrder) {
  Create("a");
  const std::vector<DiagnosticsRecord> records = {{0, 10, "first"}, {1, 20, ""}, {2, 40, "third"}};
  for (const DiagnosticsRecord& record : records) {
    ASSERT_OK(store().AppendDiagnostics("a", record));
    EXPECT_THAT(reread().LatestDiagnostics("a"), IsOkAndHolds(Optional(record)));
  }
  EXPECT_THAT(store().ReadDiagnostics("a", 0, 100), IsOkAndHolds(records));
  EXPECT_THAT(store().ReadDiagnostics("a", 1, 1), IsOkAndHolds(ElementsAre(records[1])));
  EXPECT_THAT(store().ReadDiagnostics("a", 3, 1), IsOkAndHolds(IsEmpty()));
}

TEST_P(JobStoreTest, EvaluationAtAnotherIndexIsAborted) {
  Create("a");
  EXPECT_THAT(store().AppendDiagnostics("a", {1, 10, "gap"}), StatusIs(absl::StatusCode::kAborted));
  ASSERT_OK(store().AppendDiagnostics("a", {0, 10, "first"}));
  EXPECT_THAT(store().AppendDiagnostics("a", {0, 10, "again"}),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(reread().ReadDiagnostics("a", 0, 9),
              IsOkAndHolds(ElementsAre(DiagnosticsRecord{0, 10, "first"})));
}

TEST_P(JobStoreTest, EvaluationDropsEarlierPredictiveSumsOfEveryChain) {
  Create("a");
  for (int chain = 0; chain < 2; ++chain) {
    ChainCommit commit{.chain = chain};
    commit.predictive = {MakePredictive(chain, 10), MakePredictive(chain, 20),
                         MakePredictive(chain, 30)};
    ASSERT_OK(store().Commit("a", commit));
  }
  ASSERT_OK(store().AppendDiagnostics("a", {0, 20, "x"}));
  JobStore& read = reread();
  for (int chain = 0; chain < 2; ++chain) {
    EXPECT_THAT(read.ReadPredictive("a", chain, 10), IsOkAndHolds(std::nullopt));
    EXPECT_THAT(read.ReadPredictive("a", chain, 20),
                IsOkAndHolds(Optional(MakePredictive(chain, 20))));
    EXPECT_THAT(read.ReadPredictive("a", chain, 30),
                IsOkAndHolds(Optional(MakePredictive(chain, 30))));
  }
}

// ----- Waiting -----

TEST_P(JobStoreTest, SubscriberHearsOfEveryKindOfChange) {
  Create("a");
  Create("b");
  std::atomic<int> calls = 0;
  const auto subscription = store().Subscribe("a", [&] { ++calls; });
  auto heard = [&, before = 0]() mutable { return calls > std::exchange(before, calls); };
  EXPECT_FALSE(heard());
  ASSERT_OK(store().Commit("a", MakeCommit(0, 0, 1, 0, 1)));
  EXPECT_TRUE(heard());
  ASSERT_OK(store().AppendDiagnostics("a", {0, 10, "x"}));
  EXPECT_TRUE(heard());
  Finish("a");
  EXPECT_TRUE(heard());
  ASSERT_OK(store().Commit("b", MakeCommit(0, 0, 1, 0, 1)));  // not of job a
  EXPECT_FALSE(heard());
  ASSERT_OK(store().DeleteJob("a"));
  EXPECT_TRUE(heard());
}

TEST_P(JobStoreTest, ChangeIsVisibleWhenTheSubscriberHearsOfIt) {
  Create("a");
  Notification heard;
  std::jthread reader([&] {
    heard.Wait();
    EXPECT_THAT(store().ReadDraws("a", 0, 0), IsOk());
  });
  const auto subscription = store().Subscribe("a", [&] { heard.Notify(); });
  ASSERT_OK(store().Commit("a", MakeCommit(0, 0, 1, 0, 1)));
}

TEST_P(JobStoreTest, CancelledSubscriptionIsSilent) {
  Create("a");
  std::atomic<int> calls = 0;
  auto subscription = store().Subscribe("a", [&] { ++calls; });
  const auto other = store().Subscribe("a", [] {});
  subscription.reset();
  ASSERT_OK(store().Commit("a", MakeCommit(0, 0, 1, 0, 1)));
  EXPECT_EQ(calls, 0);
}

TEST_P(JobStoreTest, DestroyingASubscriptionWaitsForItsCallback) {
  Create("a");
  Notification entered;
  Notification leave;
  std::atomic<bool> running = false;
  auto subscription = store().Subscribe("a", [&] {
    running = true;
    entered.Notify();
    leave.Wait();
    running = false;
  });
  std::jthread writer([&] { EXPECT_OK(store().Commit("a", MakeCommit(0, 0, 1, 0, 1))); });
  entered.Wait();
  std::jthread releaser([&] { leave.Notify(); });
  subscription.reset();
  EXPECT_FALSE(running);
}

TEST_P(JobStoreTest, SubscriptionsComeAndGoWhileChangesAreReported) {
  Create("a", 1);
  std::atomic<bool> done = false;
  {
    std::vector<std::jthread> subscribers;
    for (int i = 0; i < 8; ++i) {
      subscribers.emplace_back([&] {
        while (!done) {
          // Lives as long as the subscription: a late call would touch freed memory.
          auto calls = std::make_unique<std::atomic<int>>(0);
          auto subscription = store().Subscribe("a", [counter = calls.get()] { ++*counter; });
          std::this_thread::yield();
          subscription.reset();
          calls.reset();
        }
      });
    }
    for (int i = 0; i < 50; ++i) EXPECT_OK(store().Commit("a", MakeCommit(0, i, 1, i, 1)));
    done = true;
  }
  int calls = 0;
  const auto subscription = store().Subscribe("a", [&] { ++calls; });
  ASSERT_OK(store().Commit("a", MakeCommit(0, 50, 1, 50, 1)));
  EXPECT_GE(calls, 1);
}

// ----- Sealing -----

TEST_P(JobStoreTest, SealedJobIsReadAsBefore) {
  Create("a");
  ChainCommit commit = MakeCommit(0, 0, 2, 0, 2);
  commit.checkpoint = "checkpoint";
  ASSERT_OK(store().Commit("a", commit));
  ASSERT_OK(store().AppendDiagnostics("a", {0, 10, "x"}));
  Finish("a");
  ASSERT_OK(store().Seal("a"));
  ASSERT_OK(store().Seal("a"));  // again
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(store().ReadDraws("a", 0, 1), IsOkAndHolds(commit.draws[0]));
    EXPECT_THAT(store().ReadTrace("a", 0, 0, 9), IsOkAndHolds(commit.points));
    EXPECT_THAT(store().ReadCheckpoint("a", 0), IsOkAndHolds(Optional(*commit.checkpoint)));
    EXPECT_THAT(store().LatestDiagnostics("a"),
                IsOkAndHolds(Optional(DiagnosticsRecord{0, 10, "x"})));
    EXPECT_THAT(store().Commit("a", MakeCommit(0, 2, 1, 2, 1)),
                StatusIs(absl::StatusCode::kFailedPrecondition));
    reread();
  }
  ASSERT_OK(store().DeleteJob("a"));
}

TEST_P(JobStoreTest, JobThatHasNotEndedIsNotSealed) {
  Create("a");
  EXPECT_THAT(store().Seal("a"), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(JobStoreTest, SealingAndDeletingUnderReadersIsSafe) {
  Create("a", 1);
  for (int i = 0; i < 10; ++i) ASSERT_OK(store().Commit("a", MakeCommit(0, i, 1, i, 1)));
  Finish("a");
  std::atomic<int> reads = 0;
  std::vector<std::jthread> readers;  // after what they use: they end first
  for (int reader = 0; reader < 4; ++reader) {
    readers.emplace_back([&] {
      for (int draw = 0;; draw = (draw + 1) % 10) {
        const auto draws = store().ReadDraws("a", 0, draw);
        if (!draws.ok()) {
          EXPECT_THAT(draws, StatusIs(absl::StatusCode::kNotFound));  // deleted, never damaged
          break;
        }
        EXPECT_EQ(*draws, MakeDraws(0, draw, 1));
        ++reads;
      }
    });
  }
  while (reads < 20) std::this_thread::yield();
  EXPECT_OK(store().Seal("a"));
  const int before = reads;
  while (reads < before + 20) std::this_thread::yield();
  EXPECT_OK(store().DeleteJob("a"));
}

template <typename T>
Implementation Make(const std::string& name) {
  return {name, [] { return std::make_unique<T>(); }};
}

INSTANTIATE_TEST_SUITE_P(Implementations, JobStoreTest,
                         ::testing::Values(Make<SqliteSubject>("Sqlite"),
                                           Make<RestartedSqliteSubject>("SqliteRestarted"),
                                           Make<CrashedSqliteSubject>("SqliteCrashed")),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace posteriord::server
