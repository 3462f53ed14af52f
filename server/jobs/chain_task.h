// A chain of a job as a task of the scheduler.
#ifndef POSTERIORD_SERVER_JOBS_CHAIN_TASK_H_
#define POSTERIORD_SERVER_JOBS_CHAIN_TASK_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/sampling/chain.h"
#include "core/sampling/problem.h"
#include "server/jobs/chain_recorder.h"
#include "server/jobs/checkpoint_schedule.h"
#include "server/jobs/sweep_barrier.h"
#include "server/scheduler/task.h"
#include "server/store/job_store.h"

namespace posteriord::server {

// Samples slice by slice; at the end of each, everything the chain has made is durable. The first
// slice makes the chain or takes it up from its checkpoint.
class ChainTask final : public Task {
 public:
  struct Options {
    ChainRecorder::Options recorder;
    std::shared_ptr<const core::Problem> problem;
    std::function<std::unique_ptr<core::Chain>(std::shared_ptr<const core::Problem>, int)>
        create_chain;
    std::string numeric_profile;
    CheckpointSchedule::Duration checkpoint_interval;
    std::function<std::chrono::steady_clock::time_point()> now;
    // The chain cannot go on. Called from a slice, the last one.
    std::function<void(const absl::Status&)> on_error;
    // Where the chain waits for others; null: nowhere. A slice that ends there is done, and the
    // task is to be added to the scheduler again when the barrier names the chain.
    SweepBarrier* barrier = nullptr;
  };

  // REQUIRES: the store and the barrier outlive the task; the chain has sweeps to make beyond those
  // stored, and is not beyond the barrier.
  ChainTask(JobStore& store, Options options, const ChainPosition& stored);

  Next RunSlice(const SliceControl& control) override;

  // Index of the chain in its job.
  int chain() const { return options_.recorder.chain; }

  // Stores a checkpoint of where the chain is, unless the last one is of the same sweep or the
  // chain was interrupted. REQUIRES: no slice is running.
  absl::Status SaveCheckpoint();

 private:
  // Whether the chain has reached the barrier and may not make another sweep.
  bool IsAtBarrier() const;

  // Samples for a slice; exceptions become statuses.
  absl::StatusOr<core::RunOutcome> Run(const SliceControl& control);
  absl::Status Start();

  absl::Status CommitSlice(core::RunOutcome outcome);
  absl::Status CommitCheckpoint();

  CheckpointSchedule::Duration busy() const;

  JobStore& store_;
  const Options options_;
  ChainRecorder recorder_;
  CheckpointSchedule checkpoint_schedule_;
  std::unique_ptr<core::Chain> chain_;  // null before the first slice and when unusable or finished
  std::int64_t checkpoint_sweep_ = -1;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_CHAIN_TASK_H_
