#include "core/kernels/warmup_windows.h"

#include <algorithm>

namespace posteriord::core {
namespace {

constexpr std::int64_t kMinWarmup = 20;
constexpr std::int64_t kInitialBuffer = 75;
constexpr std::int64_t kBaseWindow = 25;
constexpr std::int64_t kFinalBuffer = 50;

}  // namespace

WarmupWindows::WarmupWindows(std::int64_t warmup_steps) {
  if (warmup_steps < kMinWarmup) return;
  if (warmup_steps < kInitialBuffer + kBaseWindow + kFinalBuffer) {
    begin_ = warmup_steps * 15 / 100;
    ends_ = {warmup_steps - warmup_steps / 10};
    return;
  }
  begin_ = kInitialBuffer;
  const std::int64_t last = warmup_steps - kFinalBuffer;
  std::int64_t size = kBaseWindow;
  std::int64_t end = begin_ + size;
  // Stan lets the second window be as short as one step, which estimates nothing: here less than a
  // base window joins the first.
  if (last - end < kBaseWindow) end = last;
  ends_ = {end};
  while (end < last) {
    size *= 2;
    end += size;
    // A window after which the next would not fit takes its steps too.
    if (end + 2 * size > last) end = last;
    ends_.push_back(end);
  }
}

bool WarmupWindows::Contains(std::int64_t step) const {
  return !ends_.empty() && step > begin_ && step <= ends_.back();
}

bool WarmupWindows::EndsAt(std::int64_t step) const {
  return std::binary_search(ends_.begin(), ends_.end(), step);
}

}  // namespace posteriord::core
