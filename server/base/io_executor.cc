#include "server/base/io_executor.h"

#include <utility>

namespace posteriord::server {

IoExecutor::IoExecutor(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

IoExecutor::~IoExecutor() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void IoExecutor::Post(std::function<void()> task) {
  MutexLock lock(mutex_);
  queue_.push_back(std::move(task));
  changed_.NotifyOne();
}

void IoExecutor::Work() {
  for (;;) {
    std::function<void()> task;
    {
      MutexLock lock(mutex_);
      // A running task may still post; only an idle executor is done.
      while (queue_.empty() && !(stopping_ && running_ == 0)) changed_.Wait(mutex_);
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
    }
    task();
    task = nullptr;  // what it holds is released before it counts as done
    MutexLock lock(mutex_);
    --running_;
    if (stopping_) changed_.NotifyAll();
  }
}

}  // namespace posteriord::server
