// Which jobs exist.
#ifndef POSTERIORD_SERVER_STORE_JOB_CATALOG_H_
#define POSTERIORD_SERVER_STORE_JOB_CATALOG_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/catalog_database.h"
#include "server/store/job_store.h"
#include "server/store/request_key.h"

namespace posteriord::server {

// The part of a job that changes apart from its draws. The job's file is its owner, the catalog
// keeps a copy.
struct JobStatus {
  JobState state = JobState::kQueued;
  std::int64_t start_time_us = 0;
  std::int64_t end_time_us = 0;
  std::string outcome;

  friend bool operator==(const JobStatus&, const JobStatus&) = default;
};

// The job tables of the catalog. Thread-safe.
class JobCatalog {
 public:
  enum class Presence { kNever, kPresent, kDeleted };

  // REQUIRES: `database` outlives this.
  explicit JobCatalog(CatalogDatabase& database) : connections_(database.connections()) {}

  // Id of the job that carries a request; nothing when none does or the request has no id.
  // ALREADY_EXISTS when that job's fingerprint differs.
  absl::StatusOr<std::optional<std::string>> FindRequest(const RequestKey& request);

  // Enters a job. Errors: ALREADY_EXISTS (id or request id taken, or id once deleted); with
  // `need_dataset`, NOT_FOUND (its data set does not exist).
  absl::Status Insert(const JobRecord& record, const RequestKey& request, bool need_dataset);

  absl::StatusOr<Presence> Find(std::string_view id);
  absl::StatusOr<JobRecord> Get(std::string_view id);
  absl::StatusOr<std::vector<JobRecord>> List(const JobStore::ListQuery& query);
  // All jobs, after every entry's checksum was verified.
  absl::StatusOr<std::map<std::string, JobState>> States();

  absl::Status SetStatus(std::string_view id, const JobStatus& status);

  // Replaces the entry by a tombstone. FAILED_PRECONDITION when the job is not final.
  absl::Status Delete(std::string_view id);

  absl::StatusOr<bool> DatasetInUse(std::string_view dataset_id);

 private:
  ConnectionPool& connections_;
};

// Whether a job that is not final reads the data set; inside a transaction of the caller's.
absl::StatusOr<bool> DatasetInUse(Database& database, std::string_view dataset_id);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_JOB_CATALOG_H_
