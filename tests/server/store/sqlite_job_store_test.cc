// What is particular to SqliteJobStore: its files, and how it comes back after a crash.
#include "server/store/sqlite_job_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/store/testing/damage.h"
#include "tests/server/store/testing/records.h"
#include "tests/server/store/testing/sqlite_server.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::posteriord::testing::IsOk;
using ::posteriord::testing::IsOkAndHolds;
using ::posteriord::testing::StatusIs;
using ::posteriord::testing::TemporaryDirectory;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

using enum JobState;

class SqliteJobStoreTest : public ::testing::Test {
 protected:
  JobStore& store() { return server_.store(); }
  const RecoveryReport& report() { return server_.store().recovery_report(); }
  std::string CatalogPath() const { return server_.directory() + "/catalog.db"; }

  void Create(const JobRecord& record, const std::string& request_id = "") {
    ASSERT_THAT(store().CreateJob(record, 2, request_id, "print"), IsOkAndHolds(record.id));
  }
  void Create(const std::string& id) { Create(MakeJob(id)); }
  void CreateFinished(const std::string& id) {
    Create(id);
    ASSERT_OK(store().Commit(id, MakeCommit(0, 0, 2, 0, 2)));
    ASSERT_OK(store().SetState(id, {kQueued}, kSucceeded, 5, ""));
  }

  std::set<std::string> JobFiles() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(server_.directory() + "/jobs")) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  SqliteServer server_;
};

// ----- Files -----

TEST_F(SqliteJobStoreTest, SealedJobIsOnePlainFile) {
  CreateFinished("a");
  EXPECT_THAT(JobFiles(), ::testing::Contains("a.db-wal"));
  ASSERT_OK(store().Seal("a"));
  EXPECT_THAT(JobFiles(), ElementsAre("a.db"));
  EXPECT_THAT(store().ReadDraws("a", 0, 0), IsOk());  // leaves nothing beside it
  EXPECT_THAT(store().Commit("a", MakeCommit(0, 2, 1, 2, 1)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(JobFiles(), ElementsAre("a.db"));
}

TEST_F(SqliteJobStoreTest, DeletedJobLeavesNoFile) {
  CreateFinished("a");
  ASSERT_OK(store().DeleteJob("a"));
  EXPECT_THAT(JobFiles(), IsEmpty());
}

TEST_F(SqliteJobStoreTest, RefusedJobLeavesNoFile) {
  JobRecord record = MakeJob("a");
  record.dataset_id = "missing";
  EXPECT_THAT(store().CreateJob(record, 1, "", ""), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(JobFiles(), IsEmpty());
}

TEST_F(SqliteJobStoreTest, CleanlyStoppedServerLeavesPlainFiles) {
  Create("a");
  ASSERT_OK(store().Commit("a", MakeCommit(0, 0, 2, 0, 2)));
  server_.Stop();
  EXPECT_THAT(JobFiles(), ElementsAre("a.db"));
}

TEST_F(SqliteJobStoreTest, SecondServerOnTheDirectoryIsRefusedByName) {
  EXPECT_THAT(CatalogDatabase::Open(server_.directory()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(server_.directory()), HasSubstr("in use"))));
}

TEST(SqliteJobStoreCacheTest, MoreJobsThanOpenFilesAllWork) {
  SqliteServer server({.max_open_jobs = 2});
  for (int i = 0; i < 6; ++i) {
    ASSERT_OK(server.store().CreateJob(MakeJob(absl::StrCat("job", i)), 1, "", ""));
  }
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 6; ++i) {
      ASSERT_OK(server.store().Commit(absl::StrCat("job", i), MakeCommit(0, round, 1, round, 1)));
    }
  }
  int logs = 0;
  for (int i = 0; i < 6; ++i) {
    const std::string id = absl::StrCat("job", i);
    logs += std::filesystem::exists(server.JobPath(id) + "-wal") ? 1 : 0;
  }
  EXPECT_EQ(logs, 2);  // those that are open
  for (int i = 0; i < 6; ++i) {
    EXPECT_THAT(server.store().ReadTrace(absl::StrCat("job", i), 0, 0, 9), IsOkAndHolds(SizeIs(3)));
  }
}

