#include "server/store/job_catalog.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/absl_string.h"
#include "server/base/status_macros.h"
#include "server/store/job_labels.h"
#include "server/store/row_checksum.h"

namespace posteriord::server {
namespace {

// A row of table jobs but for its seq.
struct Entry {
  JobRecord record;
  RequestKey request;
};

#define ENTRY_COLUMNS                                                                            \
  "id, state, create_time_us, start_time_us, end_time_us, dataset_id, request_id, fingerprint, " \
  "labels, outcome, body, crc"

std::int64_t ChecksumOf(const Entry& entry) {
  const JobRecord& record = entry.record;
  return RowChecksum("jobs", record.id)
      .Add(static_cast<std::int64_t>(record.state))
      .Add(record.create_time_us)
      .Add(record.start_time_us)
      .Add(record.end_time_us)
      .Add(record.dataset_id)
      .Add(entry.request.id)
      .Add(entry.request.fingerprint)
      .Add(EncodeLabels(record.labels))
      .Add(record.outcome)
      .Add(record.body)
      .value();
}

// Reads a row of ENTRY_COLUMNS.
absl::StatusOr<Entry> ReadEntry(const Statement& row) {
  Entry entry;
  JobRecord& record = entry.record;
  record.id = row.Bytes(0);
  record.state = static_cast<JobState>(row.Int(1));
  record.create_time_us = row.Int(2);
  record.start_time_us = row.Int(3);
  record.end_time_us = row.Int(4);
  record.dataset_id = row.Bytes(5);
  entry.request.id = row.Bytes(6);
  entry.request.fingerprint = row.Bytes(7);
  record.labels = DecodeLabels(row.Bytes(8));
  record.outcome = row.Bytes(9);
  record.body = row.Bytes(10);
  if (row.Int(11) != ChecksumOf(entry)) {
    return absl::DataLossError(
        absl::StrCat("catalog.db: the entry of job '", record.id, "' is damaged"));
  }
  return entry;
}

// NOT_FOUND without an entry.
absl::StatusOr<Entry> GetEntry(Database& database, std::string_view id) {
  Statement row = database.Prepare("SELECT " ENTRY_COLUMNS " FROM jobs WHERE id = ?");
  ASSIGN_OR_RETURN(const bool found, row.BindText(id).Step());
  if (!found) return absl::NotFoundError(absl::StrCat("there is no job '", ToAbsl(id), "'"));
  return ReadEntry(row);
}

// Sequence number of a job that exists or existed.
absl::StatusOr<std::int64_t> SequenceNumber(Database& database, std::string_view id) {
  Statement row = database.Prepare(
      "SELECT seq FROM jobs WHERE id = ? UNION ALL SELECT seq FROM deleted_jobs WHERE id = ?");
  ASSIGN_OR_RETURN(const bool found, row.BindText(id).BindText(id).Step());
  if (!found) {
    return absl::InvalidArgumentError(absl::StrCat("there never was a job '", ToAbsl(id), "'"));
  }
  return row.Int(0);
}

// Text of a query for the newest jobs below a sequence number. Whatever the filter, an index leads
// to matching jobs in order, newest first. Parameters: see List().
std::string ListSql(const JobStore::ListQuery& query) {
  std::vector<std::string> state_numbers;
  for (const JobState state : query.states) {
    state_numbers.push_back(absl::StrCat(static_cast<int>(state)));
  }
  const std::string states = absl::StrJoin(state_numbers, ", ");
  std::string numbers;
  if (!query.labels.empty()) {
    numbers = "SELECT seq FROM job_labels AS l WHERE key = ?3 AND value = ?4 AND seq < ?1";
    for (std::size_t i = 1; i < query.labels.size(); ++i) {
      absl::StrAppend(&numbers, " AND EXISTS (SELECT 1 FROM job_labels WHERE key = ?", 3 + 2 * i,
                      " AND value = ?", 4 + 2 * i, " AND seq = l.seq)");
    }
    if (!states.empty()) {
      absl::StrAppend(&numbers, " AND (SELECT state FROM jobs WHERE seq = l.seq) IN (", states,
                      ")");
    }
    absl::StrAppend(&numbers, " ORDER BY seq DESC LIMIT ?2");
  } else if (!states.empty()) {
    for (const std::string& state : state_numbers) {
      absl::StrAppend(&numbers, numbers.empty() ? "" : " UNION ALL ",
                      "SELECT * FROM (SELECT seq FROM jobs WHERE state = ", state,
                      " AND seq < ?1 ORDER BY seq DESC LIMIT ?2)");
    }
  } else {
    numbers = "SELECT seq FROM jobs WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
  }
  return absl::StrCat("SELECT " ENTRY_COLUMNS " FROM jobs WHERE seq IN (", numbers,
                      ") ORDER BY seq DESC LIMIT ?2");
}

}  // namespace

absl::StatusOr<std::optional<std::string>> JobCatalog::FindRequest(const RequestKey& request) {
  if (request.id.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  Statement row = database->Prepare("SELECT " ENTRY_COLUMNS " FROM jobs WHERE request_id = ?");
  ASSIGN_OR_RETURN(const bool found, row.BindText(request.id).Step());
  if (!found) return std::nullopt;
  ASSIGN_OR_RETURN(const Entry entry, ReadEntry(row));
  if (entry.request.fingerprint != request.fingerprint) {
    return absl::AlreadyExistsError(
        absl::StrCat("request_id '", request.id, "' was used before for another job"));
  }
  return entry.record.id;
}

absl::Status JobCatalog::Insert(const JobRecord& record, const RequestKey& request,
                                bool need_dataset) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Write());
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(*database));
  ASSIGN_OR_RETURN(
      const bool taken,
      database
          ->Prepare("SELECT 1 FROM jobs WHERE id = ? OR (request_id <> '' AND request_id = ?) "
                    "UNION ALL SELECT 1 FROM deleted_jobs WHERE id = ?")
          .BindText(record.id)
          .BindText(request.id)
          .BindText(record.id)
          .Step());
  if (taken) {
    return absl::AlreadyExistsError(
        absl::StrCat("job '", record.id, "' or request_id '", request.id, "' is taken"));
  }
  if (need_dataset && !record.dataset_id.empty()) {
    ASSIGN_OR_RETURN(const bool exists, database->Prepare("SELECT 1 FROM datasets WHERE id = ?")
                                            .BindText(record.dataset_id)
                                            .Step());
    if (!exists) {
      return absl::NotFoundError(absl::StrCat("there is no data set '", record.dataset_id, "'"));
    }
  }
  const Entry entry{record, request};
  const std::string labels = EncodeLabels(record.labels);
  RETURN_IF_ERROR(database
                      ->Prepare("INSERT INTO jobs (" ENTRY_COLUMNS
                                ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                                "?, ?)")
                      .BindText(record.id)
                      .Bind(static_cast<std::int64_t>(record.state))
                      .Bind(record.create_time_us)
                      .Bind(record.start_time_us)
                      .Bind(record.end_time_us)
                      .BindText(record.dataset_id)
                      .BindText(request.id)
                      .BindBlob(request.fingerprint)
                      .BindBlob(labels)
                      .BindBlob(record.outcome)
                      .BindBlob(record.body)
                      .Bind(ChecksumOf(entry))
                      .Run());
  for (const auto& [key, value] : record.labels) {
    RETURN_IF_ERROR(
        database
            ->Prepare("INSERT INTO job_labels (key, value, seq) SELECT ?, ?, seq FROM jobs WHERE "
                      "id = ?")
            .BindText(key)
            .BindText(value)
            .BindText(record.id)
            .Run());
  }
  return transaction.Commit();
}

