// Threads for work that blocks on the disk, kept apart from those that sample and those of gRPC.
#ifndef POSTERIORD_SERVER_BASE_IO_EXECUTOR_H_
#define POSTERIORD_SERVER_BASE_IO_EXECUTOR_H_

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "core/base/mutex.h"

namespace posteriord::server {

// Runs tasks in the order they were posted, on a fixed number of threads. Thread-safe. The queue is
// as long as what its users have under way: one task per open stream or call.
class IoExecutor {
 public:
  explicit IoExecutor(int threads);
  // Runs everything posted, also by the tasks themselves, then joins the threads.
  ~IoExecutor();

  IoExecutor(const IoExecutor&) = delete;
  IoExecutor& operator=(const IoExecutor&) = delete;

  void Post(std::function<void()> task);

 private:
  void Work();

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_BASE_IO_EXECUTOR_H_