TEST(SqliteJobStoreCacheTest, ManyThreadsShareFewOpenFiles) {
  SqliteServer server({.max_open_jobs = 1});
  constexpr int kJobs = 4;
  for (int i = 0; i < kJobs; ++i) {
    ASSERT_OK(server.store().CreateJob(MakeJob(absl::StrCat("job", i)), 1, "", ""));
  }
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kJobs; ++i) {
      threads.emplace_back([&, id = absl::StrCat("job", i)] {
        for (int draw = 0; draw < 10; ++draw) {
          EXPECT_OK(server.store().Commit(id, MakeCommit(0, draw, 1, draw, 1)));
          EXPECT_THAT(server.store().ReadDraws(id, 0, draw), IsOkAndHolds(MakeDraws(0, draw, 1)));
        }
      });
    }
  }
  server.Restart();
  for (int i = 0; i < kJobs; ++i) {
    EXPECT_THAT(server.store().ReadTrace(absl::StrCat("job", i), 0, 0, 99),
                IsOkAndHolds(SizeIs(10)));
  }
}

// ----- Recovery -----

TEST_F(SqliteJobStoreTest, CleanStartReportsNothing) {
  CreateFinished("a");
  Create("b");
  ASSERT_OK(store().Seal("a"));
  server_.Restart();
  EXPECT_THAT(report().adopted, IsEmpty());
  EXPECT_THAT(report().removed, IsEmpty());
  EXPECT_THAT(report().updated, IsEmpty());
  EXPECT_THAT(report().sealed, IsEmpty());
  EXPECT_THAT(report().damaged, IsEmpty());
  EXPECT_THAT(report().unreadable, IsEmpty());
}

TEST_F(SqliteJobStoreTest, FileInTheMakingIsRemoved) {
  server_.Stop();
  WriteFile(server_.directory() + "/jobs/a.db.new", "half a file");
  WriteFile(server_.directory() + "/jobs/a.db.new-wal", "and its log");
  server_.Start();
  EXPECT_THAT(report().removed, ElementsAre("a.db.new", "a.db.new-wal"));
  EXPECT_THAT(JobFiles(), IsEmpty());
  EXPECT_THAT(store().GetJob("a"), StatusIs(absl::StatusCode::kNotFound));
  Create("a");
}

TEST_F(SqliteJobStoreTest, FileOfAJobThatDidNotReachTheCatalogIsAdopted) {
  JobRecord record = MakeJob("a");
  record.labels = {{"team", "red"}};
  Create(record, "request");
  ASSERT_OK(store().Commit("a", MakeCommit(0, 0, 2, 0, 2)));
  ASSERT_OK(store().SetState("a", {kQueued}, kRunning, 7, ""));
  ASSERT_OK_AND_ASSIGN(const JobRecord before, store().GetJob("a"));
  server_.Stop();
  RunSql(CatalogPath(), "DELETE FROM jobs; DELETE FROM job_labels");
  server_.Start();
  EXPECT_THAT(report().adopted, ElementsAre("a"));
  EXPECT_THAT(store().GetJob("a"), IsOkAndHolds(before));
  EXPECT_THAT(store().ReadDraws("a", 0, 1), IsOkAndHolds(MakeDraws(0, 0, 2)));
  EXPECT_THAT(store().ListJobs({.labels = {{"team", "red"}}}), IsOkAndHolds(SizeIs(1)));
  EXPECT_THAT(store().CreateJob(MakeJob("b"), 1, "request", "print"), IsOkAndHolds("a"));
}

TEST_F(SqliteJobStoreTest, LostCatalogIsMadeAnewFromTheFiles) {
  for (int i = 0; i < 3; ++i) {
    JobRecord record = MakeJob(absl::StrCat("job", 2 - i));  // not in the order of names
    record.create_time_us += i;
    Create(record);
  }
  ASSERT_OK(store().SetState("job1", {kQueued}, kSucceeded, 5, ""));
  ASSERT_OK(store().Seal("job1"));
  ASSERT_OK_AND_ASSIGN(const auto before, store().ListJobs({}));
  server_.Stop();
  std::filesystem::remove(CatalogPath());
  server_.Start();
  EXPECT_THAT(report().adopted, ElementsAre("job2", "job1", "job0"));
  EXPECT_THAT(store().ListJobs({}), IsOkAndHolds(before));
}

