#include "server/store/connection_pool.h"

namespace posteriord::server {
namespace {

int KindOf(Database::Mode mode) { return mode == Database::Mode::kRead ? 0 : 1; }

constexpr int kMaxLent[] = {ConnectionPool::kMaxReaders, 1};

}  // namespace

absl::StatusOr<ConnectionPool::Lease> ConnectionPool::Borrow(Database::Mode mode) {
  const int kind = KindOf(mode);
  {
    MutexLock lock(mutex_);
    while (exclusive_ || lent_[kind] == kMaxLent[kind]) changed_.Wait(mutex_);
    ++lent_[kind];
    if (!idle_[kind].empty()) {
      std::unique_ptr<Database> database = std::move(idle_[kind].back());
      idle_[kind].pop_back();
      return Lease(this, std::move(database), mode);
    }
  }
  absl::StatusOr<std::unique_ptr<Database>> database = opener_(mode);
  if (!database.ok()) {
    Return(nullptr, mode);
    return database.status();
  }
  return Lease(this, *std::move(database), mode);
}

void ConnectionPool::Return(std::unique_ptr<Database> database, Database::Mode mode) {
  // Left in a transaction by a rollback that failed: not usable again.
  if (database != nullptr && database->in_transaction()) database.reset();
  MutexLock lock(mutex_);
  --lent_[KindOf(mode)];
  if (database != nullptr) idle_[KindOf(mode)].push_back(std::move(database));
  changed_.NotifyAll();
}

absl::Status ConnectionPool::Exclusively(absl::FunctionRef<absl::Status()> work) {
  {
    MutexLock lock(mutex_);
    while (exclusive_) changed_.Wait(mutex_);
    exclusive_ = true;
    while (lent_[0] + lent_[1] > 0) changed_.Wait(mutex_);
    for (auto& connections : idle_) connections.clear();
  }
  const absl::Status status = work();
  MutexLock lock(mutex_);
  exclusive_ = false;
  changed_.NotifyAll();
  return status;
}

}  // namespace posteriord::server
