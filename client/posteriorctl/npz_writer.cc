#include "client/posteriorctl/npz_writer.h"

#include <fcntl.h>
#include <unistd.h>
#include <zip.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/posteriorctl/status_macros.h"
#include "client/posteriorctl/text.h"

namespace posteriord::client {
namespace {

// Room for the header, a multiple of 64 as NumPy asks; enough for nine axes of any length.
constexpr std::size_t kHeaderBytes = 256;
constexpr std::size_t kBufferBytes = 64 << 10;
constexpr std::size_t kCopyBytes = 1 << 20;

// 1980-01-01, the earliest that zip can tell, instead of the present.
constexpr zip_uint16_t kZipDate = (1 << 5) | 1;

absl::Status FileError(const char* what) { return absl::ErrnoToStatus(errno, what); }

absl::Status ZipError(const std::string& path, zip_error_t* error) {
  const std::string text = absl::StrCat("cannot write ", path, ": ", zip_error_strerror(error));
  return zip_error_code_zip(error) == ZIP_ER_CANCELLED ? absl::CancelledError(text)
                                                       : absl::UnknownError(text);
}

struct ZipDiscard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};

}  // namespace

NpySpool::NpySpool(File file, std::string name, std::string type)
    : file_(std::move(file)), name_(std::move(name)), type_(std::move(type)) {}

absl::StatusOr<NpySpool> NpySpool::Create(const std::string& directory, std::string name,
                                          std::string type) {
  std::string path = absl::StrCat(directory, "/.posteriorctl-XXXXXX");
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot create a file in ", directory));
  }
  unlink(path.c_str());
  File file(fdopen(descriptor, "w+b"));
  if (file == nullptr) return FileError("fdopen");
  std::setvbuf(file.get(), nullptr, _IOFBF, kBufferBytes);
  NpySpool spool(std::move(file), std::move(name), std::move(type));
  const std::string header(kHeaderBytes, ' ');
  RETURN_IF_ERROR(spool.Append(header));
  return spool;
}

absl::Status NpySpool::Append(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
    return FileError("writing a temporary file failed");
  }
  return absl::OkStatus();
}

absl::Status NpySpool::CutBlocks(const std::vector<std::int64_t>& block_bytes, std::int64_t kept) {
  if (std::fflush(file_.get()) != 0) return FileError("writing a temporary file failed");
  const int descriptor = fileno(file_.get());
  std::string buffer(kCopyBytes, '\0');
  std::int64_t to = kHeaderBytes;
  std::int64_t block = kHeaderBytes;
  for (const std::int64_t size : block_bytes) {
    // Blocks only move towards the start, so copying forwards never overtakes itself.
    for (std::int64_t done = 0; done < kept && block != to;) {
      const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(kCopyBytes, kept - done));
      const ssize_t got = pread(descriptor, buffer.data(), wanted, block + done);
      if (got <= 0) return FileError("reading a temporary file failed");
      if (pwrite(descriptor, buffer.data(), static_cast<std::size_t>(got), to + done) != got) {
        return FileError("writing a temporary file failed");
      }
      done += got;
    }
    block += size;
    to += kept;
  }
  if (ftruncate(descriptor, to) != 0 || std::fseek(file_.get(), 0, SEEK_END) != 0) {
    return FileError("shortening a temporary file failed");
  }
  return absl::OkStatus();
}

absl::Status NpySpool::Finish(const std::vector<std::int64_t>& shape) {
  // https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0: magic,
  // version, length of the rest as little-endian 16 bits, a Python dictionary padded with spaces
  // and ended by a newline.
  constexpr std::size_t kPrefixBytes = 10;
  constexpr std::size_t kRest = kHeaderBytes - kPrefixBytes;
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(kRest & 0xff);
  header += static_cast<char>(kRest >> 8);
  absl::StrAppend(&header, "{'descr': '", type_,
                  "', 'fortran_order': False, 'shape': ", Tuple(shape), ", }");
  if (header.size() >= kHeaderBytes) {
    return absl::InvalidArgumentError(absl::StrCat(name_, " has too many axes"));
  }
  header.resize(kHeaderBytes - 1, ' ');
  header += '\n';
  if (std::fseek(file_.get(), 0, SEEK_SET) != 0) return FileError("fseek");
  RETURN_IF_ERROR(Append(header));
  // libzip reads from where the file stands.
  if (std::fflush(file_.get()) != 0 || std::fseek(file_.get(), 0, SEEK_SET) != 0) {
    return FileError("writing a temporary file failed");
  }
  return absl::OkStatus();
}

absl::Status WriteNpz(const std::string& path, std::vector<NpySpool> arrays,
                      const std::atomic<bool>& stop) {
  int open_error = 0;
  // libzip writes a temporary file beside `path` and renames it at the end.
  std::unique_ptr<zip_t, ZipDiscard> archive(
      zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &open_error));
  if (archive == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, open_error);
    const absl::Status status = ZipError(path, &error);
    zip_error_fini(&error);
    return status;
  }
  for (NpySpool& array : arrays) {
    zip_source_t* source = zip_source_filep(archive.get(), array.file_.get(), 0, -1);
    if (source == nullptr) return ZipError(path, zip_get_error(archive.get()));
    // The source now owns the file.
    (void)array.file_.release();
    const zip_int64_t index = zip_file_add(archive.get(), absl::StrCat(array.name_, ".npy").c_str(),
                                           source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      const absl::Status status = ZipError(path, zip_get_error(archive.get()));
      zip_source_free(source);
      return status;
    }
    const auto entry = static_cast<zip_uint64_t>(index);
    if (zip_set_file_compression(archive.get(), entry, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive.get(), entry, 0, kZipDate, 0) != 0) {
      return ZipError(path, zip_get_error(archive.get()));
    }
  }
  const auto cancelled = [](zip_t*, void* flag) {
    return static_cast<const std::atomic<bool>*>(flag)->load() ? 1 : 0;
  };
  if (zip_register_cancel_callback_with_state(archive.get(), cancelled, nullptr,
                                              const_cast<std::atomic<bool>*>(&stop)) != 0) {
    return ZipError(path, zip_get_error(archive.get()));
  }
  if (zip_close(archive.get()) != 0) return ZipError(path, zip_get_error(archive.get()));
  (void)archive.release();  // closed
  return absl::OkStatus();
}

}  // namespace posteriord::client
