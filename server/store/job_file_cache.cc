#include "server/store/job_file_cache.h"

#include <cstddef>

namespace posteriord::server {

std::shared_ptr<JobFile> JobFileCache::Get(std::string_view id) {
  const std::string key(id);
  std::shared_ptr<JobFile> result;
  std::vector<std::shared_ptr<JobFile>> to_close;
  {
    MutexLock lock(mutex_);
    if (const auto found = entries_.find(key); found != entries_.end()) {
      Entry& entry = found->second;
      entry.closing = false;
      uses_.splice(uses_.begin(), uses_, entry.use);
      return entry.file;
    }
    uses_.push_front(key);
    result = std::make_shared<JobFile>(directory_, id);
    entries_[key] = {result, uses_.begin()};
    to_close = ChooseToClose();
  }
  // Closing may fold in a log, which takes time: not under the lock. Who asks for such a file
  // meanwhile gets the same object and waits there.
  for (const std::shared_ptr<JobFile>& file : to_close) {
    file->Close();
    MutexLock lock(mutex_);
    const auto found = entries_.find(file->id());
    if (found != entries_.end() && found->second.closing) {
      uses_.erase(found->second.use);
      entries_.erase(found);
    }
  }
  return result;
}

void JobFileCache::Drop(std::string_view id) {
  MutexLock lock(mutex_);
  const auto found = entries_.find(std::string(id));
  if (found == entries_.end()) return;
  uses_.erase(found->second.use);
  entries_.erase(found);
}

std::vector<std::shared_ptr<JobFile>> JobFileCache::ChooseToClose() {
  std::vector<std::shared_ptr<JobFile>> chosen;
  std::size_t open = entries_.size();
  for (auto id = uses_.rbegin(); id != uses_.rend() && open > capacity_; ++id) {
    Entry& entry = entries_.at(*id);
    if (entry.closing) {
      --open;
    } else if (entry.file.use_count() == 1) {  // the map's alone; nobody gets it without the lock
      entry.closing = true;
      chosen.push_back(entry.file);
      --open;
    }
  }
  return chosen;
}

}  // namespace posteriord::server
