#include "server/scheduler/fair_queue.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace posteriord::server {

void FairQueue::Add(std::string_view job, std::shared_ptr<Task> task) {
  auto found = jobs_.find(job);
  if (found == jobs_.end()) {
    found = jobs_.emplace(job, Job{}).first;
    found->second.last_taken = ++takes_;
  }
  MakeReady(found->second, std::move(task));
}

std::optional<FairQueue::Entry> FairQueue::Take() {
  auto best = jobs_.end();
  for (auto job = jobs_.begin(); job != jobs_.end(); ++job) {
    if (job->second.ready.empty()) continue;
    if (best == jobs_.end() || std::tie(job->second.tag, job->second.last_taken) <
                                   std::tie(best->second.tag, best->second.last_taken)) {
      best = job;
    }
  }
  if (best == jobs_.end()) return std::nullopt;
  Job& job = best->second;
  Entry entry{best->first, std::move(job.ready.front())};
  job.ready.pop_front();
  ++job.running;
  last_tag_ = std::max(last_tag_, job.tag);
  job.tag += slice_;
  job.last_taken = ++takes_;
  return entry;
}

void FairQueue::Finish(std::string_view job, Duration used, std::shared_ptr<Task> again) {
  const auto found = jobs_.find(job);
  --found->second.running;
  found->second.tag += used - slice_;
  if (again != nullptr) MakeReady(found->second, std::move(again));
  ForgetIfEmpty(found);
}

std::vector<std::shared_ptr<Task>> FairQueue::Remove(std::string_view job) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return {};
  std::deque<std::shared_ptr<Task>>& ready = found->second.ready;
  std::vector<std::shared_ptr<Task>> removed(std::make_move_iterator(ready.begin()),
                                             std::make_move_iterator(ready.end()));
  ready.clear();
  ForgetIfEmpty(found);
  return removed;
}

int FairQueue::running(std::string_view job) const {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? 0 : found->second.running;
}

void FairQueue::MakeReady(Job& job, std::shared_ptr<Task> task) {
  if (job.ready.empty()) job.tag = std::max(job.tag, last_tag_);
  job.ready.push_back(std::move(task));
}

void FairQueue::ForgetIfEmpty(Jobs::iterator job) {
  if (job->second.ready.empty() && job->second.running == 0) jobs_.erase(job);
}

}  // namespace posteriord::server
