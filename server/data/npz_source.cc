#include "server/data/npz_source.h"

#include <fcntl.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/status_macros.h"
#include "server/base/utf8.h"
#include "server/data/column_names.h"

namespace posteriord::server {
namespace {

constexpr std::size_t kPieceBytes = 256 << 10;
constexpr std::int64_t kMaxHeaderBytes = 128 << 10;  // of an array; its numbers come on top

struct ArchiveCloser {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, ArchiveCloser>;

struct EntryCloser {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};
using Entry = std::unique_ptr<zip_file_t, EntryCloser>;

absl::Status Damaged(std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("the zip archive is damaged: ", ToValidUtf8(why, 100)));
}

// Refuses archives in the Zip64 directory format: the library would believe its 64-bit count of
// entries and make room for them. Others have at most 65,535.
absl::Status RefuseZip64Directory(const File& file, std::int64_t size) {
  constexpr std::string_view kEndOfDirectory = "PK\x05\x06";
  constexpr std::string_view kZip64Locator = "PK\x06\x07";
  constexpr std::size_t kLocatorBytes = 20;
  std::string tail(static_cast<std::size_t>(std::min<std::int64_t>(size, 70'000)), '\0');
  RETURN_IF_ERROR(
      file.ReadAt(size - static_cast<std::int64_t>(tail.size()), tail.size(), tail.data()));
  for (std::size_t end = tail.find(kEndOfDirectory); end != std::string::npos;
       end = tail.find(kEndOfDirectory, end + 1)) {
    if (end >= kLocatorBytes && tail.compare(end - kLocatorBytes, 4, kZip64Locator) == 0) {
      return absl::InvalidArgumentError("archives with a Zip64 directory are not supported");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Archive> OpenArchive(const File& file) {
  const int descriptor = fcntl(file.descriptor(), F_DUPFD_CLOEXEC, 0);  // the library closes it
  if (descriptor < 0) return absl::ResourceExhaustedError("too many open files");
  int code = 0;
  Archive archive(zip_fdopen(descriptor, ZIP_CHECKCONS, &code));
  if (archive == nullptr) {
    close(descriptor);
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const absl::Status status = code == ZIP_ER_NOZIP
                                    ? absl::InvalidArgumentError("not a zip archive")
                                    : Damaged(zip_error_strerror(&error));
    zip_error_fini(&error);
    return status;
  }
  return archive;
}

// Writes the contents of an entry, at most `max_bytes`, to `file` at `offset`. Returns their
// number.
absl::StatusOr<std::int64_t> Unpack(zip_t* archive, zip_uint64_t index, std::int64_t max_bytes,
                                    const File& file, std::int64_t offset) {
  zip_stat_t facts;
  if (zip_stat_index(archive, index, 0, &facts) != 0) return Damaged(zip_strerror(archive));
  if (facts.encryption_method != ZIP_EM_NONE) {
    return absl::InvalidArgumentError("encrypted archives are not supported");
  }
  if (facts.comp_method != ZIP_CM_STORE && facts.comp_method != ZIP_CM_DEFLATE) {
    return absl::InvalidArgumentError(
        absl::StrCat("compression method ", facts.comp_method, " is not supported"));
  }
  const Entry entry(zip_fopen_index(archive, index, 0));
  if (entry == nullptr) return Damaged(zip_strerror(archive));
  std::string piece(kPieceBytes, '\0');
  std::int64_t size = 0;
  while (true) {
    const zip_int64_t count = zip_fread(entry.get(), piece.data(), piece.size());
    if (count < 0) return Damaged(zip_file_strerror(entry.get()));
    if (count == 0) return size;
    if (size + count > max_bytes) {  // whatever the archive says the size is
      return absl::ResourceExhaustedError("the archive unpacks to more than the limit");
    }
    RETURN_IF_ERROR(file.WriteAt(
        offset + size, std::string_view(piece).substr(0, static_cast<std::size_t>(count))));
    size += count;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<NpzSource>> NpzSource::Open(const File& file, std::int64_t size,
                                                           const DatasetLimits& limits,
                                                           const std::string& directory) {
  RETURN_IF_ERROR(RefuseZip64Directory(file, size));
  ASSIGN_OR_RETURN(const Archive archive, OpenArchive(file));
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  if (count == 0) return absl::InvalidArgumentError("the archive is empty");
  if (count > limits.max_arrays) {
    return absl::ResourceExhaustedError(
        absl::StrCat(count, " arrays are more than the limit of ", limits.max_arrays));
  }
  ASSIGN_OR_RETURN(File unpacked, File::CreateUnnamed(directory));
  std::unique_ptr<NpzSource> source(new NpzSource(std::move(unpacked)));
  const std::int64_t max_bytes =
      limits.max_cells * static_cast<std::int64_t>(sizeof(double)) + count * kMaxHeaderBytes;
  std::int64_t begin = 0;
  for (zip_uint64_t index = 0; index < static_cast<zip_uint64_t>(count); ++index) {
    const char* entry_name = zip_get_name(archive.get(), index, ZIP_FL_ENC_RAW);
    absl::string_view name = entry_name == nullptr ? "" : entry_name;
    const auto annotate =
        [quoted = ToValidUtf8({name.data(), name.size()}, 100)](const absl::Status& status) {
          return absl::Status(status.code(), absl::StrCat("'", quoted, "': ", status.message()));
        };
    if (!absl::ConsumeSuffix(&name, ".npy") || name.empty()) {
      return annotate(absl::InvalidArgumentError("not a NumPy array"));
    }
    const absl::StatusOr<std::int64_t> bytes =
        Unpack(archive.get(), index, max_bytes - begin, source->unpacked_, begin);
    if (!bytes.ok()) return annotate(bytes.status());
    const std::int64_t end = begin + *bytes;
    const absl::Status added = source->Add(begin, end, std::string(name), limits);
    if (!added.ok()) return annotate(added);
    begin = end;
  }
  RETURN_IF_ERROR(CheckColumnNames(source->columns_, limits.max_columns));
  if (static_cast<std::int64_t>(source->columns_.size()) >
      limits.max_cells / source->arrays_[0]->rows()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are more than ", limits.max_cells, " numbers"));
  }
  return source;
}

absl::Status NpzSource::Add(std::int64_t begin, std::int64_t end, const std::string& name,
                            const DatasetLimits& limits) {
  ASSIGN_OR_RETURN(std::unique_ptr<NpySource> array,
                   NpySource::Open(unpacked_, begin, end, name, limits));
  if (!arrays_.empty() && arrays_[0]->rows() != array->rows()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "has ", array->rows(), " rows, but the arrays before have ", arrays_[0]->rows()));
  }
  const std::vector<std::string>& names = array->columns();
  if (static_cast<std::int64_t>(columns_.size() + names.size()) > limits.max_columns) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are more than ", limits.max_columns, " columns"));
  }
  columns_.insert(columns_.end(), names.begin(), names.end());
  arrays_.push_back(std::move(array));
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> NpzSource::Read(Eigen::Ref<Eigen::MatrixXd> rows) {
  std::int64_t filled = 0;
  std::int64_t column = 0;
  for (const std::unique_ptr<NpySource>& array : arrays_) {
    const auto width = static_cast<std::int64_t>(array->columns().size());
    ASSIGN_OR_RETURN(filled, array->Read(rows.middleCols(column, width)));
    column += width;
  }
  return filled;
}

}  // namespace posteriord::server
