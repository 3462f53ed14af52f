// Durable storage of jobs and of what their chains make.
#ifndef POSTERIORD_SERVER_STORE_JOB_STORE_H_
#define POSTERIORD_SERVER_STORE_JOB_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace posteriord::server {

// Largest values of one DrawRecord and largest other blob, checkpoints excepted. Unit: bytes.
inline constexpr std::int64_t kMaxRecordBytes = 512 << 20;

// Values match posteriord.v1.Job.State.
enum class JobState { kQueued = 1, kRunning = 2, kSucceeded = 3, kFailed = 4, kCancelled = 5 };

inline bool IsFinal(JobState state) {
  return state == JobState::kSucceeded || state == JobState::kFailed ||
         state == JobState::kCancelled;
}

// What the catalog knows of a job. The store does not read the blobs.
struct JobRecord {
  std::string id;  // [a-z0-9]+, unique, chosen by the caller
  JobState state = JobState::kQueued;
  std::map<std::string, std::string> labels;  // for listing
  std::string dataset_id;                     // empty when the job reads none
  std::string body;                           // serialized Job message as accepted
  std::string outcome;                        // serialized google.rpc.Status once failed, why it
                                              // stopped, as text, once succeeded
  std::int64_t create_time_us = 0;            // since the Unix epoch; 0 = unset
  std::int64_t start_time_us = 0;
  std::int64_t end_time_us = 0;
};

// Consecutive draws of one chain: `values` is draws x parameters, little-endian, of the job's
// storage precision.
struct DrawRecord {
  std::int64_t first_draw = 0;
  std::vector<std::int64_t> sweeps;  // one per draw
  std::int64_t warmup_draws = 0;     // number of leading draws that are warm-up
  std::string values;
};

struct TraceRecord {
  std::int64_t index = 0;  // counts the chain's points from 0
  std::int64_t sweep = 0;
  bool even = false;
  bool logarithmic = false;
  std::vector<double> values;
};

struct PredictiveRecord {
  std::int64_t sweep = 0;
  std::int64_t draws = 0;
  std::vector<double> values;
};

// Everything one chain adds in one commit. All of it becomes durable, or none.
struct ChainCommit {
  int chain = 0;
  std::int64_t expected_draws = 0;   // draws stored before this commit; else ABORTED
  std::int64_t expected_points = 0;  // trace points stored before this commit; else ABORTED
  std::vector<DrawRecord> draws;
  std::vector<TraceRecord> points;
  std::vector<PredictiveRecord> predictive;
  std::optional<std::string> checkpoint;  // replaces the chain's checkpoint
  std::int64_t sweeps = 0;                // sweeps made
  double busy_seconds = 0;                // time spent sampling so far
};

struct ChainPosition {
  std::int64_t draws = 0;
  std::int64_t points = 0;
  std::int64_t sweeps = 0;
  double busy_seconds = 0;
};

// One evaluation of the diagnostics: a serialized Diagnostics message.
struct DiagnosticsRecord {
  std::int64_t index = 0;
  std::int64_t sweep = 0;
  std::string body;
};

// Cancels a subscription when destroyed. After the destructor returns, the callback is neither
// running nor will run; so do not destroy a subscription while holding a lock its callback takes.
// May outlive the store.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

// All methods are thread-safe and block on the disk; call them from worker or I/O threads, never
// from a gRPC reaction. A read returns the bytes that were written or DATA_LOSS, never others.
// Errors common to all: NOT_FOUND (no such job), DATA_LOSS (a checksum does not match),
// RESOURCE_EXHAUSTED (disk full), UNAVAILABLE (input/output error; the operation had no effect).
class JobStore {
 public:
  virtual ~JobStore() = default;

  // ----- The catalog -----

