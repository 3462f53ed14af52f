// Where the chains of a job wait for each other.
#ifndef POSTERIORD_SERVER_JOBS_SWEEP_BARRIER_H_
#define POSTERIORD_SERVER_JOBS_SWEEP_BARRIER_H_

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/mutex.h"

namespace posteriord::server {

// A sweep count that no chain passes until someone moves it on. A chain that has reached it gives
// its thread back and is told of when it may go on. Thread-safe.
class SweepBarrier {
 public:
  explicit SweepBarrier(std::int64_t sweep) : sweep_(sweep) {}

  // Cheap enough to be asked after every sweep. May lag behind MoveTo(), never be ahead of it.
  std::int64_t sweep() const { return sweep_.load(std::memory_order_relaxed); }

  // A chain stands at `sweep`. False: it waits from now on, and the MoveTo() that lets it go on
  // will name it. Another thread may take it up at once, so its thread must not touch it any more.
  bool MayGoOn(int chain, std::int64_t sweep) {
    MutexLock lock(mutex_);
    if (sweep < sweep_.load(std::memory_order_relaxed)) return true;
    waiting_.push_back(chain);
    return false;
  }

  // Returns the chains that waited and may go on now. REQUIRES: sweep >= the present one; when it
  // is the same, nobody is returned.
  std::vector<int> MoveTo(std::int64_t sweep) {
    MutexLock lock(mutex_);
    if (sweep == sweep_.load(std::memory_order_relaxed)) return {};
    sweep_.store(sweep, std::memory_order_relaxed);
    return std::exchange(waiting_, {});
  }

 private:
  Mutex mutex_;
  std::atomic<std::int64_t> sweep_;  // written under mutex_
  std::vector<int> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_SWEEP_BARRIER_H_
