#include "client/posteriorctl/live_display.h"

#include "absl/strings/str_cat.h"

namespace posteriord::client {
namespace {

// Wide characters may make a line longer than it was counted: let the terminal cut it rather than
// wrap it, which would move everything below.
constexpr char kWrapOff[] = "\x1b[?7l";
constexpr char kWrapOn[] = "\x1b[?7h";
constexpr char kClearToEndOfLine[] = "\x1b[K";
constexpr char kClearBelow[] = "\x1b[J";

}  // namespace

void LiveDisplay::Show(const std::vector<std::string>& lines) {
  std::string frame = kWrapOff;
  if (height_ > 0) absl::StrAppend(&frame, "\r\x1b[", height_, "A");
  for (const std::string& line : lines) absl::StrAppend(&frame, line, kClearToEndOfLine, "\n");
  absl::StrAppend(&frame, kClearBelow, kWrapOn);
  terminal_ << frame << std::flush;
  height_ = lines.size();
}

}  // namespace posteriord::client
