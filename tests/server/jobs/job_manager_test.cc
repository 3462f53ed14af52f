#include "server/jobs/job_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/convert/resource_name.h"
#include "tests/server/jobs/testing/fake_problem.h"
#include "tests/server/jobs/testing/wrapped_job_store.h"
#include "tests/server/store/testing/sqlite_server.h"
#include "tests/testing/notification.h"
#include "tests/testing/proto.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::testing::AllOf;
using testing::DetailOf;
using ::testing::ElementsAre;
using testing::FakeChain;
using testing::FakeProblem;
using testing::FromText;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Notification;
using testing::StatusIs;
using testing::ViolatedFields;

constexpr std::int64_t kGibibyte = std::int64_t{1} << 30;

// Waits for things to happen to a job.
class Observer {
 public:
  Observer(JobStore& store, const std::string& id)
      : store_(store), id_(id), subscription_(store.Subscribe(id, [this] {
          MutexLock lock(mutex_);
          changed_ = true;
          condition_.NotifyAll();
        })) {}

  // Until the record of the job is as wanted.
  void Await(const std::function<bool(const JobRecord&)>& wanted) {
    for (;;) {
      const auto record = store_.GetJob(id_);
      ASSERT_OK(record);
      if (wanted(*record)) return;
      MutexLock lock(mutex_);
      while (!changed_) condition_.Wait(mutex_);
      changed_ = false;
    }
  }

 private:
  JobStore& store_;
  const std::string id_;
  Mutex mutex_;
  CondVar condition_;
  bool changed_ ABSL_GUARDED_BY(mutex_) = false;
  const std::unique_ptr<Subscription> subscription_;
};

// A manager with fake chains, which can be held back, on a real store.
class JobManagerTest : public ::testing::Test {
 protected:
  JobManagerTest() { Start(); }
  ~JobManagerTest() override { Stop(); }

  void Start() {
    ASSERT_OK_AND_ASSIGN(catalog_, CatalogDatabase::Open(directory_ / "data"));
    ASSERT_OK_AND_ASSIGN(datasets_, DatasetStore::Open(catalog_, {}));
    ASSERT_OK_AND_ASSIGN(sqlite_, SqliteJobStore::Open(catalog_, {}));
    store_ = std::make_unique<testing::WrappedJobStore>(*sqlite_);
    scheduler_ = std::make_unique<Scheduler>(
        Scheduler::Options{.threads = 2, .slice = std::chrono::milliseconds(1)});
    SamplerFactory sampler;
    sampler.create_problem =
        [this](core::Spec spec,
               const core::Data&) -> absl::StatusOr<std::shared_ptr<const core::Problem>> {
      if (!problem_error_.ok()) return problem_error_;
      return std::make_shared<FakeProblem>(std::move(spec));
    };
    sampler.create_chain = [this](std::shared_ptr<const core::Problem> problem, int chain) {
      const std::uint64_t seed = problem->spec().seed;
      return std::make_unique<FakeChain>(
          std::move(problem), chain,
          [this, seed](int index, std::int64_t sweep) { return on_sweep_(seed, index, sweep); });
    };
    manager_ = std::make_unique<JobManager>(JobEnvironment{.store = *store_,
                                                           .datasets = *datasets_,
                                                           .scheduler = *scheduler_,
                                                           .sampler = sampler,
                                                           .numeric_profile = "profile"},
                                            memory_limit_);
    ASSERT_OK(manager_->Resume());
  }

  void Stop() {
    if (manager_ == nullptr) return;
    manager_->Shutdown(std::chrono::hours(1),
                       std::chrono::steady_clock::now() + std::chrono::hours(1));
    scheduler_.reset();
    manager_.reset();
    store_.reset();
    sqlite_.reset();
    datasets_.reset();
    catalog_.reset();
  }

