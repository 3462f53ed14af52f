#include "server/jobs/job_run.h"

#include <algorithm>
#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/convert/job_spec.h"
#include "server/jobs/job_view.h"
#include "server/scheduler/function_task.h"

namespace posteriord::server {
namespace {

// Runs a part of a job; its exceptions become statuses.
template <typename Function>
absl::Status CatchExceptions(Function function) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("the server ran out of memory");
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("unexpected failure: ", error.what()));
  }
}

}  // namespace

JobRun::JobRun(const JobEnvironment& environment, std::string id, OnEnd on_end)
    : environment_(environment), id_(std::move(id)), on_end_(std::move(on_end)) {}

void JobRun::Start() {
  environment_.scheduler.Add(id_, MakeTask([self = shared_from_this()](const auto&) {
                               const absl::Status status =
                                   CatchExceptions([&self] { return self->Prepare(); });
                               if (!status.ok()) {
                                 self->End({.state = JobState::kFailed, .error = status});
                               }
                               return Task::Next::kDone;
                             }));
}

void JobRun::End(JobOutcome outcome) {
  {
    MutexLock lock(mutex_);
    if (ending_) return;
    ending_ = true;
  }
  environment_.scheduler.Stop(
      id_, [self = shared_from_this(), outcome = std::move(outcome)]() mutable {
        {
          MutexLock lock(self->checkpoint_mutex_);
          if (outcome.state == JobState::kSucceeded && self->diagnoser_->finished()) {
            // It is stored already, even if the wall time was a little faster.
            outcome.stop_reason = self->diagnoser_->stop_reason();
          }
          self->chains_.clear();  // whoever is told of the end may count on the memory
          self->diagnoser_.reset();
        }
        self->on_end_(outcome);
      });
}

absl::Status JobRun::SaveCheckpoints(std::chrono::steady_clock::time_point deadline) {
  for (std::size_t i = 0; std::chrono::steady_clock::now() < deadline; ++i) {
    MutexLock lock(checkpoint_mutex_);
    if (i >= chains_.size()) break;
    RETURN_IF_ERROR(chains_[i]->SaveCheckpoint());
  }
  return absl::OkStatus();
}

absl::Status JobRun::Prepare() {
  ASSIGN_OR_RETURN(const JobRecord record, environment_.store.GetJob(id_));
  ASSIGN_OR_RETURN(const v1::Job job, ParseAcceptedJob(record));
  ASSIGN_OR_RETURN(std::shared_ptr<const core::Problem> problem, CreateProblem(job));
  policy_ = StopPolicy(job.spec());
  diagnoser_ = std::make_unique<Diagnoser>(environment_.store, id_, problem, policy_);
  ASSIGN_OR_RETURN(const bool evaluate, diagnoser_->Restore());
  if (diagnoser_->finished()) {
    End({.state = JobState::kSucceeded, .stop_reason = diagnoser_->stop_reason()});
    return absl::OkStatus();
  }
  std::int64_t start_time_us = record.start_time_us;
  if (record.state == JobState::kQueued) {
    start_time_us = environment_.time_of_day_us();
    RETURN_IF_ERROR(environment_.store.SetState(id_, {JobState::kQueued}, JobState::kRunning,
                                                start_time_us, ""));
  }
  wall_time_end_us_ = policy_.WallTimeEnd(start_time_us);
  if (policy_.stops_by_time() && WallTimeIsSpent()) {  // while there was no server
    End({.state = JobState::kSucceeded, .stop_reason = policy_.WallTimeReason()});
    return absl::OkStatus();
  }
  if (policy_.decides_at_evaluations()) {
    barrier_ = std::make_unique<SweepBarrier>(diagnoser_->NextDecidingSweep());
  }
  RETURN_IF_ERROR(StartChains(std::move(problem), StorageBytes(job.spec())));
  if (evaluate) StartEvaluation();
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const core::Problem>> JobRun::CreateProblem(const v1::Job& job) {
  ASSIGN_OR_RETURN(const JobPlan plan, PlanJob(job, environment_.datasets));
  ASSIGN_OR_RETURN(PlannedData planned, LoadPlannedData(plan, environment_.datasets));
  return environment_.sampler.create_problem(plan.spec, std::move(planned.data));
}

absl::Status JobRun::StartChains(std::shared_ptr<const core::Problem> problem, int storage_bytes) {
  ASSIGN_OR_RETURN(const std::vector<ChainPosition> positions, environment_.store.Positions(id_));
  for (std::size_t chain = 0; chain < positions.size(); ++chain) {
    if (positions[chain].sweeps == problem->spec().schedule.total_sweeps()) continue;
    const auto on_commit = [this](const ChainCommit& commit) {
      if (diagnoser_->Add(commit.chain, commit.points, commit.sweeps)) StartEvaluation();
      if (policy_.stops_by_time()) EndIfTimeIsSpent();
    };
    const auto on_error = [this](const absl::Status& error) {
      End({.state = JobState::kFailed, .error = error});
    };
    chains_.push_back(std::make_shared<ChainTask>(
        environment_.store,
        ChainTask::Options{.recorder = {.job = id_,
                                        .chain = static_cast<int>(chain),
                                        .storage_bytes = storage_bytes,
                                        .on_commit = on_commit},
                           .problem = problem,
                           .create_chain = environment_.sampler.create_chain,
                           .numeric_profile = environment_.numeric_profile,
                           .checkpoint_interval = environment_.checkpoint_interval,
                           .now = environment_.now,
                           .on_error = on_error,
                           .barrier = barrier_.get()},
        positions[chain]));
  }
  for (const std::shared_ptr<ChainTask>& chain : chains_) {
    environment_.scheduler.Add(id_, chain);
  }
  return absl::OkStatus();
}

void JobRun::EndIfTimeIsSpent() {
  if (!WallTimeIsSpent()) return;
  End({.state = JobState::kSucceeded, .stop_reason = policy_.WallTimeReason()});
}

bool JobRun::WallTimeIsSpent() const {
  return wall_time_end_us_.has_value() && environment_.time_of_day_us() >= *wall_time_end_us_;
}

void JobRun::StartEvaluation() {
  environment_.scheduler.Add(id_,
                             MakeTask([self = shared_from_this()](const SliceControl& control) {
                               return self->Evaluate(control);
                             }));
}

Task::Next JobRun::Evaluate(const SliceControl& control) {
  do {
    bool evaluated = false;
    const absl::Status status = CatchExceptions([this, &evaluated]() -> absl::Status {
      ASSIGN_OR_RETURN(evaluated, diagnoser_->EvaluateNext(WallTimeIsSpent()));
      return absl::OkStatus();
    });
    if (!status.ok()) {
      End({.state = JobState::kFailed, .error = status});
      return Task::Next::kDone;
    }
    if (diagnoser_->finished()) {
      End({.state = JobState::kSucceeded, .stop_reason = diagnoser_->stop_reason()});
      return Task::Next::kDone;
    }
    if (!evaluated) return Task::Next::kDone;
    if (barrier_ != nullptr) MoveBarrier();
  } while (!control.ShouldYield());
  return Task::Next::kAgain;
}

void JobRun::MoveBarrier() {
  const std::vector<int> released = barrier_->MoveTo(diagnoser_->NextDecidingSweep());
  for (const std::shared_ptr<ChainTask>& chain : chains_) {
    if (std::find(released.begin(), released.end(), chain->chain()) == released.end()) continue;
    environment_.scheduler.Add(id_, chain);
  }
}

}  // namespace posteriord::server
