// Which warm-up steps the metric is learned from: Stan's schedule (Stan Reference Manual, "HMC
// algorithm parameters"). 75 steps find the typical set; then come windows of 25, 50, 100, ...
// steps, at the end of each of which the metric is replaced by an estimate from its steps; 50 last
// steps fit the step size to the final metric. The last window is stretched to what is left. A
// warm-up that is too short for this has one window after 15% and before 10% of it, and below 20
// steps none.
#ifndef POSTERIORD_CORE_KERNELS_WARMUP_WINDOWS_H_
#define POSTERIORD_CORE_KERNELS_WARMUP_WINDOWS_H_

#include <cstdint>
#include <vector>

namespace posteriord::core {

// Immutable. Steps are counted from 1.
class WarmupWindows {
 public:
  explicit WarmupWindows(std::int64_t warmup_steps);

  // Whether `step` lies in a window.
  bool Contains(std::int64_t step) const;
  // Whether `step` is the last of a window.
  bool EndsAt(std::int64_t step) const;

  // Last steps of the windows, ascending.
  const std::vector<std::int64_t>& ends() const { return ends_; }

 private:
  std::int64_t begin_ = 0;  // steps before the first window
  std::vector<std::int64_t> ends_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_KERNELS_WARMUP_WINDOWS_H_
