// When a job stops before its schedule is spent.
#ifndef POSTERIORD_SERVER_JOBS_STOP_POLICY_H_
#define POSTERIORD_SERVER_JOBS_STOP_POLICY_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/diagnostics/diagnostics.h"
#include "core/spec.h"
#include "posteriord/v1/job.pb.h"

namespace posteriord::server {

// What a job that made its whole schedule gives as its reason.
inline constexpr char kScheduleSpent[] = "The schedule's draws are made.";

// The stop rules of a job, ready to be applied. Immutable.
class StopPolicy {
 public:
  // No rules: only the schedule ends the job.
  StopPolicy() = default;

  // REQUIRES: the spec is complete.
  explicit StopPolicy(const v1::JobSpec& spec);

  // Whether evaluations of the diagnostics may stop the job.
  bool decides_at_evaluations() const { return decides_at_evaluations_; }

  // First sweep count at which every chain has the draws that rules on diagnostics wait for.
  // REQUIRES: decides_at_evaluations().
  std::int64_t first_deciding_sweep() const { return first_deciding_sweep_; }

  // Sweep count of the next evaluation that may stop the job when `next` is that of the next one of
  // all: no chain may pass it before it has been decided. The last sweep when there is none before.
  // REQUIRES: decides_at_evaluations(); next is an evaluation's.
  std::int64_t NextDecidingSweep(std::int64_t next, const core::ScheduleSpec& schedule) const;

  // Why the job stops at this evaluation, in a sentence; empty when it goes on. `names` and
  // `monitored` are those of the evaluation.
  std::string ReasonToStop(const core::Diagnostics& diagnostics,
                           const core::DiagnosticsInput& input, bool wall_time_spent) const;

  // When the wall time of a job that began then is spent; unset without such a rule. Unit:
  // microseconds since the Unix epoch.
  std::optional<std::int64_t> WallTimeEnd(std::int64_t start_time_us) const;

  // Whether the wall time ends the job by itself, at whatever sweep the chains are.
  bool stops_by_time() const { return wall_time_.has_value() && !all_; }

  // REQUIRES: there is a wall time.
  std::string WallTimeReason() const;

 private:
  std::string WallTimeClause() const;

  bool decides_at_evaluations_ = false;
  bool all_ = false;  // the rules that are set have to be met together
  std::int64_t first_deciding_sweep_ = 0;
  std::optional<std::chrono::microseconds> wall_time_;
  bool thermalized_ = false;
  std::optional<double> rhat_below_;
  double min_effective_sample_size_ = 0;  // of each chain, for R-hat to mean something
  std::optional<double> ess_above_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_STOP_POLICY_H_
