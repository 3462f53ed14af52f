// Evaluates the diagnostics of a job.
#ifndef POSTERIORD_SERVER_JOBS_DIAGNOSER_H_
#define POSTERIORD_SERVER_JOBS_DIAGNOSER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/base/mutex.h"
#include "core/diagnostics/diagnostics.h"
#include "core/sampling/problem.h"
#include "posteriord/v1/thermalization.pb.h"
#include "server/jobs/stop_policy.h"
#include "server/store/job_store.h"

namespace posteriord::server {

// Evaluates at every logarithmic point of the schedule, in order, as soon as every chain has
// committed beyond it. The evaluations are a function of the traces, so they are the same however
// the chains were scheduled or the server restarted. Decides at each whether the job stops there;
// that is stored with the evaluation, whose verdicts are then final. Keeps the evenly spaced points
// of the traces in memory.
//
// Whoever is told to evaluate calls EvaluateNext() until there is nothing left, one thread at a
// time.
class Diagnoser {
 public:
  // REQUIRES: the store outlives the diagnoser.
  Diagnoser(JobStore& store, std::string job, std::shared_ptr<const core::Problem> problem,
            StopPolicy policy = {});

  // Takes up the evaluations and traces stored. Before anything else. True when the caller is to
  // evaluate.
  absl::StatusOr<bool> Restore();

  // The chain has committed these points and made `sweeps` sweeps. True when the caller is to
  // evaluate. Thread-safe.
  bool Add(int chain, absl::Span<const TraceRecord> points, std::int64_t sweeps);

  // Makes and stores the next evaluation; false when there was nothing left to evaluate: someone
  // else will be told. `wall_time_spent`: whether the job's wall time is, for rules that ask.
  absl::StatusOr<bool> EvaluateNext(bool wall_time_spent = false);

  // Whether the last evaluation is stored, that at the last sweep or one at which the job stops. By
  // whoever evaluates.
  bool finished() const { return !stop_reason_.empty(); }

  // Why sampling has ended, in a sentence; empty before finished(). By whoever evaluates.
  const std::string& stop_reason() const { return stop_reason_; }

  // Sweep count that no chain may pass yet, see StopPolicy. Changes with each evaluation. REQUIRES:
  // the policy decides at evaluations; not finished(). By whoever evaluates.
  std::int64_t NextDecidingSweep();

 private:
  struct NewPoint {
    int chain = 0;
    std::int64_t sweep = 0;
    std::vector<double> values;
  };

  // Whether every chain has reached the sweep count of the next evaluation.
  bool IsReady() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Status ReadChain(int chain, const ChainPosition& position);

  // Drops what is off the stride and adds the new points that are on it.
  void SetStride(std::int64_t stride);
  void AddToTraces(const NewPoint& point);

  absl::StatusOr<v1::Diagnostics> Evaluate(std::int64_t sweep, bool wall_time_spent);

  // Error of the posterior predictive pooled over the informed or the other chains after so many
  // sweeps; unset until all of them have draws.
  absl::StatusOr<std::optional<double>> PooledTestError(bool informed, std::int64_t sweep);

  JobStore& store_;
  const std::string job_;
  const std::shared_ptr<const core::Problem> problem_;
  const StopPolicy policy_;
  std::vector<std::string> names_;  // of the observables
  std::vector<bool> monitored_;

  // Used by whoever evaluates.
  std::vector<core::ChainTrace> traces_;           // by chain
  std::vector<std::vector<std::int64_t>> sweeps_;  // of the points in traces_, by chain
  std::int64_t stride_ = 1;                        // all of which are multiples of this
  std::int64_t next_index_ = 0;
  std::optional<core::Diagnostics> previous_;
  std::string stop_reason_;

  Mutex mutex_;
  std::vector<NewPoint> new_points_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::int64_t> reached_ ABSL_GUARDED_BY(mutex_);  // sweeps, by chain; -1 before any
  std::int64_t next_sweep_ ABSL_GUARDED_BY(mutex_) = 0;
  bool evaluating_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_DIAGNOSER_H_
