// Jobs in SQLite: one catalog of all jobs and one file for each.
#ifndef POSTERIORD_SERVER_STORE_SQLITE_JOB_STORE_H_
#define POSTERIORD_SERVER_STORE_SQLITE_JOB_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

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
  SqliteJobStore(std::shared_ptr<CatalogDatabase> database, std::string directory,
                 const Options& options);

  // Brings catalog and files into agreement; fills the report.
  absl::Status Recover();
  // Enters jobs whose files the catalog does not know, oldest first; adds them to `jobs`.
  absl::Status Adopt(std::vector<JobDescription> unknown, std::map<std::string, JobState>& jobs);
  // Takes over what the file of a job says that is not final in the catalog.
  absl::Status UpdateEntry(const std::string& id, JobState state);
  absl::Status SealLeftOpen(const std::string& id, bool has_sidecar);

  absl::StatusOr<std::shared_ptr<JobFile>> OpenJob(std::string_view id);

  // Calls `use` on the file of a job and returns its result.
  template <typename Use>
  auto WithFile(std::string_view id, const Use& use) -> decltype(use(std::declval<JobFile&>())) {
    absl::StatusOr<std::shared_ptr<JobFile>> file = OpenJob(id);
    if (!file.ok()) return file.status();
    auto result = use(**file);
    if (result.ok()) return result;
    if constexpr (std::is_same_v<decltype(result), absl::Status>) {
      return Explain(id, std::move(result));
    } else {
      return Explain(id, result.status());
    }
  }
  // NOT_FOUND in place of DATA_LOSS for a file that is missing because the job was deleted just
  // now.
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
