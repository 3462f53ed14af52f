#include "client/posteriorctl/resumable_output.h"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/posteriorctl/status_macros.h"
#include "nlohmann/json.hpp"

namespace posteriord::client {
namespace {

absl::Status WriteError(const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
}

}  // namespace

absl::StatusOr<ResumableOutput> ResumableOutput::Open(OutputOptions options,
                                                      std::ostream& standard_output) {
  ResumableOutput output(std::move(options), standard_output);
  const OutputOptions& chosen = output.options_;
  RETURN_IF_ERROR(output.LoadCursor());
  if (chosen.path.empty()) return output;
  if (!output.cursor_.empty()) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(chosen.path, error);
    if (error || size < output.written_) {
      return absl::DataLossError(absl::StrCat(chosen.path, " is missing or shorter than ",
                                              chosen.cursor_file, " remembers; remove ",
                                              chosen.cursor_file, " to start over"));
    }
    std::filesystem::resize_file(chosen.path, output.written_, error);
    if (error) {
      return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot write ", chosen.path));
    }
  }
  const std::ios::openmode mode = output.cursor_.empty() ? std::ios::trunc : std::ios::app;
  output.file_ = std::make_unique<std::ofstream>(chosen.path, std::ios::binary | mode);
  if (!output.file_->is_open()) return WriteError(chosen.path);
  output.stream_ = output.file_.get();
  return output;
}

absl::Status ResumableOutput::Commit(const std::string& lines, const std::string& cursor) {
  errno = 0;
  stream_->write(lines.data(), static_cast<std::streamsize>(lines.size()));
  stream_->flush();
  if (!stream_->good()) {
    return WriteError(options_.path.empty() ? "standard output" : options_.path);
  }
  written_ += lines.size();
  cursor_ = cursor;
  return SaveCursor();
}

absl::Status ResumableOutput::LoadCursor() {
  if (options_.cursor_file.empty()) return absl::OkStatus();
  std::ifstream file(options_.cursor_file, std::ios::binary);
  if (!file.is_open()) {
    if (errno == ENOENT) return absl::OkStatus();
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", options_.cursor_file));
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const nlohmann::json saved = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const bool valid = saved.is_object() && saved.contains("cursor") && saved["cursor"].is_string() &&
                     saved.contains("output") && saved["output"].is_string() &&
                     saved.contains("selection") && saved["selection"].is_string() &&
                     saved.contains("written") && saved["written"].is_number_unsigned();
  if (!valid) {
    return absl::DataLossError(
        absl::StrCat(options_.cursor_file, " is not a cursor file; remove it to start over"));
  }
  if (saved["selection"] != options_.selection || saved["output"] != options_.path) {
    return absl::FailedPreconditionError(
        absl::StrCat(options_.cursor_file,
                     " belongs to another export (job, selection or output); give the "
                     "same arguments again, or remove it to start over"));
  }
  cursor_ = saved["cursor"].get<std::string>();
  // Without a cursor everything is written again.
  written_ = cursor_.empty() ? 0 : saved["written"].get<std::uintmax_t>();
  return absl::OkStatus();
}

absl::Status ResumableOutput::SaveCursor() const {
  if (options_.cursor_file.empty()) return absl::OkStatus();
  const nlohmann::json saved = {{"cursor", cursor_},
                                {"output", options_.path},
                                {"selection", options_.selection},
                                {"written", written_}};
  const std::string temporary = absl::StrCat(options_.cursor_file, ".tmp");
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  file << saved.dump() << "\n";
  file.close();
  if (!file.good() || std::rename(temporary.c_str(), options_.cursor_file.c_str()) != 0) {
    return WriteError(options_.cursor_file);
  }
  return absl::OkStatus();
}

}  // namespace posteriord::client
