#include "server/store/job_tables.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/status_macros.h"
#include "server/store/byte_codec.h"
#include "server/store/job_labels.h"
#include "server/store/row_checksum.h"

namespace posteriord::server {
namespace {

// Checkpoints are cut into parts so that storing one needs little memory. Unit: bytes.
constexpr std::size_t kCheckpointPart = std::size_t{1} << 20;

constexpr char kSchema[] = R"(
  CREATE TABLE job (
    id             TEXT NOT NULL,
    create_time_us INTEGER NOT NULL,
    dataset_id     TEXT NOT NULL,
    request_id     TEXT NOT NULL,
    fingerprint    BLOB NOT NULL,
    labels         BLOB NOT NULL,
    body           BLOB NOT NULL,
    crc            INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE status (
    state         INTEGER NOT NULL,
    start_time_us INTEGER NOT NULL,
    end_time_us   INTEGER NOT NULL,
    chains        INTEGER NOT NULL,
    diagnostics   INTEGER NOT NULL,
    outcome       BLOB NOT NULL,
    crc           INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE chains (
    chain            INTEGER PRIMARY KEY,
    draws            INTEGER NOT NULL,
    points           INTEGER NOT NULL,
    sweeps           INTEGER NOT NULL,
    busy_seconds     REAL NOT NULL,
    checkpoint       INTEGER NOT NULL,
    checkpoint_parts INTEGER NOT NULL,
    predictive_sweeps BLOB NOT NULL,
    crc              INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE draws (
    chain        INTEGER NOT NULL,
    first_draw   INTEGER NOT NULL,
    warmup_draws INTEGER NOT NULL,
    sweeps       BLOB NOT NULL,
    data         BLOB NOT NULL,
    crc          INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX draws_by_chain ON draws (chain, first_draw);
  CREATE TABLE trace (
    chain       INTEGER NOT NULL,
    point       INTEGER NOT NULL,
    sweep       INTEGER NOT NULL,
    even        INTEGER NOT NULL,
    logarithmic INTEGER NOT NULL,
    data        BLOB NOT NULL,
    crc         INTEGER NOT NULL,
    PRIMARY KEY (chain, point)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE predictive (
    chain INTEGER NOT NULL,
    sweep INTEGER NOT NULL,
    draws INTEGER NOT NULL,
    data  BLOB NOT NULL,
    crc   INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX predictive_by_chain ON predictive (chain, sweep);
  CREATE TABLE checkpoints (
    chain      INTEGER NOT NULL,
    checkpoint INTEGER NOT NULL,
    part       INTEGER NOT NULL,
    data       BLOB NOT NULL,
    crc        INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX checkpoints_by_chain ON checkpoints (chain, part);
  CREATE TABLE diagnostics (
    evaluation INTEGER PRIMARY KEY,
    sweep      INTEGER NOT NULL,
    body       BLOB NOT NULL,
    crc        INTEGER NOT NULL
  ) STRICT;
)";

std::int64_t ChecksumOf(std::string_view job, const JobDescription& description) {
  const JobRecord& record = description.record;
  return RowChecksum("job", job)
      .Add(record.id)
      .Add(record.create_time_us)
      .Add(record.dataset_id)
      .Add(description.request.id)
      .Add(description.request.fingerprint)
      .Add(EncodeLabels(record.labels))
      .Add(record.body)
      .value();
}

std::int64_t ChecksumOf(std::string_view job, const StatusRow& row) {
  return RowChecksum("status", job)
      .Add(static_cast<std::int64_t>(row.status.state))
      .Add(row.status.start_time_us)
      .Add(row.status.end_time_us)
      .Add(row.chains)
      .Add(row.diagnostics)
      .Add(row.status.outcome)
      .value();
}

std::int64_t ChecksumOf(std::string_view job, std::int64_t chain, const ChainRow& row) {
  return RowChecksum("chains", job)
      .Add(chain)
      .Add(row.position.draws)
      .Add(row.position.points)
      .Add(row.position.sweeps)
      .Add(row.position.busy_seconds)
      .Add(row.checkpoint)
      .Add(row.checkpoint_parts)
      .Add(BytesOf(row.predictive_sweeps))
      .value();
}

std::int64_t ChecksumOf(std::string_view job, std::int64_t chain, const DrawRecord& record) {
  return RowChecksum("draws", job)
      .Add(chain)
      .Add(record.first_draw)
      .Add(record.warmup_draws)
      .Add(BytesOf(record.sweeps))
      .Add(record.values)
      .value();
}

std::int64_t ChecksumOf(std::string_view job, std::int64_t chain, const TraceRecord& record) {
  return RowChecksum("trace", job)
      .Add(chain)
      .Add(record.index)
      .Add(record.sweep)
      .Add(std::int64_t{record.even})
      .Add(std::int64_t{record.logarithmic})
      .Add(BytesOf(record.values))
      .value();
}

std::int64_t ChecksumOf(std::string_view job, std::int64_t chain, const PredictiveRecord& record) {
  return RowChecksum("predictive", job)
      .Add(chain)
      .Add(record.sweep)
      .Add(record.draws)
      .Add(BytesOf(record.values))
      .value();
}

std::int64_t CheckpointChecksum(std::string_view job, std::int64_t chain, std::int64_t checkpoint,
                                std::int64_t part, std::string_view data) {
  return RowChecksum("checkpoints", job).Add(chain).Add(checkpoint).Add(part).Add(data).value();
}

std::int64_t ChecksumOf(std::string_view job, const DiagnosticsRecord& record) {
  return RowChecksum("diagnostics", job)
      .Add(record.index)
      .Add(record.sweep)
      .Add(record.body)
      .value();
}

#define CHAIN_COLUMNS                                                                             \
  "chain, draws, points, sweeps, busy_seconds, checkpoint, checkpoint_parts, predictive_sweeps, " \
  "crc"

// Reads a row of CHAIN_COLUMNS; false when its checksum does not match or it is another chain's.
bool ParseChain(std::string_view job, std::int64_t chain, const Statement& row, ChainRow& result) {
  result.position.draws = row.Int(1);
  result.position.points = row.Int(2);
  result.position.sweeps = row.Int(3);
  result.position.busy_seconds = row.Real(4);
  result.checkpoint = row.Int(5);
  result.checkpoint_parts = row.Int(6);
  result.predictive_sweeps = NumbersOf<std::int64_t>(row.Bytes(7));
  return row.Int(0) == chain && row.Int(8) == ChecksumOf(job, chain, result);
}

}  // namespace

absl::Status JobTables::Damaged(std::string_view what) const {
  return absl::DataLossError(
      absl::StrCat(database_.name(), ": ", ToAbsl(what), " is damaged or missing"));
}

absl::Status JobTables::Create(const JobDescription& description, int chains) {
  const JobRecord& record = description.record;
  RETURN_IF_ERROR(database_.Execute(kSchema));
  const std::string labels = EncodeLabels(record.labels);
  RETURN_IF_ERROR(database_.Prepare("INSERT INTO job VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
                      .BindText(record.id)
                      .Bind(record.create_time_us)
                      .BindText(record.dataset_id)
                      .BindText(description.request.id)
                      .BindBlob(description.request.fingerprint)
                      .BindBlob(labels)
                      .BindBlob(record.body)
                      .Bind(ChecksumOf(job_, description))
                      .Run());
  StatusRow status;
  status.status = {record.state, record.start_time_us, record.end_time_us, record.outcome};
  status.chains = chains;
  RETURN_IF_ERROR(database_.Execute("INSERT INTO status VALUES (0, 0, 0, 0, 0, x'', 0)"));
  RETURN_IF_ERROR(WriteStatus(status));
  for (int chain = 0; chain < chains; ++chain) RETURN_IF_ERROR(WriteChain(chain, ChainRow()));
  return absl::OkStatus();
}

absl::StatusOr<JobDescription> JobTables::ReadDescription() {
  JobDescription description;
  JobRecord& record = description.record;
  Statement row = database_.Prepare(
      "SELECT id, create_time_us, dataset_id, request_id, fingerprint, labels, body, crc FROM job");
  ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return Damaged("the job's description");
  record.id = row.Bytes(0);
  record.create_time_us = row.Int(1);
  record.dataset_id = row.Bytes(2);
  description.request.id = row.Bytes(3);
  description.request.fingerprint = row.Bytes(4);
  record.labels = DecodeLabels(row.Bytes(5));
  record.body = row.Bytes(6);
  if (row.Int(7) != ChecksumOf(job_, description)) return Damaged("the job's description");
  ASSIGN_OR_RETURN(StatusRow status, ReadStatus());
  record.state = status.status.state;
  record.start_time_us = status.status.start_time_us;
  record.end_time_us = status.status.end_time_us;
  record.outcome = std::move(status.status.outcome);
  return description;
}

absl::StatusOr<StatusRow> JobTables::ReadStatus() {
  Statement row = database_.Prepare(
      "SELECT state, start_time_us, end_time_us, chains, diagnostics, outcome, crc FROM status");
  ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return Damaged("the job's status");
  StatusRow result;
  result.status.state = static_cast<JobState>(row.Int(0));
  result.status.start_time_us = row.Int(1);
  result.status.end_time_us = row.Int(2);
  result.chains = row.Int(3);
  result.diagnostics = row.Int(4);
  result.status.outcome = row.Bytes(5);
  if (row.Int(6) != ChecksumOf(job_, result)) return Damaged("the job's status");
  return result;
}

absl::Status JobTables::WriteStatus(const StatusRow& row) {
  return database_
      .Prepare(
          "UPDATE status SET state = ?, start_time_us = ?, end_time_us = ?, chains = ?, "
          "diagnostics = ?, outcome = ?, crc = ?")
      .Bind(static_cast<std::int64_t>(row.status.state))
      .Bind(row.status.start_time_us)
      .Bind(row.status.end_time_us)
      .Bind(row.chains)
      .Bind(row.diagnostics)
      .BindBlob(row.status.outcome)
      .Bind(ChecksumOf(job_, row))
      .Run();
}

absl::StatusOr<ChainRow> JobTables::ReadChain(int chain) {
  Statement row = database_.Prepare("SELECT " CHAIN_COLUMNS " FROM chains WHERE chain = ?");
  ASSIGN_OR_RETURN(const bool found, row.Bind(std::int64_t{chain}).Step());
  if (!found) {
    ASSIGN_OR_RETURN(const StatusRow status, ReadStatus());
    if (chain >= 0 && chain < status.chains) return Damaged(absl::StrCat("chain ", chain));
    return absl::InvalidArgumentError(absl::StrCat("job '", ToAbsl(job_), "' has ", status.chains,
                                                   " chains, none of index ", chain));
  }
  ChainRow result;
  if (!ParseChain(job_, chain, row, result)) return Damaged(absl::StrCat("chain ", chain));
  return result;
}

absl::StatusOr<std::vector<ChainRow>> JobTables::ReadChains() {
  ASSIGN_OR_RETURN(const StatusRow status, ReadStatus());
  Statement rows = database_.Prepare("SELECT " CHAIN_COLUMNS " FROM chains ORDER BY chain");
  std::vector<ChainRow> chains(static_cast<std::size_t>(status.chains));
  for (std::size_t chain = 0; chain < chains.size(); ++chain) {
    ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found || !ParseChain(job_, static_cast<std::int64_t>(chain), rows, chains[chain])) {
      return Damaged(absl::StrCat("chain ", chain));
    }
  }
  return chains;
}

absl::Status JobTables::WriteChain(int chain, const ChainRow& row) {
  return database_
      .Prepare("REPLACE INTO chains (" CHAIN_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .Bind(std::int64_t{chain})
      .Bind(row.position.draws)
      .Bind(row.position.points)
      .Bind(row.position.sweeps)
      .Bind(row.position.busy_seconds)
      .Bind(row.checkpoint)
      .Bind(row.checkpoint_parts)
      .BindBlob(BytesOf(row.predictive_sweeps))
      .Bind(ChecksumOf(job_, chain, row))
      .Run();
}

absl::Status JobTables::InsertDraws(int chain, const DrawRecord& record) {
  return database_.Prepare("INSERT INTO draws VALUES (?, ?, ?, ?, ?, ?)")
      .Bind(std::int64_t{chain})
      .Bind(record.first_draw)
      .Bind(record.warmup_draws)
      .BindBlob(BytesOf(record.sweeps))
      .BindBlob(record.values)
      .Bind(ChecksumOf(job_, chain, record))
      .Run();
}

absl::StatusOr<DrawRecord> JobTables::ReadDraws(int chain, std::int64_t draw) {
  const auto damaged = [&] {
    return Damaged(absl::StrCat("the record of draw ", draw, " of chain ", chain));
  };
  Statement row = database_.Prepare(
      "SELECT chain, first_draw, warmup_draws, sweeps, data, crc FROM draws "
      "WHERE chain = ? AND first_draw <= ? ORDER BY first_draw DESC LIMIT 1");
  ASSIGN_OR_RETURN(const bool found, row.Bind(std::int64_t{chain}).Bind(draw).Step());
  if (!found) return damaged();
  DrawRecord record;
  record.first_draw = row.Int(1);
  record.warmup_draws = row.Int(2);
  record.sweeps = NumbersOf<std::int64_t>(row.Bytes(3));
  record.values = row.Bytes(4);
  if (row.Int(0) != chain || row.Int(5) != ChecksumOf(job_, chain, record)) return damaged();
  const std::int64_t end = record.first_draw + static_cast<std::int64_t>(record.sweeps.size());
  if (draw < record.first_draw || draw >= end) return damaged();
  return record;
}

absl::Status JobTables::InsertPoint(int chain, const TraceRecord& record) {
  return database_.Prepare("INSERT INTO trace VALUES (?, ?, ?, ?, ?, ?, ?)")
      .Bind(std::int64_t{chain})
      .Bind(record.index)
      .Bind(record.sweep)
      .Bind(std::int64_t{record.even})
      .Bind(std::int64_t{record.logarithmic})
      .BindBlob(BytesOf(record.values))
      .Bind(ChecksumOf(job_, chain, record))
      .Run();
}

absl::StatusOr<std::vector<TraceRecord>> JobTables::ReadPoints(int chain, std::int64_t index,
                                                               std::int64_t count) {
  Statement rows = database_.Prepare(
      "SELECT chain, point, sweep, even, logarithmic, data, crc FROM trace "
      "WHERE chain = ? AND point >= ? ORDER BY point LIMIT ?");
  rows.Bind(std::int64_t{chain}).Bind(index).Bind(count);
  std::vector<TraceRecord> records;
  for (std::int64_t expected = index; expected < index + count; ++expected) {
    ASSIGN_OR_RETURN(const bool found, rows.Step());
    TraceRecord record;
    if (found) {
      record.index = rows.Int(1);
      record.sweep = rows.Int(2);
      record.even = rows.Int(3) != 0;
      record.logarithmic = rows.Int(4) != 0;
      record.values = NumbersOf<double>(rows.Bytes(5));
    }
    if (!found || rows.Int(0) != chain || record.index != expected ||
        rows.Int(6) != ChecksumOf(job_, chain, record)) {
      return Damaged(absl::StrCat("trace point ", expected, " of chain ", chain));
    }
    records.push_back(std::move(record));
  }
  return records;
}

absl::Status JobTables::PutPredictive(int chain, const PredictiveRecord& record, ChainRow& row) {
  RETURN_IF_ERROR(database_.Prepare("REPLACE INTO predictive VALUES (?, ?, ?, ?, ?)")
                      .Bind(std::int64_t{chain})
                      .Bind(record.sweep)
                      .Bind(record.draws)
                      .BindBlob(BytesOf(record.values))
                      .Bind(ChecksumOf(job_, chain, record))
                      .Run());
  std::vector<std::int64_t>& sweeps = row.predictive_sweeps;
  if (std::find(sweeps.begin(), sweeps.end(), record.sweep) == sweeps.end()) {
    sweeps.push_back(record.sweep);
  }
  return absl::OkStatus();
}

absl::StatusOr<PredictiveRecord> JobTables::ReadPredictive(int chain, std::int64_t sweep) {
  Statement row = database_.Prepare(
      "SELECT chain, sweep, draws, data, crc FROM predictive WHERE chain = ? AND sweep = ?");
  ASSIGN_OR_RETURN(const bool found, row.Bind(std::int64_t{chain}).Bind(sweep).Step());
  PredictiveRecord record;
  if (found) {
    record.sweep = row.Int(1);
    record.draws = row.Int(2);
    record.values = NumbersOf<double>(row.Bytes(3));
  }
  if (!found || row.Int(0) != chain || record.sweep != sweep ||
      row.Int(4) != ChecksumOf(job_, chain, record)) {
    return Damaged(absl::StrCat("the predictive sum at sweep ", sweep, " of chain ", chain));
  }
  return record;
}

absl::Status JobTables::DropPredictiveBefore(int chain, std::int64_t sweep, ChainRow& row) {
  RETURN_IF_ERROR(database_.Prepare("DELETE FROM predictive WHERE chain = ? AND sweep < ?")
                      .Bind(std::int64_t{chain})
                      .Bind(sweep)
                      .Run());
  std::erase_if(row.predictive_sweeps, [sweep](std::int64_t other) { return other < sweep; });
  return absl::OkStatus();
}

absl::Status JobTables::ReplaceCheckpoint(int chain, std::string_view checkpoint, ChainRow& row) {
  RETURN_IF_ERROR(
      database_.Prepare("DELETE FROM checkpoints WHERE chain = ?").Bind(std::int64_t{chain}).Run());
  ++row.checkpoint;
  row.checkpoint_parts = 0;
  for (; !checkpoint.empty(); ++row.checkpoint_parts) {
    const std::string_view part =
        checkpoint.substr(0, std::min(kCheckpointPart, checkpoint.size()));
    checkpoint.remove_prefix(part.size());
    RETURN_IF_ERROR(
        database_.Prepare("INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?)")
            .Bind(std::int64_t{chain})
            .Bind(row.checkpoint)
            .Bind(row.checkpoint_parts)
            .BindBlob(part)
            .Bind(CheckpointChecksum(job_, chain, row.checkpoint, row.checkpoint_parts, part))
            .Run());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> JobTables::ReadCheckpoint(int chain, const ChainRow& row) {
  Statement rows = database_.Prepare(
      "SELECT checkpoint, part, data, crc FROM checkpoints WHERE chain = ? ORDER BY part");
  rows.Bind(std::int64_t{chain});
  std::string checkpoint;
  for (std::int64_t part = 0; part < row.checkpoint_parts; ++part) {
    ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found || rows.Int(0) != row.checkpoint || rows.Int(1) != part ||
        rows.Int(3) != CheckpointChecksum(job_, chain, row.checkpoint, part, rows.Bytes(2))) {
      return Damaged(absl::StrCat("the checkpoint of chain ", chain));
    }
    checkpoint.append(rows.Bytes(2));
  }
  return checkpoint;
}

absl::Status JobTables::InsertDiagnostics(const DiagnosticsRecord& record) {
  return database_.Prepare("INSERT INTO diagnostics VALUES (?, ?, ?, ?)")
      .Bind(record.index)
      .Bind(record.sweep)
      .BindBlob(record.body)
      .Bind(ChecksumOf(job_, record))
      .Run();
}

absl::StatusOr<std::vector<DiagnosticsRecord>> JobTables::ReadDiagnostics(std::int64_t index,
                                                                          std::int64_t count) {
  Statement rows = database_.Prepare(
      "SELECT evaluation, sweep, body, crc FROM diagnostics WHERE evaluation >= ? "
      "ORDER BY evaluation LIMIT ?");
  rows.Bind(index).Bind(count);
  std::vector<DiagnosticsRecord> records;
  for (std::int64_t expected = index; expected < index + count; ++expected) {
    ASSIGN_OR_RETURN(const bool found, rows.Step());
    DiagnosticsRecord record;
    if (found) {
      record.index = rows.Int(0);
      record.sweep = rows.Int(1);
      record.body = rows.Bytes(2);
    }
    if (!found || record.index != expected || rows.Int(3) != ChecksumOf(job_, record)) {
      return Damaged(absl::StrCat("evaluation ", expected, " of the diagnostics"));
    }
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace posteriord::server
