// Jobs in SQLite: one catalog of all jobs and one file for each.
#ifndef POSTERIORD_SERVER_STORE_SQLITE_JOB_STORE_H_
#define POSTERIORD_SERVER_STORE_SQLITE_JOB_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "server/store/catalog_database.h"
#include "server/store/job_catalog.h"
#include "server/store/job_file_cache.h"
#include "server/store/job_store.h"
#include "server/store/subscriptions.h"

namespace posteriord::server {

// What opening a store mended after an unclean end of the process before: ids of jobs, or names of
// files that belong to none.
struct RecoveryReport {
  std::vector<std::string> adopted;     // had a file but no entry in the catalog: entered
  std::vector<std::string> removed;     // leftover files of interrupted creations and deletions
  std::vector<std::string> updated;     // the catalog was behind the state in the job's file
  std::vector<std::string> sealed;      // final, but their log had not been folded in
  std::vector<std::string> damaged;     // in the catalog and not final; file missing or unreadable
  std::vector<std::string> unreadable;  // files that belong to no job and were left alone
};

// Layout: <data_dir>/catalog.db and <data_dir>/jobs/<id>.db, in WAL mode with synchronous=FULL. The
// catalog owns which jobs exist, a job's file what became of it. A file also holds whatever the
// catalog knows of its job, so that a lost catalog is made anew from the files when the store is
// opened. Reasons in docs/adr/0004-sqlite-store.md. Thread-safe.
class SqliteJobStore : public JobStore {
 public:
  struct Options {
    int max_open_jobs = 64;  // job files kept open; each takes up to 15 file descriptors
  };

  // Opens the jobs of a catalog and brings catalog and files into agreement.
  static absl::StatusOr<std::unique_ptr<SqliteJobStore>> Open(
      std::shared_ptr<CatalogDatabase> database, const Options& options);

  const RecoveryReport& recovery_report() const { return recovery_report_; }

  absl::StatusOr<std::string> CreateJob(const JobRecord& record, int chains,
                                        std::string_view request_id,
                                        std::string_view fingerprint) override;
  absl::StatusOr<JobRecord> GetJob(std::string_view id) override;
  absl::StatusOr<std::vector<JobRecord>> ListJobs(const ListQuery& query) override;
  absl::Status SetState(std::string_view id, const std::vector<JobState>& from, JobState to,
                        std::int64_t time_us, std::string_view outcome) override;
  absl::Status DeleteJob(std::string_view id) override;
  absl::StatusOr<bool> DatasetInUse(std::string_view dataset_id) override;

  absl::Status Commit(std::string_view id, const ChainCommit& commit) override;
  absl::StatusOr<std::vector<ChainPosition>> Positions(std::string_view id) override;
  absl::StatusOr<DrawRecord> ReadDraws(std::string_view id, int chain, std::int64_t draw) override;
  absl::StatusOr<std::vector<TraceRecord>> ReadTrace(std::string_view id, int chain,
                                                     std::int64_t index, int limit) override;
  absl::StatusOr<std::optional<PredictiveRecord>> ReadPredictive(std::string_view id, int chain,
                                                                 std::int64_t sweep) override;
  absl::StatusOr<std::optional<std::string>> ReadCheckpoint(std::string_view id,
                                                            int chain) override;
  absl::Status AppendDiagnostics(std::string_view id, const DiagnosticsRecord& record) override;
  absl::StatusOr<std::vector<DiagnosticsRecord>> ReadDiagnostics(std::string_view id,
                                                                 std::int64_t index,
                                                                 int limit) override;
  absl::StatusOr<std::optional<DiagnosticsRecord>> LatestDiagnostics(std::string_view id) override;

  std::unique_ptr<Subscription> Subscribe(std::string_view id,
                                          std::function<void()> callback) override;
  absl::Status Seal(std::string_view id) override;

 private:
  SqliteJobStore(std::shared_ptr<CatalogDatabase> database, const Options& options);

  // Brings catalog and files into agreement; fills the report.
  absl::Status Recover();
  absl::Status RecoverFile(const std::string& name, const std::map<std::string, JobState>& jobs);
  absl::Status AdoptFiles(std::vector<JobFile::Description> files);
  absl::Status RecoverJob(const std::string& id, JobState state, bool has_log);

  // The file of a job that the catalog holds.
  absl::StatusOr<std::shared_ptr<JobFile>> OpenJob(std::string_view id);
  // `status`, or NOT_FOUND if what went wrong is that the job has been deleted meanwhile.
  absl::Status Explain(std::string_view id, absl::Status status);

  const std::shared_ptr<CatalogDatabase> database_;
  JobCatalog catalog_;
  JobFileCache files_;
  const std::shared_ptr<Subscriptions> subscriptions_;
  RecoveryReport recovery_report_;

  // Held while a job is created, changes state or is deleted: these write two files.
  Mutex lifecycle_mutex_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_SQLITE_JOB_STORE_H_