absl::StatusOr<JobCatalog::Presence> JobCatalog::Find(std::string_view id) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  Statement row = database->Prepare(
      "SELECT 1 FROM jobs WHERE id = ? UNION ALL SELECT 2 FROM deleted_jobs WHERE id = ?");
  ASSIGN_OR_RETURN(const bool found, row.BindText(id).BindText(id).Step());
  if (!found) return Presence::kNever;
  return row.Int(0) == 1 ? Presence::kPresent : Presence::kDeleted;
}

absl::StatusOr<JobRecord> JobCatalog::Get(std::string_view id) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  ASSIGN_OR_RETURN(Entry entry, GetEntry(*database, id));
  return std::move(entry.record);
}

absl::StatusOr<std::vector<JobRecord>> JobCatalog::List(const JobStore::ListQuery& query) {
  if (query.labels.size() > 32) return absl::InvalidArgumentError("more than 32 labels");
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  std::int64_t below = INT64_MAX;
  if (!query.after_id.empty()) {
    ASSIGN_OR_RETURN(below, SequenceNumber(*database, query.after_id));
  }
  Statement rows = database->PrepareOnce(ListSql(query));
  rows.Bind(below).Bind(static_cast<std::int64_t>(query.limit));
  for (const auto& [key, value] : query.labels) rows.BindText(key).BindText(value);
  std::vector<JobRecord> records;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return records;
    ASSIGN_OR_RETURN(Entry entry, ReadEntry(rows));
    records.push_back(std::move(entry.record));
  }
}

