// A manager of jobs with fake chains.
#ifndef POSTERIORD_TESTS_SERVER_JOBS_TESTING_JOB_MANAGER_FIXTURE_H_
#define POSTERIORD_TESTS_SERVER_JOBS_TESTING_JOB_MANAGER_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/convert/resource_name.h"
#include "server/jobs/job_manager.h"
#include "tests/server/jobs/testing/fake_problem.h"
#include "tests/server/jobs/testing/wrapped_job_store.h"
#include "tests/server/store/testing/sqlite_server.h"
#include "tests/testing/proto.h"
#include "tests/testing/status.h"

namespace posteriord::server {

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
class JobManagerFixture : public ::testing::Test {
 protected:
  JobManagerFixture() { Start(); }
  ~JobManagerFixture() override { Stop(); }

  void Start() {
    ASSERT_OK_AND_ASSIGN(catalog_, CatalogDatabase::Open(directory_ / data_));
    ASSERT_OK_AND_ASSIGN(datasets_, DatasetStore::Open(catalog_, {}));
    ASSERT_OK_AND_ASSIGN(sqlite_, SqliteJobStore::Open(catalog_, {}));
    store_ = std::make_unique<testing::WrappedJobStore>(*sqlite_);
    scheduler_ =
        std::make_unique<Scheduler>(Scheduler::Options{.threads = threads_, .slice = slice_});
    SamplerFactory sampler;
    sampler.create_problem =
        [this](core::Spec spec,
               const core::Data&) -> absl::StatusOr<std::shared_ptr<const core::Problem>> {
      if (!problem_error_.ok()) return problem_error_;
      return std::make_shared<testing::FakeProblem>(std::move(spec));
    };
    sampler.create_chain = [this](std::shared_ptr<const core::Problem> problem, int chain) {
      const std::uint64_t seed = problem->spec().seed;
      return std::make_unique<testing::FakeChain>(
          std::move(problem), chain,
          [this, seed](int index, std::int64_t sweep) { return on_sweep_(seed, index, sweep); },
          observe_);
    };
    manager_ = std::make_unique<JobManager>(JobEnvironment{.store = *store_,
                                                           .datasets = *datasets_,
                                                           .scheduler = *scheduler_,
                                                           .sampler = sampler,
                                                           .numeric_profile = "profile",
                                                           .time_of_day_us = time_of_day_us_},
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
    auto request = testing::FromText<v1::CreateJobRequest>(R"pb(
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

  // A new server finds what this one would leave behind if it were killed now. REQUIRES: nothing is
  // written meanwhile, and nothing holds up Stop() once `let_go` was called.
  void Crash(const std::function<void()>& let_go) {
    const std::string crashed = data_ + "-crashed";
    std::filesystem::copy(directory_ / data_, directory_ / crashed,
                          std::filesystem::copy_options::recursive);
    let_go();
    Stop();
    data_ = crashed;
    Start();
  }

  const testing::TemporaryDirectory directory_;
  std::string data_ = "data";
  std::int64_t memory_limit_ = std::int64_t{1} << 30;
  std::function<absl::Status(std::uint64_t seed, int chain, std::int64_t sweep)> on_sweep_ =
      [](std::uint64_t, int, std::int64_t) { return absl::OkStatus(); };
  absl::Status problem_error_;
  testing::FakeChain::Observe observe_ = testing::FakeChain::ObserveValue;
  std::function<std::int64_t()> time_of_day_us_ = NowMicroseconds;
  int threads_ = 2;
  std::chrono::steady_clock::duration slice_ = std::chrono::milliseconds(1);

  std::shared_ptr<CatalogDatabase> catalog_;
  std::unique_ptr<DatasetStore> datasets_;
  std::unique_ptr<SqliteJobStore> sqlite_;
  std::unique_ptr<testing::WrappedJobStore> store_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<JobManager> manager_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_TESTS_SERVER_JOBS_TESTING_JOB_MANAGER_FIXTURE_H_
