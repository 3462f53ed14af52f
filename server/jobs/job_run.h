// A job while it is being worked on.
#ifndef POSTERIORD_SERVER_JOBS_JOB_RUN_H_
#define POSTERIORD_SERVER_JOBS_JOB_RUN_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "core/sampling/problem.h"
#include "server/data/dataset_store.h"
#include "server/jobs/chain_task.h"
#include "server/jobs/clock.h"
#include "server/jobs/diagnoser.h"
#include "server/jobs/job_plan.h"
#include "server/jobs/sampler_factory.h"
#include "server/jobs/stop_policy.h"
#include "server/jobs/sweep_barrier.h"
#include "server/scheduler/scheduler.h"
#include "server/store/job_store.h"

namespace posteriord::server {

// What jobs run on. All of it outlives them.
struct JobEnvironment {
  JobStore& store;
  DatasetStore& datasets;
  Scheduler& scheduler;
  SamplerFactory sampler;
  std::string numeric_profile;
  // Most sampling that a crash may cost each chain to be repeated.
  std::chrono::steady_clock::duration checkpoint_interval = std::chrono::seconds(10);
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
  // The time of day. Unit: microseconds since the Unix epoch.
  std::function<std::int64_t()> time_of_day_us = NowMicroseconds;
};

// How a job ended.
struct JobOutcome {
  JobState state = JobState::kSucceeded;
  absl::Status error = absl::OkStatus();  // why, for kFailed
  std::string stop_reason = {};           // why, for kSucceeded: a sentence
};

// Takes a job from where the store has it to its end, all of it in tasks of the scheduler: prepare
// the problem, sample the chains, evaluate the diagnostics. Thread-safe.
//
// When evaluations may stop the job, the chains wait at each that may, at a SweepBarrier: who
// arrives last has the diagnoser tell its caller to evaluate, and who has evaluated lets the chains
// go on. A waiting chain is not in the scheduler, so that stopping the job need not know of it.
class JobRun : public std::enable_shared_from_this<JobRun> {
 public:
  // How the run ended. Called once, when no task of the job runs any more, from the thread that
  // left last. Not called when the server shuts down first.
  using OnEnd = std::function<void(const JobOutcome& outcome)>;

  JobRun(const JobEnvironment& environment, std::string id, OnEnd on_end);

  // Begins. Once.
  void Start();

  // Stops the job's tasks; then the run has ended with `outcome`. Only the first call counts.
  void End(JobOutcome outcome);

  // Stores checkpoints of the chains, as many as possible until `deadline`. The job may end
  // meanwhile.
  // REQUIRES: the scheduler has been drained.
  absl::Status SaveCheckpoints(std::chrono::steady_clock::time_point deadline);

 private:
  absl::Status Prepare();
  absl::StatusOr<std::shared_ptr<const core::Problem>> CreateProblem(const v1::Job& job);
  absl::Status StartChains(std::shared_ptr<const core::Problem> problem, int storage_bytes);
  void EndIfTimeIsSpent();
  void StartEvaluation();
  Task::Next Evaluate(const SliceControl& control);
  // Lets the chains go on that waited for an evaluation.
  void MoveBarrier();

  bool WallTimeIsSpent() const;

  const JobEnvironment& environment_;
  const std::string id_;
  const OnEnd on_end_;

  // Set by Prepare().
  StopPolicy policy_;
  std::optional<std::int64_t> wall_time_end_us_;
  std::unique_ptr<Diagnoser> diagnoser_;
  std::unique_ptr<SweepBarrier> barrier_;           // null when no evaluation stops the job
  std::vector<std::shared_ptr<ChainTask>> chains_;  // those with sweeps to make

  // Held to save checkpoints and to give up the above: a job may be cancelled during a shutdown.
  Mutex checkpoint_mutex_;

  Mutex mutex_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_JOB_RUN_H_