  static v1::CreateJobRequest MakeRequest(std::int64_t draws, std::uint64_t seed = 0) {
    auto request = FromText<v1::CreateJobRequest>(R"pb(
      job {
        display_name: "three weights"
        labels { key: "kind" value: "test" }
        spec {
          network {
            layers { dense { units: 1 bias: false } }
            noise_variance: 1
            likelihood { gaussian {} }
          }
          data {
            gaussian { dimension: 3 train_samples: 4 test_samples: 2 }
            teacher {}
          }
          observation { max_points: 16 }
          thermalization { observables: "train_error" min_effective_sample_size: 4 }
        }
      })pb");
    request.mutable_job()->mutable_spec()->mutable_schedule()->set_draws(draws);
    request.mutable_job()->mutable_spec()->set_seed(seed);
    return request;
  }

  // Creates a job and returns its id.
  std::string Create(const v1::CreateJobRequest& request) {
    const auto job = manager_->CreateJob(request);
    EXPECT_OK(job);
    return job.ok() ? *ParseJobName(job->name(), "name") : "";
  }

  // What a job is predicted to need.
  std::int64_t MemoryOf(v1::CreateJobRequest request) {
    request.set_validate_only(true);
    const auto job = manager_->CreateJob(request);
    EXPECT_OK(job);
    return job.ok() ? job->estimate().memory_bytes() : 0;
  }

  void RestartWithMemory(std::int64_t limit) {
    Stop();
    memory_limit_ = limit;
    Start();
  }

  void Await(const std::string& id, const std::function<bool(const JobRecord&)>& wanted) {
    Observer(*store_, id).Await(wanted);
  }
  void AwaitState(const std::string& id, JobState state) {
    Await(id, [state](const JobRecord& record) { return record.state == state; });
  }
  void AwaitEnd(const std::string& id) {
    Await(id, [](const JobRecord& record) { return IsFinal(record.state); });
  }

  std::vector<JobRecord> AllJobs() { return *store_->ListJobs({.limit = 1000}); }

  // Everything the chains of a job have left, and its evaluations.
  std::string Contents(const std::string& id) {
    std::string contents;
    const std::vector<ChainPosition> positions = *store_->Positions(id);
    for (std::size_t chain = 0; chain < positions.size(); ++chain) {
      const int index = static_cast<int>(chain);
      for (std::int64_t draw = 0; draw < positions[chain].draws;) {
        const DrawRecord record = *store_->ReadDraws(id, index, draw);
        const std::size_t size = record.values.size() / record.sweeps.size();
        for (std::size_t i = 0; i < record.sweeps.size(); ++i) {
          absl::StrAppend(&contents, record.sweeps[i], " ", record.values.substr(i * size, size));
        }
        draw += static_cast<std::int64_t>(record.sweeps.size());
      }
      const std::vector<TraceRecord> points = *store_->ReadTrace(id, index, 0, 100'000);
      for (const TraceRecord& point : points) {
        absl::StrAppend(&contents, point.index, " ", point.sweep, " ", point.even,
                        point.logarithmic);
        for (const double value : point.values) absl::StrAppend(&contents, " ", value);
      }
    }
    const std::vector<DiagnosticsRecord> evaluations = *store_->ReadDiagnostics(id, 0, 10'000);
    for (const DiagnosticsRecord& record : evaluations) {
      absl::StrAppend(&contents, record.index, " ", record.sweep, " ", record.body);
    }
    return contents;
  }

  const testing::TemporaryDirectory directory_;
  std::int64_t memory_limit_ = kGibibyte;
  std::function<absl::Status(std::uint64_t seed, int chain, std::int64_t sweep)> on_sweep_ =
      [](std::uint64_t, int, std::int64_t) { return absl::OkStatus(); };
  absl::Status problem_error_;

  std::shared_ptr<CatalogDatabase> catalog_;
  std::unique_ptr<DatasetStore> datasets_;
  std::unique_ptr<SqliteJobStore> sqlite_;
  std::unique_ptr<testing::WrappedJobStore> store_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<JobManager> manager_;
};

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
