#include "server/store/job_file.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/status_macros.h"
#include "server/store/file.h"
#include "server/store/sqlite.h"

namespace posteriord::server {
namespace {

constexpr std::int64_t kSchemaVersion = 1;

// Pages are large because blobs are; the log is folded in every 4 MiB and the cache kept small, as
// many files may be open.
constexpr char kPageSize[] = "PRAGMA page_size = 16384";
constexpr char kTuning[] =
    "PRAGMA wal_autocheckpoint = 256; PRAGMA journal_size_limit = 16777216;"
    "PRAGMA cache_size = -512;";

absl::Status CheckNotFinal(const StatusRow& row) {
  if (!IsFinal(row.status.state)) return absl::OkStatus();
  return absl::FailedPreconditionError("the job has ended; nothing can be added to it");
}

absl::Status CheckSize(std::size_t bytes, std::string_view what) {
  if (bytes <= kMaxRecordBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(what), " of ", bytes, " bytes is larger than ", kMaxRecordBytes));
}

// Whether the records follow one another from where the commit says.
absl::Status CheckCommit(const ChainCommit& commit) {
  std::int64_t draw = commit.expected_draws;
  for (const DrawRecord& record : commit.draws) {
    const auto draws = static_cast<std::int64_t>(record.sweeps.size());
    if (draws == 0 || record.values.empty() || record.values.size() % record.sweeps.size() != 0 ||
        record.warmup_draws < 0 || record.warmup_draws > draws) {
      return absl::InvalidArgumentError(
          absl::StrCat("draw ", record.first_draw, ": sweeps, warm-up and values do not match"));
    }
    if (record.first_draw != draw) {
      return absl::InvalidArgumentError(
          absl::StrCat("draw ", record.first_draw, " where ", draw, " has to follow"));
    }
    RETURN_IF_ERROR(CheckSize(record.values.size(), "a record of draws"));
    draw += draws;
  }
  std::int64_t point = commit.expected_points;
  for (const TraceRecord& record : commit.points) {
    if (record.index != point) {
      return absl::InvalidArgumentError(
          absl::StrCat("trace point ", record.index, " where ", point, " has to follow"));
    }
    RETURN_IF_ERROR(CheckSize(record.values.size() * sizeof(double), "a trace point"));
    ++point;
  }
  for (const PredictiveRecord& record : commit.predictive) {
    RETURN_IF_ERROR(CheckSize(record.values.size() * sizeof(double), "a predictive sum"));
  }
  return absl::OkStatus();
}

// Number of items to read from `index` on when `stored` exist.
std::int64_t CountFrom(std::int64_t index, std::int64_t stored, int limit) {
  return std::clamp<std::int64_t>(stored - index, 0, std::max(limit, 0));
}

absl::Status CheckIndex(std::int64_t index) {
  if (index >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("index ", index, " is negative"));
}

absl::Status WriteNewFile(const std::string& path, const JobDescription& description, int chains) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                   Database::Open(path, Database::Mode::kCreate));
  // A file in the making is thrown away after a crash and made durable as a whole at the end.
  RETURN_IF_ERROR(database->Execute(kPageSize));
  RETURN_IF_ERROR(database->Execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF"));
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(*database));
  RETURN_IF_ERROR(JobTables(*database, description.record.id).Create(description, chains));
  RETURN_IF_ERROR(
      database->Execute(absl::StrCat("PRAGMA user_version = ", kSchemaVersion).c_str()));
  RETURN_IF_ERROR(transaction.Commit());
  ASSIGN_OR_RETURN(const std::string mode, database->QueryText("PRAGMA journal_mode = WAL"));
  if (mode != "wal")
    return absl::InternalError(absl::StrCat(database->name(), ": not in WAL mode"));
  return absl::OkStatus();
}

absl::Status RemoveWithSidecars(const std::string& path) {
  RETURN_IF_ERROR(RemoveFile(path));
  for (const char* suffix : JobFile::kSidecars) RETURN_IF_ERROR(RemoveFile(path + suffix));
  return absl::OkStatus();
}

}  // namespace

std::string JobFile::PathOf(const std::string& directory, std::string_view id) {
  return absl::StrCat(directory, "/", ToAbsl(id), kSuffix);
}

absl::Status JobFile::Create(const std::string& directory, const JobDescription& description,
                             int chains) {
  const std::string path = PathOf(directory, description.record.id);
  if (FileExists(path)) return absl::AlreadyExistsError(absl::StrCat("there is a file ", path));
  const std::string unfinished =
      absl::StrCat(directory, "/", description.record.id, kCreationSuffix);
  RETURN_IF_ERROR(RemoveWithSidecars(unfinished));  // of an attempt that failed
  absl::Status status = WriteNewFile(unfinished, description, chains);
  if (status.ok()) {
    absl::StatusOr<File> file = File::OpenToRead(unfinished);
    status = file.ok() ? file->Sync() : file.status();
  }
  if (status.ok()) status = RenameFile(unfinished, path);
  if (status.ok()) status = SyncDirectory(directory);
  if (!status.ok()) {
    RemoveWithSidecars(unfinished).IgnoreError();  // else the next opening of the store does it
    RemoveWithSidecars(path).IgnoreError();
  }
  return status;
}

