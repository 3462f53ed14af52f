#include "server/jobs/job_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "server/convert/resource_name.h"
#include "tests/server/jobs/testing/job_manager_fixture.h"
#include "tests/testing/notification.h"
#include "tests/testing/proto.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::testing::AllOf;
using testing::DetailOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Notification;
using testing::StatusIs;
using testing::ViolatedFields;

constexpr std::int64_t kGibibyte = std::int64_t{1} << 30;

class JobManagerTest : public JobManagerFixture {};

TEST_F(JobManagerTest, AcceptedJobIsDescribedWithAllItsDefaults) {
  ASSERT_OK_AND_ASSIGN(const v1::Job job, manager_->CreateJob(MakeRequest(10)));
  EXPECT_THAT(job.name(), ::testing::StartsWith("jobs/"));
  EXPECT_EQ(job.display_name(), "three weights");
  EXPECT_EQ(job.labels().at("kind"), "test");
  EXPECT_EQ(job.spec().chain_groups_size(), 2);
  EXPECT_EQ(job.spec().schedule().thinning(), 1);
  ASSERT_EQ(job.parameters_size(), 1);
  EXPECT_EQ(job.parameters(0).name(), "dense1.weight");
  EXPECT_EQ(job.observables(0).name(), "train_error");
  EXPECT_EQ(job.data_summary().train_samples(), 4);
  EXPECT_EQ(job.data_summary().test_samples(), 2);
  EXPECT_GT(job.estimate().memory_bytes(), 0);
  EXPECT_TRUE(job.has_create_time());
  EXPECT_EQ(job.chains_size(), 4);
  EXPECT_EQ(job.chains(2).group(), 1);
  EXPECT_EQ(job.chains(3).total_sweeps(), 10);
}

TEST_F(JobManagerTest, JobRunsToItsLastSweepAndSucceeds) {
  const std::string id = Create(MakeRequest(200));
  AwaitEnd(id);
  ASSERT_OK_AND_ASSIGN(const v1::Job job, manager_->GetJob(id));
  EXPECT_EQ(job.state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_TRUE(job.has_start_time());
  EXPECT_TRUE(job.has_end_time());
  for (const v1::ChainProgress& chain : job.chains()) {
    EXPECT_EQ(chain.sweeps(), 200);
    EXPECT_EQ(chain.draws(), 200);
    EXPECT_GT(chain.sweeps_per_second(), 0);
  }
  EXPECT_EQ(job.diagnostics().sweep(), 200);
  EXPECT_FALSE(job.diagnostics().explanation().empty());
}

TEST_F(JobManagerTest, ValidateOnlyAnswersAndCreatesNothing) {
  v1::CreateJobRequest request = MakeRequest(10);
  request.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const v1::Job job, manager_->CreateJob(request));
  EXPECT_EQ(job.name(), "");
  EXPECT_GT(job.estimate().memory_bytes(), 0);
  EXPECT_THAT(AllJobs(), IsEmpty());
}

TEST_F(JobManagerTest, RepeatedRequestReturnsTheFirstJob) {
  v1::CreateJobRequest request = MakeRequest(10);
  request.set_request_id("once");
  const std::string id = Create(request);
  EXPECT_EQ(Create(request), id);
  request.mutable_job()->set_name("jobs/ignored");
  EXPECT_EQ(Create(request), id);
  EXPECT_EQ(AllJobs().size(), 1);
}

TEST_F(JobManagerTest, RequestIdWithAnotherBodyIsRefused) {
  v1::CreateJobRequest request = MakeRequest(10);
  request.set_request_id("once");
  Create(request);
  request.mutable_job()->mutable_spec()->set_seed(1);
  const auto again = manager_->CreateJob(request);
  EXPECT_THAT(again, StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(again.status())->reason(), "REQUEST_ID_REUSED");
  EXPECT_EQ(AllJobs().size(), 1);
}

