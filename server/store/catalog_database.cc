#include "server/store/catalog_database.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/store/file.h"

namespace posteriord::server {
namespace {

constexpr std::int64_t kSchemaVersion = 1;

// `seq` counts what was ever created, so it orders lists and page tokens; an id that was deleted
// keeps its place in deleted_*, which also says that files left under it are to be removed.
// `crc` is a RowChecksum; labels of a job are repeated in job_labels for searching.
constexpr char kSchema[] = R"(
  CREATE TABLE jobs (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT NOT NULL UNIQUE,
    state          INTEGER NOT NULL,
    create_time_us INTEGER NOT NULL,
    start_time_us  INTEGER NOT NULL,
    end_time_us    INTEGER NOT NULL,
    dataset_id     TEXT NOT NULL,
    request_id     TEXT NOT NULL,
    fingerprint    BLOB NOT NULL,
    labels         BLOB NOT NULL,
    outcome        BLOB NOT NULL,
    body           BLOB NOT NULL,
    crc            INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX jobs_by_state ON jobs (state, seq);
  CREATE INDEX jobs_by_dataset ON jobs (dataset_id, state) WHERE dataset_id <> '';
  CREATE UNIQUE INDEX jobs_by_request ON jobs (request_id) WHERE request_id <> '';
  CREATE TABLE job_labels (
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    seq   INTEGER NOT NULL,
    PRIMARY KEY (key, value, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX job_labels_by_seq ON job_labels (seq);
  CREATE TABLE deleted_jobs (id TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE datasets (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    request_id  TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    body        BLOB NOT NULL,
    crc         INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX datasets_by_request ON datasets (request_id) WHERE request_id <> '';
  CREATE TABLE deleted_datasets (id TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)";

absl::StatusOr<std::unique_ptr<Database>> OpenConnection(const std::string& path,
                                                         Database::Mode mode) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open(path, mode));
  ASSIGN_OR_RETURN(const std::int64_t version, database->QueryInt("PRAGMA user_version"));
  RETURN_IF_ERROR(CheckSchemaVersion(*database, version, kSchemaVersion));
  return database;
}

// Makes the tables when the file is new, and looks over it when it is not.
absl::Status Prepare(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                   Database::Open(path, Database::Mode::kCreate));
  ASSIGN_OR_RETURN(const std::string mode, database->QueryText("PRAGMA journal_mode = WAL"));
  if (mode != "wal") {
    return absl::UnavailableError(
        absl::StrCat(database->name(), ": the file system does not support SQLite's WAL mode"));
  }
  ASSIGN_OR_RETURN(const std::int64_t tables, database->QueryInt("SELECT count(*) FROM "
                                                                 "sqlite_schema"));
  if (tables == 0) {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(*database));
    RETURN_IF_ERROR(database->Execute(kSchema));
    RETURN_IF_ERROR(
        database->Execute(absl::StrCat("PRAGMA user_version = ", kSchemaVersion).c_str()));
    return transaction.Commit();
  }
  ASSIGN_OR_RETURN(const std::int64_t version, database->QueryInt("PRAGMA user_version"));
  RETURN_IF_ERROR(CheckSchemaVersion(*database, version, kSchemaVersion));
  ASSIGN_OR_RETURN(const std::string check, database->QueryText("PRAGMA quick_check(1)"));
  if (check != "ok") return absl::DataLossError(absl::StrCat(database->name(), ": ", check));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<CatalogDatabase>> CatalogDatabase::Open(
    const std::string& data_dir) {
  ASSIGN_OR_RETURN(std::unique_ptr<DataDirectory> directory, DataDirectory::Open(data_dir));
  const std::string path = absl::StrCat(directory->path(), "/catalog.db");
  if (const absl::Status prepared = Prepare(path); absl::IsDataLoss(prepared)) {
    return absl::DataLossError(absl::StrCat(
        prepared.message(), "; '", path,
        "' is damaged. Move it away and it is made anew from the files of jobs and data sets."));
  } else if (!prepared.ok()) {
    return prepared;
  }
  RETURN_IF_ERROR(SyncDirectory(directory->path()));
  return std::shared_ptr<CatalogDatabase>(new CatalogDatabase(std::move(directory)));
}

CatalogDatabase::CatalogDatabase(std::unique_ptr<DataDirectory> directory)
    : directory_(std::move(directory)),
      connections_([path = absl::StrCat(directory_->path(), "/catalog.db")](Database::Mode mode) {
        return OpenConnection(path, mode);
      }) {}

}  // namespace posteriord::server
