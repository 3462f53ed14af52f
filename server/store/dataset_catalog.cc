#include "server/store/dataset_catalog.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/status_macros.h"
#include "server/store/job_catalog.h"
#include "server/store/row_checksum.h"

namespace posteriord::server {
namespace {

#define ENTRY_COLUMNS "id, request_id, fingerprint, body, crc"

std::int64_t ChecksumOf(const DatasetEntry& entry) {
  return RowChecksum("datasets", entry.id)
      .Add(entry.request.id)
      .Add(entry.request.fingerprint)
      .Add(entry.body)
      .value();
}

// Reads a row of ENTRY_COLUMNS.
absl::StatusOr<DatasetEntry> ReadEntry(const Statement& row) {
  DatasetEntry entry;
  entry.id = row.Bytes(0);
  entry.request.id = row.Bytes(1);
  entry.request.fingerprint = row.Bytes(2);
  entry.body = row.Bytes(3);
  if (row.Int(4) != ChecksumOf(entry)) {
    return absl::DataLossError(
        absl::StrCat("catalog.db: the entry of data set '", entry.id, "' is damaged"));
  }
  return entry;
}

absl::Status NotFound(std::string_view id) {
  return absl::NotFoundError(absl::StrCat("there is no data set '", ToAbsl(id), "'"));
}

}  // namespace

absl::StatusOr<std::optional<DatasetEntry>> DatasetCatalog::FindRequest(const RequestKey& request) {
  if (request.id.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  Statement row = database->Prepare("SELECT " ENTRY_COLUMNS " FROM datasets WHERE request_id = ?");
  ASSIGN_OR_RETURN(const bool found, row.BindText(request.id).Step());
  if (!found) return std::nullopt;
  ASSIGN_OR_RETURN(DatasetEntry entry, ReadEntry(row));
  if (entry.request.fingerprint != request.fingerprint) {
    return absl::AlreadyExistsError(
        absl::StrCat("request_id '", request.id, "' was used before for another data set"));
  }
  return entry;
}

absl::Status DatasetCatalog::Insert(const DatasetEntry& entry) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Write());
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(*database));
  ASSIGN_OR_RETURN(
      const bool taken,
      database
          ->Prepare("SELECT 1 FROM datasets WHERE id = ? OR (request_id <> '' AND request_id = ?) "
                    "UNION ALL SELECT 1 FROM deleted_datasets WHERE id = ?")
          .BindText(entry.id)
          .BindText(entry.request.id)
          .BindText(entry.id)
          .Step());
  if (taken) {
    return absl::AlreadyExistsError(
        absl::StrCat("data set '", entry.id, "' or request_id '", entry.request.id, "' is taken"));
  }
  RETURN_IF_ERROR(
      database->Prepare("INSERT INTO datasets (" ENTRY_COLUMNS ") VALUES (?, ?, ?, ?, ?)")
          .BindText(entry.id)
          .BindText(entry.request.id)
          .BindBlob(entry.request.fingerprint)
          .BindBlob(entry.body)
          .Bind(ChecksumOf(entry))
          .Run());
  return transaction.Commit();
}

absl::StatusOr<DatasetEntry> DatasetCatalog::Get(std::string_view id) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  Statement row = database->Prepare("SELECT " ENTRY_COLUMNS " FROM datasets WHERE id = ?");
  ASSIGN_OR_RETURN(const bool found, row.BindText(id).Step());
  if (!found) return NotFound(id);
  return ReadEntry(row);
}

absl::StatusOr<std::vector<DatasetEntry>> DatasetCatalog::List(std::string_view after_id,
                                                               int limit) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  std::int64_t below = INT64_MAX;
  if (!after_id.empty()) {
    Statement row = database->Prepare(
        "SELECT seq FROM datasets WHERE id = ? "
        "UNION ALL SELECT seq FROM deleted_datasets WHERE id = ?");
    ASSIGN_OR_RETURN(const bool found, row.BindText(after_id).BindText(after_id).Step());
    if (!found) {
      return absl::InvalidArgumentError(
          absl::StrCat("there never was a data set '", ToAbsl(after_id), "'"));
    }
    below = row.Int(0);
  }
  Statement rows = database->Prepare("SELECT " ENTRY_COLUMNS
                                     " FROM datasets WHERE seq < ? ORDER BY seq DESC LIMIT ?");
  rows.Bind(below).Bind(static_cast<std::int64_t>(limit));
  std::vector<DatasetEntry> entries;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return entries;
    ASSIGN_OR_RETURN(DatasetEntry entry, ReadEntry(rows));
    entries.push_back(std::move(entry));
  }
}

absl::StatusOr<std::set<std::string>> DatasetCatalog::Ids() {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  Statement rows = database->Prepare("SELECT " ENTRY_COLUMNS " FROM datasets");
  std::set<std::string> ids;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return ids;
    ASSIGN_OR_RETURN(const DatasetEntry entry, ReadEntry(rows));
    ids.insert(entry.id);
  }
}

absl::StatusOr<bool> DatasetCatalog::WasDeleted(std::string_view id) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Read());
  return database->Prepare("SELECT 1 FROM deleted_datasets WHERE id = ?").BindText(id).Step();
}

absl::Status DatasetCatalog::Delete(std::string_view id) {
  ASSIGN_OR_RETURN(ConnectionPool::Lease database, connections_.Write());
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(*database));
  RETURN_IF_ERROR(
      database
          ->Prepare("INSERT INTO deleted_datasets (id, seq) SELECT id, seq FROM datasets WHERE "
                    "id = ?")
          .BindText(id)
          .Run());
  if (database->changes() == 0) return NotFound(id);
  ASSIGN_OR_RETURN(const bool in_use, DatasetInUse(*database, id));
  if (in_use) {
    return absl::FailedPreconditionError(
        absl::StrCat("a job that has not ended uses data set '", ToAbsl(id), "'"));
  }
  RETURN_IF_ERROR(database->Prepare("DELETE FROM datasets WHERE id = ?").BindText(id).Run());
  return transaction.Commit();
}

}  // namespace posteriord::server
