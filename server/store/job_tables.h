// The rows of a job's file, one function per access, with their checksums.
#ifndef POSTERIORD_SERVER_STORE_JOB_TABLES_H_
#define POSTERIORD_SERVER_STORE_JOB_TABLES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/job_catalog.h"
#include "server/store/job_store.h"
#include "server/store/request_key.h"
#include "server/store/sqlite.h"

namespace posteriord::server {

// All that the catalog knows of a job.
struct JobDescription {
  JobRecord record;
  RequestKey request;
};

// The row of table status.
struct StatusRow {
  JobStatus status;
  std::int64_t chains = 0;       // rows in table chains
  std::int64_t diagnostics = 0;  // rows in table diagnostics
};

// A row of table chains.
struct ChainRow {
  ChainPosition position;
  std::vector<std::int64_t> predictive_sweeps;  // of the chain's rows in table predictive
  std::int64_t checkpoint = 0;                  // number of the latest checkpoint; 0: none
  std::int64_t checkpoint_parts = 0;            // its rows in table checkpoints
};

// Tables of one job on one connection. Reads verify checksums: a row that does not match, or is
// missing where one must be, is DATA_LOSS. Transactions are the caller's. REQUIRES: the database
// outlives this.
class JobTables {
 public:
  JobTables(Database& database, std::string_view job) : database_(database), job_(job) {}

  // Makes the tables of a new job, in a transaction of the caller's.
  absl::Status Create(const JobDescription& description, int chains);

  // What was asked and what became of it; the state is that of table status.
  absl::StatusOr<JobDescription> ReadDescription();

  absl::StatusOr<StatusRow> ReadStatus();
  absl::Status WriteStatus(const StatusRow& row);

  // INVALID_ARGUMENT when the job has no such chain.
  absl::StatusOr<ChainRow> ReadChain(int chain);
  absl::StatusOr<std::vector<ChainRow>> ReadChains();
  absl::Status WriteChain(int chain, const ChainRow& row);

  absl::Status InsertDraws(int chain, const DrawRecord& record);
  // The record that holds a stored draw.
  absl::StatusOr<DrawRecord> ReadDraws(int chain, std::int64_t draw);

  absl::Status InsertPoint(int chain, const TraceRecord& record);
  // `count` stored points from `index` on.
  absl::StatusOr<std::vector<TraceRecord>> ReadPoints(int chain, std::int64_t index,
                                                      std::int64_t count);

  // Adds a sum, or replaces that of the same sweep, and notes it in `row`, which is the caller's to
  // write.
  absl::Status PutPredictive(int chain, const PredictiveRecord& record, ChainRow& row);
  // The sum stored at a sweep.
  absl::StatusOr<PredictiveRecord> ReadPredictive(int chain, std::int64_t sweep);
  // As PutPredictive.
  absl::Status DropPredictiveBefore(int chain, std::int64_t sweep, ChainRow& row);

  // Replaces the chain's checkpoint; `row` as in PutPredictive.
  absl::Status ReplaceCheckpoint(int chain, std::string_view checkpoint, ChainRow& row);
  // REQUIRES: row.checkpoint > 0.
  absl::StatusOr<std::string> ReadCheckpoint(int chain, const ChainRow& row);

  absl::Status InsertDiagnostics(const DiagnosticsRecord& record);
  // `count` stored evaluations from `index` on.
  absl::StatusOr<std::vector<DiagnosticsRecord>> ReadDiagnostics(std::int64_t index,
                                                                 std::int64_t count);

 private:
  absl::Status Damaged(std::string_view what) const;

  Database& database_;
  const std::string_view job_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_JOB_TABLES_H_
