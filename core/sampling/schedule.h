// When a chain is observed. Both schedules are functions of the sweep count alone, so every chain
// of a job, before and after a restart, is observed after the same sweeps.
#ifndef POSTERIORD_CORE_SAMPLING_SCHEDULE_H_
#define POSTERIORD_CORE_SAMPLING_SCHEDULE_H_

#include <cstdint>

#include "core/spec.h"

namespace posteriord::core {

// Distance between evenly spaced trace points once the chain has reached `sweep`: the smallest
// initial_stride * 2^k at which at most max_points intervals fit into [0, sweep].
std::int64_t EvenStride(const ObservationSpec& observation, std::int64_t sweep);

// Whether an evenly spaced point is taken after `sweep` sweeps. Points taken earlier stay part of
// the even trace as long as they are multiples of the present EvenStride.
bool IsEvenPoint(const ObservationSpec& observation, std::int64_t sweep);

// Sweep counts 0, 1, 2, ... round(10^(k/20)), and the last one, `total`. Diagnostics are evaluated
// at these (core/diagnostics/diagnostics.h).
bool IsLogarithmicPoint(std::int64_t sweep, std::int64_t total);

// Smallest logarithmic point > sweep. REQUIRES: sweep < total.
std::int64_t NextLogarithmicPoint(std::int64_t sweep, std::int64_t total);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_SCHEDULE_H_