TEST_F(JobManagerTest, BadRequestsNameTheirFieldsAndCreateNothing) {
  EXPECT_THAT(ViolatedFields(manager_->CreateJob({}).status()), ElementsAre("job"));
  v1::CreateJobRequest request = MakeRequest(10);
  request.set_request_id(std::string(65, 'x'));
  EXPECT_THAT(ViolatedFields(manager_->CreateJob(request).status()), ElementsAre("request_id"));
  request.set_request_id("line\nbreak");
  EXPECT_THAT(ViolatedFields(manager_->CreateJob(request).status()), ElementsAre("request_id"));
  request = MakeRequest(0);
  request.mutable_job()->set_display_name(std::string(129, 'x'));
  EXPECT_THAT(ViolatedFields(manager_->CreateJob(request).status()),
              ElementsAre("display_name", "spec.schedule.draws"));
  EXPECT_THAT(AllJobs(), IsEmpty());
}

TEST_F(JobManagerTest, MissingDataSetIsNotFound) {
  v1::CreateJobRequest request = MakeRequest(10);
  v1::Data& data = *request.mutable_job()->mutable_spec()->mutable_data();
  data.mutable_dataset()->set_dataset("datasets/nosuch");
  const auto job = manager_->CreateJob(request);
  EXPECT_THAT(job, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(job.status())->resource_name(), "datasets/nosuch");
  EXPECT_THAT(AllJobs(), IsEmpty());
}

TEST_F(JobManagerTest, JobLargerThanTheMemoryLimitIsRefusedWithTheNumbers) {
  v1::CreateJobRequest request = MakeRequest(10);
  request.mutable_job()->mutable_spec()->mutable_data()->mutable_gaussian()->set_train_samples(
      100'000'000);
  const auto job = manager_->CreateJob(request);
  EXPECT_THAT(job, StatusIs(absl::StatusCode::kResourceExhausted,
                            AllOf(HasSubstr("1073741824"), HasSubstr("memory"))));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(job.status())->reason(), "MEMORY_LIMIT_EXCEEDED");
  EXPECT_THAT(AllJobs(), IsEmpty());
}

TEST_F(JobManagerTest, JobsWaitForMemoryAndStartInOrder) {
  Notification may_end;
  Mutex mutex;
  std::vector<std::uint64_t> started;
  on_sweep_ = [&](std::uint64_t seed, int chain, std::int64_t sweep) {
    if (chain == 0 && sweep == 1) {
      MutexLock lock(mutex);
      started.push_back(seed);
    }
    if (seed == 1) may_end.Wait();
    return absl::OkStatus();
  };
  RestartWithMemory(MemoryOf(MakeRequest(10)) * 5 / 2);  // two small jobs, or a large one
  const std::string first = Create(MakeRequest(10, 1));
  AwaitState(first, JobState::kRunning);
  v1::CreateJobRequest large_request = MakeRequest(10, 2);
  large_request.mutable_job()->mutable_spec()->add_chain_groups()->set_chains(8);
  const std::string large = Create(large_request);
  const std::string last = Create(MakeRequest(10, 3));  // would fit beside the first
  EXPECT_EQ(store_->GetJob(large)->state, JobState::kQueued);
  EXPECT_EQ(store_->GetJob(last)->state, JobState::kQueued);
  may_end.Notify();
  AwaitEnd(last);
  AwaitEnd(large);
  EXPECT_THAT(started, ElementsAre(1, 2, 3));
}

TEST_F(JobManagerTest, CancelledJobKeepsItsDraws) {
  Notification reached;
  on_sweep_ = [&](std::uint64_t, int chain, std::int64_t sweep) {
    if (chain == 0 && sweep == 50) reached.Notify();
    return absl::OkStatus();
  };
  const std::string id = Create(MakeRequest(1'000'000'000));
  reached.Wait();
  ASSERT_OK_AND_ASSIGN(const v1::Job job, manager_->CancelJob(id));
  EXPECT_EQ(job.state(), v1::Job::STATE_CANCELLED);
  EXPECT_TRUE(job.has_end_time());
  EXPECT_GE(job.chains(0).draws(), 49);
  EXPECT_OK(store_->ReadDraws(id, 0, 48));
  ASSERT_OK_AND_ASSIGN(const v1::Job again, manager_->CancelJob(id));
  EXPECT_EQ(again.version(), job.version());
}

TEST_F(JobManagerTest, WaitingJobIsCancelledWithoutHavingStarted) {
  Notification may_end;
  std::atomic<bool> second_ran = false;
  on_sweep_ = [&](std::uint64_t seed, int, std::int64_t) {
    if (seed == 1) may_end.Wait();
    if (seed == 2) second_ran = true;
    return absl::OkStatus();
  };
  RestartWithMemory(MemoryOf(MakeRequest(10)) * 3 / 2);
  const std::string first = Create(MakeRequest(10, 1));
  const std::string second = Create(MakeRequest(10, 2));
  ASSERT_OK_AND_ASSIGN(const v1::Job job, manager_->CancelJob(second));
  EXPECT_EQ(job.state(), v1::Job::STATE_CANCELLED);
  EXPECT_FALSE(job.has_start_time());
  may_end.Notify();
  AwaitState(first, JobState::kSucceeded);
  EXPECT_FALSE(second_ran);
}

TEST_F(JobManagerTest, EndedJobCannotBeCancelled) {
  const std::string id = Create(MakeRequest(10));
  AwaitEnd(id);
  const auto job = manager_->CancelJob(id);
  EXPECT_THAT(job, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("SUCCEEDED")));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(job.status())->reason(), "JOB_HAS_ENDED");
}

