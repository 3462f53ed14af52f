// Which task runs next.
#ifndef POSTERIORD_SERVER_SCHEDULER_FAIR_QUEUE_H_
#define POSTERIORD_SERVER_SCHEDULER_FAIR_QUEUE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/scheduler/task.h"

namespace posteriord::server {

// The ready tasks of all jobs. Jobs get equal shares of core time, however many tasks they have
// and however long these overrun their slices; the tasks of a job take turns.
//
// Start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996): a job's tag is the core time it has
// used, and the ready job with the least tag goes next. A slice is charged with its nominal length
// when it begins, with the true one when it has ended. A job that becomes ready catches up with the
// tag of the job taken last, so that it cannot save up time in which it had nothing to run.
//
// Not thread-safe.
class FairQueue {
 public:
  using Duration = std::chrono::steady_clock::duration;

  struct Entry {
    std::string job;
    std::shared_ptr<Task> task;
  };

  // `slice` is the nominal length of a slice.
  explicit FairQueue(Duration slice) : slice_(slice) {}

  // Makes a task ready to run.
  void Add(std::string_view job, std::shared_ptr<Task> task);

  // The task to run next, from now on counted as running until Finish(); empty when none is ready.
  std::optional<Entry> Take();

  // A slice of the job has ended after `used`; `again` is its task when that is ready again, else
  // null.
  void Finish(std::string_view job, Duration used, std::shared_ptr<Task> again);

  // Takes the job's ready tasks out; those running are not touched.
  std::vector<std::shared_ptr<Task>> Remove(std::string_view job);

  // Number of the job's tasks that are running.
  int running(std::string_view job) const;

 private:
  struct Job {
    std::deque<std::shared_ptr<Task>> ready;
    int running = 0;
    Duration tag{};
    std::int64_t last_taken = 0;  // among equal tags the job that has waited longest goes first
  };
  using Jobs = std::map<std::string, Job, std::less<>>;

  void MakeReady(Job& job, std::shared_ptr<Task> task);
  void ForgetIfEmpty(Jobs::iterator job);

  const Duration slice_;
  Jobs jobs_;               // those with ready or running tasks
  Duration last_tag_{};     // of the job taken last
  std::int64_t takes_ = 0;  // number of tasks taken and of jobs met, for last_taken
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SCHEDULER_FAIR_QUEUE_H_
