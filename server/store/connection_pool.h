// Connections to one SQLite file: one that writes, several that read.
#ifndef POSTERIORD_SERVER_STORE_CONNECTION_POOL_H_
#define POSTERIORD_SERVER_STORE_CONNECTION_POOL_H_

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "server/store/sqlite.h"

namespace posteriord::server {

// Lends connections, opening them as needed. In WAL mode reads do not wait for writes. Thread-safe;
// a thread must not hold two leases of one pool.
class ConnectionPool {
 public:
  // Opens and checks a connection; kRead or kWrite.
  using Opener = std::function<absl::StatusOr<std::unique_ptr<Database>>(Database::Mode)>;

  static constexpr int kMaxReaders = 4;

  explicit ConnectionPool(Opener opener) : opener_(std::move(opener)) {}
  // REQUIRES: all leases are back.
  ~ConnectionPool() = default;

  // Exclusive use of a connection, ended by destruction.
  class Lease {
   public:
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (database_ != nullptr) pool_->Return(std::move(database_), mode_);
    }
    Database& operator*() const { return *database_; }
    Database* operator->() const { return database_.get(); }

   private:
    friend class ConnectionPool;
    Lease(ConnectionPool* pool, std::unique_ptr<Database> database, Database::Mode mode)
        : pool_(pool), database_(std::move(database)), mode_(mode) {}

    ConnectionPool* pool_;
    std::unique_ptr<Database> database_;
    Database::Mode mode_;
  };

  // Wait until a connection is free.
  absl::StatusOr<Lease> Read() { return Borrow(Database::Mode::kRead); }
  absl::StatusOr<Lease> Write() { return Borrow(Database::Mode::kWrite); }

  // Waits until all leases are back and holds new ones up, closes every connection and calls
  // `work`.
  absl::Status Exclusively(absl::FunctionRef<absl::Status()> work);

 private:
  absl::StatusOr<Lease> Borrow(Database::Mode mode);
  // Takes `database`, null when it could not be opened, back from a borrower.
  void Return(std::unique_ptr<Database> database, Database::Mode mode);

  const Opener opener_;

  Mutex mutex_;
  CondVar changed_;
  bool exclusive_ ABSL_GUARDED_BY(mutex_) = false;
  int lent_[2] ABSL_GUARDED_BY(mutex_) = {0, 0};  // readers, writers
  std::vector<std::unique_ptr<Database>> idle_[2] ABSL_GUARDED_BY(mutex_);
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_CONNECTION_POOL_H_
