// Text that grows by whole lines and can be continued by a later run.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_RESUMABLE_OUTPUT_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_RESUMABLE_OUTPUT_H_

#include <cstdint>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace posteriord::client {

// Where the text goes and where the cursor is kept.
struct OutputOptions {
  std::string path;         // empty: standard output
  std::string cursor_file;  // empty: the cursor is not kept
  // What the cursor belongs to. A cursor kept for anything else is refused.
  std::string selection;
};

// The output of a stream with cursors. With a cursor file, a run that ended early, even by SIGKILL,
// is continued by the next: output to a file then holds every line exactly once, since the cursor
// file also tells how much of the file the cursor stands for, and whatever lies beyond is written
// again. On standard output the lines of one message may come twice after a SIGKILL, and only then.
class ResumableOutput {
 public:
  // REQUIRES: `standard_output` outlives the result. Errors: FAILED_PRECONDITION when the cursor
  // file belongs to another selection or output, DATA_LOSS when it or the output is damaged; else
  // those of the file system.
  static absl::StatusOr<ResumableOutput> Open(OutputOptions options, std::ostream& standard_output);

  // Where to continue; empty: at the start.
  const std::string& cursor() const { return cursor_; }

  // Writes whole lines, makes them visible, then remembers to continue at `cursor` after them.
  absl::Status Commit(const std::string& lines, const std::string& cursor);

 private:
  ResumableOutput(OutputOptions options, std::ostream& standard_output)
      : options_(std::move(options)), stream_(&standard_output) {}

  absl::Status LoadCursor();
  absl::Status SaveCursor() const;

  OutputOptions options_;
  std::unique_ptr<std::ofstream> file_;  // null: standard output
  std::ostream* stream_;
  std::string cursor_;
  std::uintmax_t written_ = 0;  // bytes of the output that cursor_ stands for
};

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_RESUMABLE_OUTPUT_H_