  // Stores a new job with `chains` chains. With a non-empty request_id that was used before by a
  // job that still exists: OK with the id of that job when `fingerprint` is the same, else
  // ALREADY_EXISTS. Returns the id of the job that now carries the request. NOT_FOUND when
  // `record.dataset_id` names no data set; from here on until the job is final the data set cannot
  // be deleted. REQUIRES: chains >= 1; the state is not final.
  virtual absl::StatusOr<std::string> CreateJob(const JobRecord& record, int chains,
                                                std::string_view request_id,
                                                std::string_view fingerprint) = 0;
  virtual absl::StatusOr<JobRecord> GetJob(std::string_view id) = 0;

  // Newest first, at most `limit`, starting after the job `after_id` (empty: at the newest), which
  // may have been deleted since; INVALID_ARGUMENT when there never was one. Only jobs in `states`
  // (empty: all) that carry all of `labels` (at most 32).
  struct ListQuery {
    std::vector<JobState> states;
    std::map<std::string, std::string> labels;
    std::string after_id;
    int limit = 50;
  };
  virtual absl::StatusOr<std::vector<JobRecord>> ListJobs(const ListQuery& query) = 0;

  // Moves a job from one of `from` to `to`, else FAILED_PRECONDITION; sets the end time, or the
  // start time the first time, and, for a final state, the outcome. A job whose file is damaged can
  // still be failed, cancelled and deleted.
  virtual absl::Status SetState(std::string_view id, const std::vector<JobState>& from, JobState to,
                                std::int64_t time_us, std::string_view outcome) = 0;

  // Removes the job and its file. REQUIRES: its state is final, else FAILED_PRECONDITION.
  virtual absl::Status DeleteJob(std::string_view id) = 0;

  // Whether a job that is not final reads the data set.
  virtual absl::StatusOr<bool> DatasetInUse(std::string_view dataset_id) = 0;

  // ----- What the chains make -----

  // Errors: ABORTED (not the expected number of draws or points), FAILED_PRECONDITION (the job is
  // final), INVALID_ARGUMENT (draws or points that do not follow one another; no such chain; a
  // record larger than kMaxRecordBytes). A predictive sum replaces one of the same sweep.
  virtual absl::Status Commit(std::string_view id, const ChainCommit& commit) = 0;
  virtual absl::StatusOr<std::vector<ChainPosition>> Positions(std::string_view id) = 0;

  // Record that holds draw `draw` of the chain; NOT_FOUND (only) when it is not stored yet.
  virtual absl::StatusOr<DrawRecord> ReadDraws(std::string_view id, int chain,
                                               std::int64_t draw) = 0;
  // At most `limit` points from `index` on; empty at the end.
  virtual absl::StatusOr<std::vector<TraceRecord>> ReadTrace(std::string_view id, int chain,
                                                             std::int64_t index, int limit) = 0;
  virtual absl::StatusOr<std::optional<PredictiveRecord>> ReadPredictive(std::string_view id,
                                                                         int chain,
                                                                         std::int64_t sweep) = 0;
  // Empty when the chain has none yet.
  virtual absl::StatusOr<std::optional<std::string>> ReadCheckpoint(std::string_view id,
                                                                    int chain) = 0;

  // Adds an evaluation at `record.index` == number stored (else ABORTED) and drops predictive sums
  // of earlier sweeps, which no later evaluation needs. FAILED_PRECONDITION when the job is final.
  virtual absl::Status AppendDiagnostics(std::string_view id, const DiagnosticsRecord& record) = 0;
  virtual absl::StatusOr<std::vector<DiagnosticsRecord>> ReadDiagnostics(std::string_view id,
                                                                         std::int64_t index,
                                                                         int limit) = 0;
  virtual absl::StatusOr<std::optional<DiagnosticsRecord>> LatestDiagnostics(
      std::string_view id) = 0;

  // ----- Waiting -----

  // Calls `callback` (from any thread, quickly, possibly more often than needed) after every
  // commit, evaluation, change of state or deletion of the job from now on, until the handle is
  // destroyed. The callback must not call the store or destroy its own handle.
  virtual std::unique_ptr<Subscription> Subscribe(std::string_view id,
                                                  std::function<void()> callback) = 0;

  // A job that is final needs no open file: folds its log into one plain file and closes it.
  virtual absl::Status Seal(std::string_view id) = 0;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_JOB_STORE_H_
