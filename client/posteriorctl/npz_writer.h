// NPZ files (zip archives of NumPy arrays) of any size, in bounded memory.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_NPZ_WRITER_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_NPZ_WRITER_H_

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace posteriord::client {

// One array on its way into an archive: a temporary file without a name, which vanishes with the
// process. Its shape is told last. Not thread-safe.
class NpySpool {
 public:
  // An empty array named `name`; `type` is NumPy's name of the entries' type, such as "<f8". The
  // file is on the file system of `directory`.
  static absl::StatusOr<NpySpool> Create(const std::string& directory, std::string name,
                                         std::string type);

  // Adds entries, in C order.
  absl::Status Append(std::string_view bytes);

  // Reads what was appended as blocks of the given sizes and keeps the first `kept` bytes of each.
  // REQUIRES: the sizes sum to what was appended; each is at least `kept`.
  absl::Status CutBlocks(const std::vector<std::int64_t>& block_bytes, std::int64_t kept);

  // Ends the array. REQUIRES: `shape` fits what was appended.
  absl::Status Finish(const std::vector<std::int64_t>& shape);

  const std::string& name() const { return name_; }

 private:
  friend absl::Status WriteNpz(const std::string&, std::vector<NpySpool>, const std::atomic<bool>&);
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Closer>;

  NpySpool(File file, std::string name, std::string type);

  File file_;
  std::string name_;
  std::string type_;
};

// Makes the archive `path` of the finished arrays, without compression. It appears whole or not at
// all, replacing what was there. The same arrays make the same bytes. Errors: CANCELLED when
// `stop` becomes true; else those of the file system.
absl::Status WriteNpz(const std::string& path, std::vector<NpySpool> arrays,
                      const std::atomic<bool>& stop);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_NPZ_WRITER_H_
