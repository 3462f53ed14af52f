#include "server/jobs/chain_task.h"

#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/jobs/chain_checkpoint.h"

namespace posteriord::server {
namespace {

using Seconds = std::chrono::duration<double>;

}  // namespace

ChainTask::ChainTask(JobStore& store, Options options, const ChainPosition& stored)
    : store_(store),
      options_(std::move(options)),
      recorder_(store, options_.recorder, stored),
      checkpoint_schedule_(options_.checkpoint_interval) {}

Task::Next ChainTask::RunSlice(const SliceControl& control) {
  const auto start = options_.now();
  const absl::StatusOr<core::RunOutcome> outcome = Run(control);
  recorder_.AddBusySeconds(Seconds(options_.now() - start).count());
  if (!outcome.ok()) {
    chain_.reset();
    // What it made before is kept if the store still takes it; the first error is the one to tell.
    recorder_.Commit(recorder_.last_sweep(), std::nullopt).IgnoreError();
    options_.on_error(outcome.status());
    return Next::kDone;
  }
  if (absl::Status status = CommitSlice(*outcome); !status.ok()) {
    chain_.reset();
    options_.on_error(status);
    return Next::kDone;
  }
  if (*outcome != core::RunOutcome::kYielded) return Next::kDone;
  if (options_.barrier == nullptr) return Next::kAgain;
  // From a refusal on the task may be running on another thread: nothing of it is touched here.
  return options_.barrier->MayGoOn(chain(), chain_->sweep()) ? Next::kAgain : Next::kDone;
}

absl::Status ChainTask::SaveCheckpoint() {
  if (chain_ == nullptr || chain_->sweep() == checkpoint_sweep_) return absl::OkStatus();
  return CommitCheckpoint();
}

bool ChainTask::IsAtBarrier() const { return chain_->sweep() >= options_.barrier->sweep(); }

absl::StatusOr<core::RunOutcome> ChainTask::Run(const SliceControl& control) {
  try {
    if (chain_ == nullptr) RETURN_IF_ERROR(Start());
    if (options_.barrier == nullptr) {
      return chain_->Run(recorder_, {.should_yield = [&control] { return control.ShouldYield(); },
                                     .interrupt = &control.interrupt()});
    }
    if (IsAtBarrier()) return core::RunOutcome::kYielded;  // taken up from a checkpoint made there
    return chain_->Run(
        recorder_,
        {.should_yield = [this, &control] { return IsAtBarrier() || control.ShouldYield(); },
         .interrupt = &control.interrupt()});
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("the server ran out of memory while sampling");
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("sampling failed: ", error.what()));
  }
}

absl::Status ChainTask::Start() {
  const ChainRecorder::Options& recorder = options_.recorder;
  std::unique_ptr<core::Chain> chain = options_.create_chain(options_.problem, recorder.chain);
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                   store_.ReadCheckpoint(recorder.job, recorder.chain));
  if (bytes.has_value()) {
    ASSIGN_OR_RETURN(const ChainCheckpoint checkpoint,
                     DecodeCheckpoint(*bytes, options_.numeric_profile));
    RETURN_IF_ERROR(chain->Restore(checkpoint.state));
    recorder_.SkipPoints(checkpoint.points);
    checkpoint_schedule_.Taken(options_.now(), busy(), CheckpointSchedule::Duration::zero());
    checkpoint_sweep_ = chain->sweep();
  }
  chain_ = std::move(chain);
  return absl::OkStatus();
}

absl::Status ChainTask::CommitSlice(core::RunOutcome outcome) {
  switch (outcome) {
    case core::RunOutcome::kInterrupted: {
      const std::int64_t sweeps = chain_->sweep();
      chain_.reset();
      return recorder_.Commit(sweeps, std::nullopt);
    }
    case core::RunOutcome::kYielded:
      if (checkpoint_schedule_.IsDue(options_.now(), busy())) return CommitCheckpoint();
      return recorder_.Commit(chain_->sweep(), std::nullopt);
    case core::RunOutcome::kFinished: {
      absl::Status status = CommitCheckpoint();
      chain_.reset();
      return status;
    }
  }
  return absl::InternalError("a chain ended its slice in an unknown way");
}

absl::Status ChainTask::CommitCheckpoint() {
  const auto start = options_.now();
  std::string bytes = EncodeCheckpoint({.profile = options_.numeric_profile,
                                        .points = recorder_.points(),
                                        .state = chain_->Checkpoint()});
  RETURN_IF_ERROR(recorder_.Commit(chain_->sweep(), std::move(bytes)));
  const auto end = options_.now();
  checkpoint_schedule_.Taken(end, busy(), end - start);
  checkpoint_sweep_ = chain_->sweep();
  return absl::OkStatus();
}

CheckpointSchedule::Duration ChainTask::busy() const {
  return std::chrono::duration_cast<CheckpointSchedule::Duration>(
      Seconds(recorder_.busy_seconds()));
}

}  // namespace posteriord::server