JobFile::JobFile(std::string directory, std::string_view id)
    : directory_(std::move(directory)),
      id_(id),
      path_(PathOf(directory_, id)),
      connections_([this](Database::Mode mode) { return Open(mode); }) {}

absl::StatusOr<std::unique_ptr<Database>> JobFile::Open(Database::Mode mode) const {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open(path_, mode));
  ASSIGN_OR_RETURN(const std::int64_t version, database->QueryInt("PRAGMA user_version"));
  RETURN_IF_ERROR(CheckSchemaVersion(*database, version, kSchemaVersion));
  RETURN_IF_ERROR(database->Execute(kTuning));
  return database;
}

absl::StatusOr<JobDescription> JobFile::Describe() {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  ASSIGN_OR_RETURN(const Transaction transaction, Transaction::BeginRead(*database));
  return JobTables(*database, id_).ReadDescription();
}

absl::StatusOr<JobStatus> JobFile::ReadStatus() {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  ASSIGN_OR_RETURN(StatusRow row, JobTables(*database, id_).ReadStatus());
  return std::move(row.status);
}

absl::Status JobFile::WriteStatus(const JobStatus& status) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Write());
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(*database));
  JobTables tables(*database, id_);
  ASSIGN_OR_RETURN(StatusRow row, tables.ReadStatus());
  row.status = status;
  RETURN_IF_ERROR(tables.WriteStatus(row));
  return transaction.Commit();
}

absl::Status JobFile::Commit(const ChainCommit& commit) {
  RETURN_IF_ERROR(CheckCommit(commit));
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Write());
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(*database));
  JobTables tables(*database, id_);
  ASSIGN_OR_RETURN(const StatusRow status, tables.ReadStatus());
  RETURN_IF_ERROR(CheckNotFinal(status));
  ASSIGN_OR_RETURN(ChainRow row, tables.ReadChain(commit.chain));
  if (row.position.draws != commit.expected_draws ||
      row.position.points != commit.expected_points) {
    return absl::AbortedError(absl::StrCat(
        "chain ", commit.chain, " has ", row.position.draws, " draws and ", row.position.points,
        " trace points, not ", commit.expected_draws, " and ", commit.expected_points));
  }
  for (const DrawRecord& record : commit.draws) {
    RETURN_IF_ERROR(tables.InsertDraws(commit.chain, record));
    row.position.draws += static_cast<std::int64_t>(record.sweeps.size());
  }
  for (const TraceRecord& record : commit.points) {
    RETURN_IF_ERROR(tables.InsertPoint(commit.chain, record));
    ++row.position.points;
  }
  for (const PredictiveRecord& record : commit.predictive) {
    RETURN_IF_ERROR(tables.PutPredictive(commit.chain, record, row));
  }
  if (commit.checkpoint.has_value()) {
    RETURN_IF_ERROR(tables.ReplaceCheckpoint(commit.chain, *commit.checkpoint, row));
  }
  row.position.sweeps = commit.sweeps;
  row.position.busy_seconds = commit.busy_seconds;
  RETURN_IF_ERROR(tables.WriteChain(commit.chain, row));
  return transaction.Commit();
}

absl::StatusOr<std::vector<ChainPosition>> JobFile::Positions() {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  ASSIGN_OR_RETURN(const std::vector<ChainRow> rows, JobTables(*database, id_).ReadChains());
  std::vector<ChainPosition> positions;
  for (const ChainRow& row : rows) positions.push_back(row.position);
  return positions;
}

absl::StatusOr<DrawRecord> JobFile::ReadDraws(int chain, std::int64_t draw) {
  RETURN_IF_ERROR(CheckIndex(draw));
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  JobTables tables(*database, id_);
  ASSIGN_OR_RETURN(const ChainRow row, tables.ReadChain(chain));
  if (draw >= row.position.draws) {
    return absl::NotFoundError(absl::StrCat("chain ", chain, " has no draw ", draw, " yet"));
  }
  return tables.ReadDraws(chain, draw);  // which is there: draws are never taken back
}

absl::StatusOr<std::vector<TraceRecord>> JobFile::ReadTrace(int chain, std::int64_t index,
                                                            int limit) {
  RETURN_IF_ERROR(CheckIndex(index));
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  JobTables tables(*database, id_);
  ASSIGN_OR_RETURN(const ChainRow row, tables.ReadChain(chain));
  return tables.ReadPoints(chain, index, CountFrom(index, row.position.points, limit));
}

