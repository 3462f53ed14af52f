// The threads that sample.
#ifndef POSTERIORD_SERVER_SCHEDULER_SCHEDULER_H_
#define POSTERIORD_SERVER_SCHEDULER_SCHEDULER_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/mutex.h"
#include "server/scheduler/fair_queue.h"
#include "server/scheduler/task.h"

namespace posteriord::server {

// Runs the tasks of jobs on a fixed number of threads, slice by slice, shared fairly between the
// jobs (see FairQueue). Thread-safe.
class Scheduler {
 public:
  struct Options {
    int threads = 1;
    std::chrono::steady_clock::duration slice = std::chrono::milliseconds(200);
    std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
  };

  explicit Scheduler(Options options);

  // Drains without patience.
  ~Scheduler();

  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Runs a task of the job until it is done. Dropped when the job is being stopped.
  void Add(std::string_view job, std::shared_ptr<Task> task);

  // Drops the job's waiting tasks, interrupts the running ones and calls `when_idle` once none
  // runs any more: in this call when none does now, else from the thread that leaves last. A task
  // may stop its own job. Once idle, the job may be given tasks again.
  void Stop(std::string_view job, std::function<void()> when_idle);

  // Ends all work for good: begins no more slices, asks the running tasks to yield, interrupts
  // those that have not done so after `patience`, and returns when no task runs. Waiting tasks are
  // dropped when the scheduler is destroyed. Must not be called by a task.
  void Drain(std::chrono::steady_clock::duration patience);

 private:
  // One thread and what it runs.
  struct Worker final : SliceControl {
    bool ShouldYield() const override;
    const std::atomic<bool>& interrupt() const override { return interrupted; }

    const Scheduler* scheduler = nullptr;
    std::string job;  // guarded by the scheduler's mutex; empty between slices
    std::chrono::steady_clock::time_point slice_end;
    std::atomic<bool> interrupted = false;
    std::thread thread;
  };

  void Work(Worker& worker);

  // Takes the next task into `entry`, waiting for one; false when drained.
  bool Begin(Worker& worker, FairQueue::Entry& entry);

  // Gives the task back and returns whom to tell that its job is idle.
  std::vector<std::function<void()>> Finish(Worker& worker, FairQueue::Entry& entry,
                                            Task::Next next,
                                            std::chrono::steady_clock::duration used);
  void End();

  const Options options_;

  Mutex mutex_;
  CondVar ready_;  // a task may be ready, or draining_ has been set
  CondVar ended_;  // a slice has ended
  FairQueue queue_ ABSL_GUARDED_BY(mutex_);
  // Jobs being stopped, and whom to tell when they are idle.
  std::map<std::string, std::vector<std::function<void()>>, std::less<>> stopping_
      ABSL_GUARDED_BY(mutex_);
  int running_ ABSL_GUARDED_BY(mutex_) = 0;  // slices begun and not ended
  std::atomic<bool> draining_ = false;       // written under mutex_

  std::vector<std::unique_ptr<Worker>> workers_;  // constant after construction
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SCHEDULER_SCHEDULER_H_
