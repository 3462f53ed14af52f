// The directory that holds everything a server keeps.
#ifndef POSTERIORD_SERVER_STORE_DATA_DIRECTORY_H_
#define POSTERIORD_SERVER_STORE_DATA_DIRECTORY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/file.h"

namespace posteriord::server {

// Exclusive use of a data directory: the lock on its file LOCK is held as long as the object lives,
// and is gone when the process is, however it ended.
class DataDirectory {
 public:
  // Creates the directory, readable by its owner only, when there is none. Errors:
  // FAILED_PRECONDITION, naming the directory, while another process (or object) holds it.
  static absl::StatusOr<std::unique_ptr<DataDirectory>> Open(const std::string& path);

  // Absolute.
  const std::string& path() const { return path_; }

  // Path of a directory inside, created when missing.
  absl::StatusOr<std::string> Subdirectory(const std::string& name) const;

 private:
  DataDirectory(std::string path, File lock);

  const std::string path_;
  const File lock_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_DATA_DIRECTORY_H_