TEST_F(SqliteJobStoreTest, DeletionInterruptedBeforeItsFileWasRemovedIsFinished) {
  CreateFinished("a");
  const std::string bytes = ReadFile(server_.JobPath("a"));
  ASSERT_OK(store().DeleteJob("a"));
  server_.Stop();
  WriteFile(server_.JobPath("a"), bytes);
  WriteFile(server_.JobPath("a") + "-wal", "");
  server_.Start();
  EXPECT_THAT(report().removed, ElementsAre("a.db", "a.db-wal"));
  EXPECT_THAT(JobFiles(), IsEmpty());
  EXPECT_THAT(store().GetJob("a"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SqliteJobStoreTest, CatalogBehindTheJobsFileIsBroughtUpToIt) {
  Create("a");
  ASSERT_OK(store().SetState("a", {kQueued}, kRunning, 3, ""));
  server_.Stop();
  const std::string old_catalog = ReadFile(CatalogPath());
  server_.Start();
  ASSERT_OK(store().SetState("a", {kRunning}, kFailed, 9, "because"));
  ASSERT_OK_AND_ASSIGN(const JobRecord before, store().GetJob("a"));
  server_.Stop();
  WriteFile(CatalogPath(), old_catalog);
  server_.Start();
  EXPECT_THAT(report().updated, ElementsAre("a"));
  EXPECT_THAT(store().GetJob("a"), IsOkAndHolds(before));
  EXPECT_THAT(store().SetState("a", {kRunning}, kSucceeded, 9, ""),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(SqliteJobStoreTest, FinalJobThatWasNotSealedIsSealedAtTheNextStart) {
  CreateFinished("a");
  const auto crashed = server_.Crash();
  EXPECT_THAT(crashed->store().recovery_report().sealed, ElementsAre("a"));
  EXPECT_FALSE(std::filesystem::exists(crashed->JobPath("a") + "-wal"));
  EXPECT_THAT(crashed->store().ReadDraws("a", 0, 1), IsOkAndHolds(MakeDraws(0, 0, 2)));
}

TEST_F(SqliteJobStoreTest, JobWithoutItsFileIsDataLossAndCanBeFailedAndDeleted) {
  Create("a");
  server_.Stop();
  std::filesystem::remove(server_.JobPath("a"));
  server_.Start();
  EXPECT_THAT(report().damaged, ElementsAre("a"));
  EXPECT_THAT(store().GetJob("a"), IsOk());
  EXPECT_THAT(store().Positions("a"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("a.db")));
  EXPECT_THAT(store().SetState("a", {kQueued}, kRunning, 1, ""),
              StatusIs(absl::StatusCode::kDataLoss));
  ASSERT_OK(store().SetState("a", {kQueued}, kFailed, 1, "lost"));
  ASSERT_OK_AND_ASSIGN(const JobRecord record, store().GetJob("a"));
  EXPECT_EQ(record.state, kFailed);
  EXPECT_EQ(record.outcome, "lost");
  server_.Restart();
  EXPECT_THAT(store().GetJob("a"), IsOkAndHolds(record));
  ASSERT_OK(store().DeleteJob("a"));
}

TEST_F(SqliteJobStoreTest, FilesThatAreNoJobsAreReportedAndLeftAlone) {
  Create("a");
  server_.Stop();
  const std::string jobs = server_.directory() + "/jobs/";
  WriteFile(jobs + "notes.txt", "mine");
  WriteFile(jobs + "b.db", "not a database");
  std::filesystem::copy(jobs + "a.db", jobs + "copy.db");  // of job a, under another name
  std::filesystem::copy(jobs + "a.db", jobs + "a copy.db");
  server_.Start();
  EXPECT_THAT(report().unreadable,
              UnorderedElementsAre("notes.txt", "b.db", "copy.db", "a copy.db"));
  EXPECT_THAT(store().ListJobs({}), IsOkAndHolds(SizeIs(1)));
  EXPECT_EQ(ReadFile(jobs + "notes.txt"), "mine");
  EXPECT_EQ(ReadFile(jobs + "b.db"), "not a database");
  EXPECT_THAT(store().CreateJob(MakeJob("b"), 1, "", ""),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

// ----- The catalog's own damage -----

TEST_F(SqliteJobStoreTest, DamagedEntryOfTheCatalogIsDataLoss) {
  JobRecord record = MakeJob("a");
  record.labels = {{"team", "red"}};
  server_.AddDataset("digits");
  record.dataset_id = "digits";
  Create(record, "request");
  server_.Stop();
  const std::string bytes = ReadFile(CatalogPath());
  for (const std::string damage :
       {"id = 'b'", "state = 3", "create_time_us = 1", "start_time_us = 1", "end_time_us = 1",
        "dataset_id = ''", "request_id = 'x'", "fingerprint = x'00'", "labels = x'00'",
        "outcome = x'00'", "body = x'00'", "crc = 1"}) {
    RunSql(CatalogPath(), absl::StrCat("UPDATE jobs SET ", damage));
    ASSERT_OK_AND_ASSIGN(const auto catalog, CatalogDatabase::Open(server_.directory()));
    EXPECT_THAT(SqliteJobStore::Open(catalog, {}), StatusIs(absl::StatusCode::kDataLoss)) << damage;
    WriteFile(CatalogPath(), bytes);
  }
  server_.Start();
  EXPECT_THAT(store().GetJob("a"), IsOkAndHolds(record));
}

TEST_F(SqliteJobStoreTest, DamagedCatalogFileIsRefusedWithAdvice) {
  for (int i = 0; i < 50; ++i) {  // several pages
    JobRecord record = MakeJob(absl::StrCat("job", i));
    record.body.assign(500, 'x');
    Create(record);
  }
  server_.Stop();
  std::string bytes = ReadFile(CatalogPath());
  WriteFile(CatalogPath(), bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(CatalogDatabase::Open(server_.directory()),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(CatalogPath()), HasSubstr("made anew"))));
  WriteFile(CatalogPath(), "no catalog at all, but long enough to look at");
  EXPECT_THAT(CatalogDatabase::Open(server_.directory()), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(SqliteJobStoreTest, CatalogOfANewerServerIsRefused) {
  server_.Stop();
  RunSql(CatalogPath(), "PRAGMA user_version = 99");
  EXPECT_THAT(CatalogDatabase::Open(server_.directory()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("newer")));
}

// ----- A killed process -----

TEST(SqliteJobStoreCrashTest, WhateverWasAcknowledgedBeforeAKillIsThere) {
  const TemporaryDirectory directory;
  int acknowledged_pipe[2];
  ASSERT_EQ(pipe(acknowledged_pipe), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto catalog = CatalogDatabase::Open(directory.path());
    auto store = SqliteJobStore::Open(*catalog, {});
    bool going = (*store)->CreateJob(MakeJob("a"), 1, "", "").ok();
    for (std::int64_t draw = 0; going; ++draw) {
      ChainCommit commit = MakeCommit(0, draw, 1, draw, 1);
      commit.checkpoint = absl::StrCat("after draw ", draw);
      going = (*store)->Commit("a", commit).ok() && write(acknowledged_pipe[1], "x", 1) == 1;
    }
    _exit(1);
  }
  char ignored;
  for (int i = 0; i < 25; ++i) ASSERT_EQ(read(acknowledged_pipe[0], &ignored, 1), 1);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  close(acknowledged_pipe[1]);
  std::int64_t acknowledged = 25;
  while (read(acknowledged_pipe[0], &ignored, 1) == 1) ++acknowledged;
  close(acknowledged_pipe[0]);

  ASSERT_OK_AND_ASSIGN(const auto catalog, CatalogDatabase::Open(directory.path()));
  ASSERT_OK_AND_ASSIGN(const auto store, SqliteJobStore::Open(catalog, {}));
  ASSERT_OK_AND_ASSIGN(const auto positions, store->Positions("a"));
  const std::int64_t draws = positions[0].draws;
  EXPECT_GE(draws, acknowledged);
  EXPECT_LE(draws, acknowledged + 1);  // one may have been stored, but not acknowledged
  EXPECT_EQ(positions[0].points, draws);
  for (std::int64_t draw = 0; draw < draws; ++draw) {
    EXPECT_THAT(store->ReadDraws("a", 0, draw), IsOkAndHolds(MakeDraws(0, draw, 1)));
  }
  EXPECT_THAT(store->ReadCheckpoint("a", 0),
              IsOkAndHolds(Optional(absl::StrCat("after draw ", draws - 1))));
}

}  // namespace
}  // namespace posteriord::server