absl::StatusOr<std::optional<PredictiveRecord>> JobFile::ReadPredictive(int chain,
                                                                        std::int64_t sweep) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  ASSIGN_OR_RETURN(const Transaction transaction, Transaction::BeginRead(*database));
  JobTables tables(*database, id_);
  ASSIGN_OR_RETURN(const ChainRow row, tables.ReadChain(chain));
  const std::vector<std::int64_t>& sweeps = row.predictive_sweeps;
  if (std::find(sweeps.begin(), sweeps.end(), sweep) == sweeps.end()) return std::nullopt;
  ASSIGN_OR_RETURN(PredictiveRecord record, tables.ReadPredictive(chain, sweep));
  return record;
}

absl::StatusOr<std::optional<std::string>> JobFile::ReadCheckpoint(int chain) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  ASSIGN_OR_RETURN(const Transaction transaction, Transaction::BeginRead(*database));
  JobTables tables(*database, id_);
  ASSIGN_OR_RETURN(const ChainRow row, tables.ReadChain(chain));
  if (row.checkpoint == 0) return std::nullopt;
  ASSIGN_OR_RETURN(std::string checkpoint, tables.ReadCheckpoint(chain, row));
  return checkpoint;
}

absl::Status JobFile::AppendDiagnostics(const DiagnosticsRecord& record) {
  RETURN_IF_ERROR(CheckSize(record.body.size(), "an evaluation"));
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Write());
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(*database));
  JobTables tables(*database, id_);
  ASSIGN_OR_RETURN(StatusRow status, tables.ReadStatus());
  RETURN_IF_ERROR(CheckNotFinal(status));
  if (record.index != status.diagnostics) {
    return absl::AbortedError(absl::StrCat("there are ", status.diagnostics,
                                           " evaluations; the next cannot be ", record.index));
  }
  RETURN_IF_ERROR(tables.InsertDiagnostics(record));
  ++status.diagnostics;
  RETURN_IF_ERROR(tables.WriteStatus(status));
  ASSIGN_OR_RETURN(std::vector<ChainRow> rows, tables.ReadChains());
  for (int chain = 0; chain < static_cast<int>(rows.size()); ++chain) {
    ChainRow& row = rows[static_cast<std::size_t>(chain)];
    const std::size_t before = row.predictive_sweeps.size();
    RETURN_IF_ERROR(tables.DropPredictiveBefore(chain, record.sweep, row));
    if (row.predictive_sweeps.size() != before) RETURN_IF_ERROR(tables.WriteChain(chain, row));
  }
  return transaction.Commit();
}

absl::StatusOr<std::vector<DiagnosticsRecord>> JobFile::ReadDiagnostics(std::int64_t index,
                                                                        int limit) {
  RETURN_IF_ERROR(CheckIndex(index));
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  JobTables tables(*database, id_);
  ASSIGN_OR_RETURN(const StatusRow status, tables.ReadStatus());
  return tables.ReadDiagnostics(index, CountFrom(index, status.diagnostics, limit));
}

absl::StatusOr<std::optional<DiagnosticsRecord>> JobFile::LatestDiagnostics() {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  JobTables tables(*database, id_);
  ASSIGN_OR_RETURN(const StatusRow status, tables.ReadStatus());
  if (status.diagnostics == 0) return std::nullopt;
  ASSIGN_OR_RETURN(std::vector<DiagnosticsRecord> records,
                   tables.ReadDiagnostics(status.diagnostics - 1, 1));
  return std::move(records.front());
}

absl::Status JobFile::Seal() {
  return connections_.Exclusively([this]() -> absl::Status {
    {
      ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Open(Database::Mode::kWrite));
      ASSIGN_OR_RETURN(const std::string before, database->QueryText("PRAGMA journal_mode"));
      if (before != "wal") return absl::OkStatus();
      ASSIGN_OR_RETURN(const std::int64_t busy,
                       database->QueryInt("PRAGMA wal_checkpoint(TRUNCATE)"));
      ASSIGN_OR_RETURN(const std::string after,
                       database->QueryText("PRAGMA journal_mode = DELETE"));
      if (busy != 0 || after != "delete") {
        return absl::UnavailableError(
            absl::StrCat(database->name(), ": another process has the file open"));
      }
    }
    return SyncDirectory(directory_);
  });
}

void JobFile::Close() {
  connections_.Exclusively([] { return absl::OkStatus(); }).IgnoreError();  // cannot fail
}

absl::Status JobFile::Remove() {
  return connections_.Exclusively([this]() -> absl::Status {
    RETURN_IF_ERROR(RemoveWithSidecars(path_));
    return SyncDirectory(directory_);
  });
}

}  // namespace posteriord::server