TEST_F(JobManagerTest, UnknownJobsAreNotFound) {
  for (const absl::Status& status :
       {manager_->GetJob("nosuch").status(), manager_->CancelJob("nosuch").status(),
        manager_->DeleteJob("nosuch")}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
    EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(status)->resource_name(), "jobs/nosuch");
  }
}

TEST_F(JobManagerTest, OnlyEndedJobsAreDeleted) {
  const std::string id = Create(MakeRequest(1'000'000'000));
  EXPECT_THAT(manager_->DeleteJob(id), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(manager_->CancelJob(id));
  EXPECT_OK(manager_->DeleteJob(id));
  EXPECT_THAT(manager_->GetJob(id), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(JobManagerTest, ErrorOfOneChainFailsTheJobAndKeepsTheDraws) {
  on_sweep_ = [](std::uint64_t, int chain, std::int64_t sweep) {
    return chain == 1 && sweep == 30 ? absl::InternalError("chain 1 is no longer finite")
                                     : absl::OkStatus();
  };
  const std::string id = Create(MakeRequest(1'000'000'000));
  AwaitEnd(id);
  ASSERT_OK_AND_ASSIGN(const v1::Job job, manager_->GetJob(id));
  EXPECT_EQ(job.state(), v1::Job::STATE_FAILED);
  EXPECT_EQ(job.error().code(), static_cast<int>(absl::StatusCode::kInternal));
  EXPECT_EQ(job.error().message(), "chain 1 is no longer finite");
  EXPECT_EQ(job.chains(1).draws(), 29);
}

TEST_F(JobManagerTest, ProblemThatCannotBeMadeFailsTheJob) {
  problem_error_ = absl::InvalidArgumentError("the inputs are collinear");
  const std::string id = Create(MakeRequest(10));
  AwaitEnd(id);
  ASSERT_OK_AND_ASSIGN(const v1::Job job, manager_->GetJob(id));
  EXPECT_EQ(job.state(), v1::Job::STATE_FAILED);
  EXPECT_EQ(job.error().message(), "the inputs are collinear");
}

TEST_F(JobManagerTest, ManyJobsAreCancelledAndFinishedAtOnce) {
  std::vector<std::string> ids;
  for (int i = 0; i < 12; ++i) ids.push_back(Create(MakeRequest(i % 2 == 0 ? 20 : 1'000'000'000)));
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < ids.size(); i += 2) {
    for (int twice = 0; twice < 2; ++twice) {
      threads.emplace_back([this, id = ids[i]] { EXPECT_OK(manager_->CancelJob(id)); });
    }
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < ids.size(); i += 2) AwaitState(ids[i], JobState::kSucceeded);
}

TEST_F(JobManagerTest, RestartedJobLeavesTheSameAsAnUndisturbedOne) {
  const std::string undisturbed = Create(MakeRequest(3000));
  AwaitEnd(undisturbed);
  const std::string expected = Contents(undisturbed);

  Notification reached[3];
  on_sweep_ = [&](std::uint64_t, int chain, std::int64_t sweep) {
    if (chain == 2 && sweep % 700 == 0 && sweep <= 2100) reached[sweep / 700 - 1].Notify();
    return absl::OkStatus();
  };
  const std::string id = Create(MakeRequest(3000));
  for (Notification& each : reached) {
    each.Wait();
    Stop();
    Start();
  }
  AwaitEnd(id);
  EXPECT_EQ(store_->GetJob(id)->state, JobState::kSucceeded);
  EXPECT_TRUE(Contents(id) == expected);
}

TEST_F(JobManagerTest, WaitingJobsStartInOrderAfterARestart) {
  Notification stop;
  Mutex mutex;
  std::vector<std::uint64_t> started;
  on_sweep_ = [&](std::uint64_t seed, int chain, std::int64_t sweep) {
    if (chain == 0 && sweep == 1) {
      MutexLock lock(mutex);
      started.push_back(seed);
    }
    if (sweep == 10) stop.Notify();
    return absl::OkStatus();
  };
  RestartWithMemory(MemoryOf(MakeRequest(2000)) * 3 / 2);
  const std::string first = Create(MakeRequest(2000, 1));
  const std::string second = Create(MakeRequest(10, 2));
  const std::string third = Create(MakeRequest(10, 3));
  stop.Wait();
  RestartWithMemory(memory_limit_);
  AwaitEnd(third);
  AwaitEnd(second);
  AwaitEnd(first);
  EXPECT_EQ(started, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(JobManagerTest, JobThatNoLongerFitsWaitsForALargerServerAndLetsOthersPass) {
  Notification reached;
  on_sweep_ = [&](std::uint64_t seed, int, std::int64_t sweep) {
    if (seed == 1 && sweep == 5) reached.Notify();
    return absl::OkStatus();
  };
  v1::CreateJobRequest request = MakeRequest(5000, 1);
  request.mutable_job()->mutable_spec()->add_chain_groups()->set_chains(12);
  const std::string large = Create(request);
  reached.Wait();
  RestartWithMemory(MemoryOf(MakeRequest(10)) * 3 / 2);
  const std::string small = Create(MakeRequest(10, 2));
  AwaitState(small, JobState::kSucceeded);
  EXPECT_EQ(store_->GetJob(large)->state, JobState::kRunning);
  RestartWithMemory(kGibibyte);
  AwaitState(large, JobState::kSucceeded);
}

TEST_F(JobManagerTest, JobWhoseEndCannotBeStoredCanStillBeCancelled) {
  std::atomic<bool> broken = true;
  Notification refused;
  store_->before_set_state = [&](JobState to) {
    if (!IsFinal(to) || !broken) return absl::OkStatus();
    refused.Notify();
    return absl::UnavailableError("input/output error");
  };
  const std::string id = Create(MakeRequest(10));
  refused.Wait();
  EXPECT_THAT(manager_->CancelJob(id), StatusIs(absl::StatusCode::kUnavailable));
  broken = false;
  ASSERT_OK_AND_ASSIGN(const v1::Job job, manager_->CancelJob(id));
  EXPECT_EQ(job.state(), v1::Job::STATE_CANCELLED);
}

TEST_F(JobManagerTest, ListedJobsFillPagesByNumberAndBySize) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(Create(MakeRequest(10)));
  for (const std::string& id : ids) AwaitEnd(id);
  ASSERT_OK_AND_ASSIGN(const JobManager::Page page,
                       manager_->ListJobs({.limit = 3}, /*max_bytes=*/1 << 20));
  ASSERT_EQ(page.jobs.size(), 3);
  EXPECT_TRUE(page.more);
  EXPECT_EQ(page.jobs[0].name(), JobName(ids[4]));
  EXPECT_FALSE(page.jobs[0].has_diagnostics());
  ASSERT_OK_AND_ASSIGN(const JobManager::Page rest,
                       manager_->ListJobs({.after_id = ids[2], .limit = 3}, 1 << 20));
  EXPECT_EQ(rest.jobs.size(), 2);
  EXPECT_FALSE(rest.more);
  ASSERT_OK_AND_ASSIGN(const JobManager::Page bytes,
                       manager_->ListJobs({.limit = 3}, /*max_bytes=*/1));
  EXPECT_EQ(bytes.jobs.size(), 1);
  EXPECT_TRUE(bytes.more);
}

}  // namespace
}  // namespace posteriord::server
