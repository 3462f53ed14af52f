// The job files that are open.
#ifndef POSTERIORD_SERVER_STORE_JOB_FILE_CACHE_H_
#define POSTERIORD_SERVER_STORE_JOB_FILE_CACHE_H_

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/mutex.h"
#include "server/store/job_file.h"

namespace posteriord::server {

// There is at most one JobFile of a job. Files in use stay; of the others the least recently used
// are closed when there are more than `capacity`. Thread-safe.
class JobFileCache {
 public:
  JobFileCache(std::string directory, std::size_t capacity)
      : directory_(std::move(directory)), capacity_(capacity) {}

  const std::string& directory() const { return directory_; }

  // The file of a job. Does not touch the disk, except to close other files.
  std::shared_ptr<JobFile> Get(std::string_view id);

  // Forgets the file of a job that was deleted.
  void Drop(std::string_view id);

 private:
  struct Entry {
    std::shared_ptr<JobFile> file;
    std::list<std::string>::iterator use;  // in uses_
    bool closing = false;                  // being closed, and not asked for since
  };

  // Marks files to close until the others are `capacity`, if that many are not in use.
  std::vector<std::shared_ptr<JobFile>> ChooseToClose() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string directory_;
  const std::size_t capacity_;

  Mutex mutex_;
  std::unordered_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::list<std::string> uses_ ABSL_GUARDED_BY(mutex_);  // ids, most recently used first
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_JOB_FILE_CACHE_H_
