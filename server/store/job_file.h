// The file of one job: what was asked, what became of it, and all its chains made.
#ifndef POSTERIORD_SERVER_STORE_JOB_FILE_H_
#define POSTERIORD_SERVER_STORE_JOB_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/connection_pool.h"
#include "server/store/job_catalog.h"
#include "server/store/job_store.h"
#include "server/store/job_tables.h"

namespace posteriord::server {

// <directory>/<id>.db, a SQLite database whose tables job, status, chains, draws, trace,
// predictive, checkpoints and diagnostics mean what their columns say; numbers in blobs are
// little-endian doubles (draws: of the job's storage precision) and 64-bit integers. Every row
// carries a RowChecksum, and the number of rows of every kind is known from a checksummed row, so
// that a damaged or lost row is DATA_LOSS. Connections are opened as needed. Thread-safe.
class JobFile {
 public:
  // Writes the file of a new job; durable, and whole or absent, on return. REQUIRES: chains >= 1;
  // no other file of the id.
  static absl::Status Create(const std::string& directory, const JobDescription& description,
                             int chains);

  // Path of a job's file. Beside it SQLite keeps files with the suffixes of kSidecars while it is
  // open, and after a crash; a file in the making has kCreationSuffix.
  static std::string PathOf(const std::string& directory, std::string_view id);
  static constexpr const char* kSuffix = ".db";
  static constexpr const char* kSidecars[] = {"-wal", "-shm", "-journal"};
  static constexpr const char* kCreationSuffix = ".db.new";

  JobFile(std::string directory, std::string_view id);

  const std::string& id() const { return id_; }

  absl::StatusOr<JobDescription> Describe();
  absl::StatusOr<JobStatus> ReadStatus();
  absl::Status WriteStatus(const JobStatus& status);

  // As the methods of JobStore, without NOT_FOUND for the job.
  absl::Status Commit(const ChainCommit& commit);
  absl::StatusOr<std::vector<ChainPosition>> Positions();
  absl::StatusOr<DrawRecord> ReadDraws(int chain, std::int64_t draw);
  absl::StatusOr<std::vector<TraceRecord>> ReadTrace(int chain, std::int64_t index, int limit);
  absl::StatusOr<std::optional<PredictiveRecord>> ReadPredictive(int chain, std::int64_t sweep);
  absl::StatusOr<std::optional<std::string>> ReadCheckpoint(int chain);
  absl::Status AppendDiagnostics(const DiagnosticsRecord& record);
  absl::StatusOr<std::vector<DiagnosticsRecord>> ReadDiagnostics(std::int64_t index, int limit);
  absl::StatusOr<std::optional<DiagnosticsRecord>> LatestDiagnostics();

  // Folds the log into the file and leaves the file alone in its directory. Waits for what is going
  // on.
  absl::Status Seal();
  // Closes idle connections; later calls open them again.
  void Close();
  // Removes the file, durably. Waits for what is going on; later calls fail.
  absl::Status Remove();

 private:
  absl::StatusOr<std::unique_ptr<Database>> Open(Database::Mode mode) const;

  const std::string directory_;
  const std::string id_;
  const std::string path_;
  ConnectionPool connections_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_JOB_FILE_H_