absl::StatusOr<std::map<std::string, JobState>> JobCatalog::States() {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  Statement rows = database->Prepare("SELECT " ENTRY_COLUMNS " FROM jobs");
  std::map<std::string, JobState> states;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return states;
    ASSIGN_OR_RETURN(const Entry entry, ReadEntry(rows));
    states[entry.record.id] = entry.record.state;
  }
}

absl::Status JobCatalog::SetStatus(std::string_view id, const JobStatus& status) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Write());
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(*database));
  ASSIGN_OR_RETURN(Entry entry, GetEntry(*database, id));
  entry.record.state = status.state;
  entry.record.start_time_us = status.start_time_us;
  entry.record.end_time_us = status.end_time_us;
  entry.record.outcome = status.outcome;
  RETURN_IF_ERROR(database
                      ->Prepare("UPDATE jobs SET state = ?, start_time_us = ?, end_time_us = ?, "
                                "outcome = ?, crc = ? WHERE id = ?")
                      .Bind(static_cast<std::int64_t>(status.state))
                      .Bind(status.start_time_us)
                      .Bind(status.end_time_us)
                      .BindBlob(status.outcome)
                      .Bind(ChecksumOf(entry))
                      .BindText(id)
                      .Run());
  return transaction.Commit();
}

absl::Status JobCatalog::Delete(std::string_view id) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Write());
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(*database));
  ASSIGN_OR_RETURN(const Entry entry, GetEntry(*database, id));
  if (!IsFinal(entry.record.state)) {
    return absl::FailedPreconditionError(absl::StrCat("job '", ToAbsl(id), "' has not ended"));
  }
  ASSIGN_OR_RETURN(const std::int64_t seq, SequenceNumber(*database, id));
  RETURN_IF_ERROR(database->Prepare("INSERT INTO deleted_jobs (id, seq) VALUES (?, ?)")
                      .BindText(id)
                      .Bind(seq)
                      .Run());
  RETURN_IF_ERROR(database->Prepare("DELETE FROM job_labels WHERE seq = ?").Bind(seq).Run());
  RETURN_IF_ERROR(database->Prepare("DELETE FROM jobs WHERE seq = ?").Bind(seq).Run());
  return transaction.Commit();
}

absl::StatusOr<bool> JobCatalog::DatasetInUse(std::string_view dataset_id) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  return server::DatasetInUse(*database, dataset_id);
}

absl::StatusOr<bool> DatasetInUse(Database& database, std::string_view dataset_id) {
  Statement rows =
      database.Prepare("SELECT DISTINCT state FROM jobs WHERE dataset_id <> '' AND dataset_id = ?");
  rows.BindText(dataset_id);
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return false;
    if (!IsFinal(static_cast<JobState>(rows.Int(0)))) return true;
  }
}

}  // namespace posteriord::server
