// SQLite's C interface with owned handles and statuses instead of result codes.
//
//   ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(database));
//   RETURN_IF_ERROR(database.Prepare("UPDATE job SET state = ?").Bind(state).Run());
//   RETURN_IF_ERROR(transaction.Commit());
//
// Errors: DATA_LOSS (damaged file), RESOURCE_EXHAUSTED (disk full, out of memory), UNAVAILABLE
// (input/output error, locked by another process); every message begins with the file's name.
#ifndef POSTERIORD_SERVER_STORE_SQLITE_H_
#define POSTERIORD_SERVER_STORE_SQLITE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace posteriord::server {

class Database;

// A prepared statement, reset when destroyed. Must not outlive its database.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Set the parameters from left to right. The bytes must stay until the statement has run.
  Statement& Bind(std::int64_t value);
  Statement& Bind(double value);
  Statement& BindText(std::string_view value);
  Statement& BindBlob(std::string_view value);

  // Goes to the next row of the result; false at the end. Errors of preparing and binding surface
  // here and in Run().
  absl::StatusOr<bool> Step();
  // Runs to the end. REQUIRES: the statement has no result.
  absl::Status Run();

  // Columns of the row, from 0. Bytes are valid until the next step.
  std::int64_t Int(int column) const;
  double Real(int column) const;
  std::string_view Bytes(int column) const;

 private:
  friend class Database;

  Statement(Database& database, sqlite3_stmt* statement, bool cached, int code);

  Database* database_;
  sqlite3_stmt* statement_;
  bool cached_;  // owned by the database
  int code_;     // result code of the first thing that failed
  int bound_ = 0;
};

// A connection to one file. Not thread-safe.
class Database {
 public:
  enum class Mode { kRead, kWrite, kCreate };

  // kCreate makes the file when missing; else a missing one is DATA_LOSS: files are opened because
  // they should exist.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path, Mode mode);

  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // A statement that is prepared once per connection. REQUIRES: one at a time per text.
  Statement Prepare(const char* sql);
  // A statement whose text is made up for one use.
  Statement PrepareOnce(const std::string& sql);

  // Runs statements without results.
  absl::Status Execute(const char* sql);
  // The number in the first column of the first row.
  absl::StatusOr<std::int64_t> QueryInt(const char* sql);
  absl::StatusOr<std::string> QueryText(const char* sql);

  // Rows changed by the statement before.
  std::int64_t changes() const;
  // Whether a transaction is open that was neither committed nor rolled back.
  bool in_transaction() const;
  // Name of the file, for messages.
  const std::string& name() const { return name_; }

 private:
  friend class Statement;

  explicit Database(const std::string& path);

  absl::Status Error(int code) const;

  const std::string name_;
  sqlite3* handle_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> cache_;  // by address of the literal
};

// Rolled back on destruction unless committed.
class Transaction {
 public:
  // Reads see one state of the file.
  static absl::StatusOr<Transaction> BeginRead(Database& database);
  static absl::StatusOr<Transaction> BeginWrite(Database& database);

  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  // On failure nothing was changed.
  absl::Status Commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}

  static absl::StatusOr<Transaction> Begin(Database& database, const char* sql);

  Database* database_;  // null once finished
};

// Version of the tables in a file. A file without any (0) is new when it is allowed to be, else it
// is not one of ours.
absl::Status CheckSchemaVersion(const Database& database, std::int64_t found, std::int64_t known);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_SQLITE_H_
