#include "server/store/sqlite.h"

#include <sqlite3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/status_macros.h"
#include "server/store/file.h"

namespace posteriord::server {
namespace {

absl::StatusCode CodeOf(int extended_code) {
  if (extended_code == SQLITE_IOERR_CORRUPTFS) return absl::StatusCode::kDataLoss;
  switch (extended_code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_ERROR:
      // The statements are ours and tested: the file lacks what we have put there.
      return absl::StatusCode::kDataLoss;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

Statement::Statement(Database& database, sqlite3_stmt* statement, bool cached, int code)
    : database_(&database), statement_(statement), cached_(cached), code_(code) {}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      cached_(other.cached_),
      code_(other.code_),
      bound_(other.bound_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  if (cached_) {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  } else {
    sqlite3_finalize(statement_);
  }
}

Statement& Statement::Bind(std::int64_t value) {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Statement& Statement::Bind(double value) {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_double(statement_, ++bound_, value);
  return *this;
}

Statement& Statement::BindText(std::string_view value) {
  if (code_ == SQLITE_OK) {
    const char* text = value.data() == nullptr ? "" : value.data();  // null would bind NULL
    code_ =
        sqlite3_bind_text64(statement_, ++bound_, text, value.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  return *this;
}

Statement& Statement::BindBlob(std::string_view value) {
  if (code_ == SQLITE_OK) {
    const char* bytes = value.data() == nullptr ? "" : value.data();
    code_ = sqlite3_bind_blob64(statement_, ++bound_, bytes, value.size(), SQLITE_STATIC);
  }
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (code_ != SQLITE_OK) return database_->Error(code_);
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  code_ = code;
  return database_->Error(code);
}

absl::Status Statement::Run() {
  ASSIGN_OR_RETURN(const bool row, Step());
  if (row) return absl::InternalError(absl::StrCat(database_->name(), ": unexpected result"));
  return absl::OkStatus();
}

std::int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

double Statement::Real(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Statement::Bytes(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Database::Database(const std::string& path) : name_(BaseName(path)) {}

Database::~Database() {
  for (const auto& [sql, statement] : cache_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path, Mode mode) {
  // Reading connections open for writing too: in WAL mode they keep an index beside the file.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (mode == Mode::kCreate ? SQLITE_OPEN_CREATE : 0);
  std::unique_ptr<Database> database(new Database(path));
  const int code = sqlite3_open_v2(path.c_str(), &database->handle_, flags, nullptr);
  if (code != SQLITE_OK) {
    if (mode != Mode::kCreate && !FileExists(path)) {
      return absl::DataLossError(absl::StrCat(database->name_, ": the file is missing"));
    }
    return database->Error(code);
  }
  sqlite3_busy_timeout(database->handle_, 10'000);  // a user may look into the file
  sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  RETURN_IF_ERROR(
      database->Execute("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                        "PRAGMA foreign_keys = OFF; PRAGMA secure_delete = OFF;"));
  if (mode == Mode::kRead) RETURN_IF_ERROR(database->Execute("PRAGMA query_only = ON"));
  return database;
}

Statement Database::Prepare(const char* sql) {
  sqlite3_stmt*& statement = cache_[sql];
  int code = SQLITE_OK;
  if (statement == nullptr) {
    code = sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  }
  return Statement(*this, statement, /*cached=*/true, code);
}

Statement Database::PrepareOnce(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr);
  return Statement(*this, statement, /*cached=*/false, code);
}

absl::Status Database::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Error(code);
}

absl::StatusOr<std::int64_t> Database::QueryInt(const char* sql) {
  Statement statement = PrepareOnce(sql);
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

absl::StatusOr<std::string> Database::QueryText(const char* sql) {
  Statement statement = PrepareOnce(sql);
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? std::string(statement.Bytes(0)) : std::string();
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

absl::Status Database::Error(int code) const {
  const char* message = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
  return absl::Status(CodeOf(code),
                      absl::StrCat(name_, ": ", message, " (SQLite error ", code, ")"));
}

absl::StatusOr<Transaction> Transaction::BeginRead(Database& database) {
  return Begin(database, "BEGIN");
}

absl::StatusOr<Transaction> Transaction::BeginWrite(Database& database) {
  return Begin(database, "BEGIN IMMEDIATE");
}

absl::StatusOr<Transaction> Transaction::Begin(Database& database, const char* sql) {
  RETURN_IF_ERROR(database.Prepare(sql).Run());
  return Transaction(&database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // A failure leaves the transaction open; the connection is then not used again (ConnectionPool).
  // Some errors have rolled it back already.
  if (database_ != nullptr && database_->in_transaction()) {
    database_->Prepare("ROLLBACK").Run().IgnoreError();
  }
}

absl::Status Transaction::Commit() {
  RETURN_IF_ERROR(database_->Prepare("COMMIT").Run());
  database_ = nullptr;
  return absl::OkStatus();
}

absl::Status CheckSchemaVersion(const Database& database, std::int64_t found, std::int64_t known) {
  if (found == known) return absl::OkStatus();
  if (found > known) {
    return absl::FailedPreconditionError(
        absl::StrCat(database.name(), ": written by a newer version of the server (schema ", found,
                     ", this one knows ", known, ")"));
  }
  return absl::DataLossError(absl::StrCat(database.name(), ": not a file of this server"));
}

}  // namespace posteriord::server
