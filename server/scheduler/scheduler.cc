#include "server/scheduler/scheduler.h"

#include <optional>
#include <utility>

namespace posteriord::server {

bool Scheduler::Worker::ShouldYield() const {
  return interrupted || scheduler->draining_ || scheduler->options_.now() >= slice_end;
}

Scheduler::Scheduler(Options options) : options_(std::move(options)), queue_(options_.slice) {
  for (int i = 0; i < options_.threads; ++i) {
    workers_.push_back(std::make_unique<Worker>());
    workers_.back()->scheduler = this;
  }
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->thread = std::thread([this, &worker = *worker] { Work(worker); });
  }
}

Scheduler::~Scheduler() {
  Drain(std::chrono::steady_clock::duration::zero());
  for (const std::unique_ptr<Worker>& worker : workers_) worker->thread.join();
}

void Scheduler::Add(std::string_view job, std::shared_ptr<Task> task) {
  MutexLock lock(mutex_);
  if (stopping_.contains(job)) return;
  queue_.Add(job, std::move(task));
  ready_.NotifyOne();
}

void Scheduler::Stop(std::string_view job, std::function<void()> when_idle) {
  std::vector<std::shared_ptr<Task>> dropped;  // destroyed outside the lock
  {
    MutexLock lock(mutex_);
    dropped = queue_.Remove(job);
    if (queue_.running(job) > 0) {
      for (const std::unique_ptr<Worker>& worker : workers_) {
        if (worker->job == job) worker->interrupted = true;
      }
      stopping_[std::string(job)].push_back(std::move(when_idle));
      return;
    }
  }
  dropped.clear();
  when_idle();
}

void Scheduler::Drain(std::chrono::steady_clock::duration patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  MutexLock lock(mutex_);
  draining_ = true;
  ready_.NotifyAll();
  while (running_ > 0 && ended_.WaitUntil(mutex_, deadline)) {
  }
  for (const std::unique_ptr<Worker>& worker : workers_) worker->interrupted = true;
  while (running_ > 0) ended_.Wait(mutex_);
}

void Scheduler::Work(Worker& worker) {
  FairQueue::Entry entry;
  while (Begin(worker, entry)) {
    const auto start = options_.now();
    worker.slice_end = start + options_.slice;
    const Task::Next next = entry.task->RunSlice(worker);
    const auto when_idle = Finish(worker, entry, next, options_.now() - start);
    entry.task.reset();  // before anyone hears that it has ended
    for (const std::function<void()>& callback : when_idle) callback();
    End();
  }
}

bool Scheduler::Begin(Worker& worker, FairQueue::Entry& entry) {
  MutexLock lock(mutex_);
  while (!draining_) {
    if (std::optional<FairQueue::Entry> next = queue_.Take()) {
      entry = *std::move(next);
      worker.job = entry.job;
      worker.interrupted = false;
      ++running_;
      return true;
    }
    ready_.Wait(mutex_);
  }
  return false;
}

std::vector<std::function<void()>> Scheduler::Finish(Worker& worker, FairQueue::Entry& entry,
                                                     Task::Next next,
                                                     std::chrono::steady_clock::duration used) {
  MutexLock lock(mutex_);
  worker.job.clear();
  const auto stopping = stopping_.find(entry.job);
  const bool again = next == Task::Next::kAgain && stopping == stopping_.end();
  queue_.Finish(entry.job, used, again ? std::move(entry.task) : nullptr);
  if (stopping == stopping_.end() || queue_.running(entry.job) > 0) return {};
  std::vector<std::function<void()>> when_idle = std::move(stopping->second);
  stopping_.erase(stopping);
  return when_idle;
}

void Scheduler::End() {
  MutexLock lock(mutex_);
  --running_;
  ended_.NotifyAll();
}

}  // namespace posteriord::server
