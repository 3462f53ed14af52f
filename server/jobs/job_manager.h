// The jobs of a server: accepting, running, stopping and deleting them.
#ifndef POSTERIORD_SERVER_JOBS_JOB_MANAGER_H_
#define POSTERIORD_SERVER_JOBS_JOB_MANAGER_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "posteriord/v1/job.pb.h"
#include "posteriord/v1/job_service.pb.h"
#include "server/jobs/job_run.h"
#include "server/store/job_store.h"

namespace posteriord::server {

// Moves jobs from QUEUED to RUNNING when their predicted memory is free, in the order in which they
// were accepted, and to a final state when they end. The state of a job is what the store says; the
// manager knows which jobs it is working on. All methods block on the disk and are thread-safe.
class JobManager {
 public:
  // Jobs in memory together are predicted to need at most `memory_limit_bytes`.
  JobManager(JobEnvironment environment, std::int64_t memory_limit_bytes);

  // REQUIRES: Shutdown() was called.
  ~JobManager() = default;

  // Takes up the jobs that an earlier server left unfinished. Once, before anything else.
  absl::Status Resume();

  // Accepts a job; it is durable when this returns. With validate_only, only answers what would be
  // accepted. Errors: as JobService.CreateJob.
  absl::StatusOr<v1::Job> CreateJob(const v1::CreateJobRequest& request);

  // Accepts the companion of a job, as CreateJob does. Errors: as JobService.ProbeJob.
  absl::StatusOr<v1::Job> ProbeJob(std::string_view id, const v1::ProbeJobRequest& request);

  absl::StatusOr<v1::Job> GetJob(std::string_view id);

  struct Page {
    std::vector<v1::Job> jobs;
    bool more = false;  // whether there are jobs after these
  };
  // Jobs without their diagnostics, at most query.limit and about `max_bytes` of them.
  absl::StatusOr<Page> ListJobs(JobStore::ListQuery query, std::int64_t max_bytes);

  // Stops a job and waits until it has stopped. Errors: NOT_FOUND; FAILED_PRECONDITION when it has
  // ended otherwise.
  absl::StatusOr<v1::Job> CancelJob(std::string_view id);

  // Errors: NOT_FOUND; FAILED_PRECONDITION when the job has not ended.
  absl::Status DeleteJob(std::string_view id);

  // Accepts and starts no more jobs, lets the running tasks reach the end of a sweep (interrupting
  // them after `patience`) and stores checkpoints until `deadline`. Unfinished jobs go on in the
  // next server.
  void Shutdown(std::chrono::steady_clock::duration patience,
                std::chrono::steady_clock::time_point deadline);

 private:
  enum class Phase {
    kCreating,  // being stored
    kWaiting,   // for memory
    kRunning,
    kEnding,  // its final state is about to be stored
  };
  struct Entry {
    Phase phase = Phase::kCreating;
    std::int64_t memory_bytes = 0;
    std::shared_ptr<JobRun> run;  // once running
  };

  absl::Status CheckMemory(const v1::ResourceEstimate& estimate) const;
  // The data summary of a planned job; checks the data on the way.
  absl::StatusOr<v1::DataSummary> Summarize(const JobPlan& plan);

  void Reserve(const std::string& id, std::int64_t memory_bytes);
  void Release(const std::string& id);
  void Enqueue(const std::string& id);
  // Starts waiting jobs while memory lasts.
  void StartWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Stores the outcome of a job that nobody works on any more, and gives up its entry.
  void Finish(const std::string& id, const JobOutcome& outcome);
  // Ends the job as cancelled if it is not ending already, and waits until nobody works on it.
  void StopAndWait(const std::string& id);

  const JobEnvironment environment_;
  const std::int64_t memory_limit_bytes_;

  Mutex load_mutex_;  // one data set at a time is read outside of the memory budget

  Mutex mutex_;
  CondVar changed_;  // an entry has changed its phase or is gone
  std::map<std::string, Entry, std::less<>> entries_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> waiting_ ABSL_GUARDED_BY(mutex_);  // first come, first served
  std::int64_t memory_in_use_ ABSL_GUARDED_BY(mutex_) = 0;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_JOB_MANAGER_H_
