#include "server/store/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/status_macros.h"

namespace posteriord::server {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kResourceExhausted;
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

absl::Status SystemError(int error, std::string_view action, std::string_view path) {
  return absl::Status(CodeOf(error), absl::StrCat("cannot ", ToAbsl(action), " '", ToAbsl(path),
                                                  "': ", std::generic_category().message(error)));
}

}  // namespace

absl::StatusOr<File> File::Open(const std::string& path, int flags) {
  const int descriptor = open(path.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return SystemError(errno, "open", path);
  return File(descriptor, path);
}

absl::StatusOr<File> File::OpenToRead(const std::string& path) { return Open(path, O_RDONLY); }

absl::StatusOr<File> File::Create(const std::string& path) {
  return Open(path, O_RDWR | O_CREAT | O_EXCL);
}

absl::StatusOr<File> File::OpenOrCreate(const std::string& path) {
  return Open(path, O_RDWR | O_CREAT);
}

absl::StatusOr<File> File::CreateUnnamed(const std::string& directory) {
  const int descriptor = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor >= 0) return File(descriptor, directory);
  if (errno != EOPNOTSUPP && errno != EISDIR) return SystemError(errno, "write in", directory);
  std::string path = directory + "/unnamed.XXXXXX";  // a file system without O_TMPFILE
  const int named = mkostemp(path.data(), O_CLOEXEC);
  if (named < 0) return SystemError(errno, "write in", directory);
  File file(named, path);
  RETURN_IF_ERROR(RemoveFile(path));
  return file;
}

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

File::~File() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status File::WriteAt(std::int64_t offset, std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(descriptor_, bytes.data(), bytes.size(), offset);
    if (written < 0) {
      if (errno == EINTR) continue;
      return SystemError(errno, "write", path_);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return absl::OkStatus();
}

absl::Status File::ReadAt(std::int64_t offset, std::size_t size, char* bytes) const {
  while (size > 0) {
    const ssize_t count = pread(descriptor_, bytes, size, offset);
    if (count < 0) {
      if (errno == EINTR) continue;
      return SystemError(errno, "read", path_);
    }
    if (count == 0) return absl::OutOfRangeError(absl::StrCat("'", path_, "' ends too early"));
    bytes += count;
    size -= static_cast<std::size_t>(count);
    offset += count;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> File::Size() const {
  struct stat status;
  if (fstat(descriptor_, &status) != 0) return SystemError(errno, "read", path_);
  return status.st_size;
}

absl::Status File::Sync() const {
  if (fsync(descriptor_) != 0) return SystemError(errno, "write", path_);
  return absl::OkStatus();
}

absl::Status File::Lock() const {
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  if (errno == EWOULDBLOCK) {
    return absl::FailedPreconditionError(absl::StrCat("'", path_, "' is locked"));
  }
  return SystemError(errno, "lock", path_);
}

bool FileExists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

absl::Status RenameFile(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return SystemError(errno, "rename", from);
  return absl::OkStatus();
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return SystemError(errno, "remove", path);
  return absl::OkStatus();
}

absl::Status SyncDirectory(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return SystemError(errno, "open", path);
  const int error = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  return error == 0 ? absl::OkStatus() : SystemError(error, "write", path);
}

absl::Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), S_IRWXU) != 0) {
    const int error = errno;
    struct stat status;
    if (error == EEXIST && stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
      return absl::OkStatus();
    }
    return SystemError(error, "create", path);
  }
  const std::size_t slash = path.find_last_of('/');
  return SyncDirectory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (directory == nullptr) return SystemError(errno, "list", path);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  if (errno != 0) return SystemError(errno, "list", path);
  std::sort(names.begin(), names.end());
  return names;
}

std::string_view BaseName(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

}  // namespace posteriord::server
