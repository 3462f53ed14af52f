#include "server/store/data_directory.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace posteriord::server {
namespace {

// As mkdir -p.
absl::Status MakeDirectories(const std::filesystem::path& path) {
  if (path.has_parent_path() && !FileExists(path.parent_path())) {
    RETURN_IF_ERROR(MakeDirectories(path.parent_path()));
  }
  return MakeDirectory(path);
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataDirectory>> DataDirectory::Open(const std::string& path) {
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path, error).lexically_normal();
  if (path.empty() || error) return absl::InvalidArgumentError("the data directory has no name");
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // drops a trailing slash
  RETURN_IF_ERROR(MakeDirectories(absolute));
  ASSIGN_OR_RETURN(File lock, File::OpenOrCreate(absolute / "LOCK"));
  if (const absl::Status locked = lock.Lock(); absl::IsFailedPrecondition(locked)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the data directory '", absolute.string(), "' is in use by another server"));
  } else if (!locked.ok()) {
    return locked;
  }
  return std::unique_ptr<DataDirectory>(new DataDirectory(absolute, std::move(lock)));
}

DataDirectory::DataDirectory(std::string path, File lock)
    : path_(std::move(path)), lock_(std::move(lock)) {}

absl::StatusOr<std::string> DataDirectory::Subdirectory(const std::string& name) const {
  const std::string path = absl::StrCat(path_, "/", name);
  RETURN_IF_ERROR(MakeDirectory(path));
  return path;
}

}  // namespace posteriord::server
