// Files of the operating system, with statuses for errors.
#ifndef POSTERIORD_SERVER_STORE_FILE_H_
#define POSTERIORD_SERVER_STORE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace posteriord::server {

// An open file, closed on destruction. Errors of all functions here: RESOURCE_EXHAUSTED (disk full,
// or too many open files), NOT_FOUND (no such file), ALREADY_EXISTS, else UNAVAILABLE.
//
// Never open a file that SQLite has open: closing any descriptor of a file drops the process's
// POSIX locks on it.
class File {
 public:
  static absl::StatusOr<File> OpenToRead(const std::string& path);
  // A new file to read and write, readable by its owner only.
  static absl::StatusOr<File> Create(const std::string& path);
  // As Create, or the file that is there.
  static absl::StatusOr<File> OpenOrCreate(const std::string& path);
  // A new file in `directory` that has no name and vanishes when closed.
  static absl::StatusOr<File> CreateUnnamed(const std::string& directory);

  File(File&& other) noexcept;
  File& operator=(File&&) = delete;
  ~File();

  // Writes all of `bytes`.
  absl::Status WriteAt(std::int64_t offset, std::string_view bytes) const;
  // Reads `size` bytes. Errors: OUT_OF_RANGE when the file ends before.
  absl::Status ReadAt(std::int64_t offset, std::size_t size, char* bytes) const;
  absl::StatusOr<std::int64_t> Size() const;
  // Makes contents and size durable; for the name see SyncDirectory.
  absl::Status Sync() const;
  // Makes this file the locked one among all that open it; FAILED_PRECONDITION when another is.
  absl::Status Lock() const;

  // Stays owned by the file.
  int descriptor() const { return descriptor_; }

 private:
  File(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

  static absl::StatusOr<File> Open(const std::string& path, int flags);

  int descriptor_;
  std::string path_;  // for messages
};

bool FileExists(const std::string& path);

// Both are durable only after SyncDirectory.
absl::Status RenameFile(const std::string& from, const std::string& to);
// OK when there is no such file.
absl::Status RemoveFile(const std::string& path);

// Makes creations, renamings and removals inside a directory durable.
absl::Status SyncDirectory(const std::string& path);

// Creates a directory readable by its owner only, durably; OK when there is one.
absl::Status MakeDirectory(const std::string& path);

// Names of what a directory holds, sorted.
absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path);

// Last component of a path.
std::string_view BaseName(std::string_view path);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_FILE_H_
