// Where a chain hands over what it makes. The sampler never knows what becomes of it.
#ifndef POSTERIORD_CORE_SAMPLING_SAMPLE_SINK_H_
#define POSTERIORD_CORE_SAMPLING_SAMPLE_SINK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace posteriord::core {

// One kept state of the parameters. `values` is valid during the call only.
struct Draw {
  std::int64_t index = 0;  // counts the kept draws of the chain, warm-up included, from 0
  std::int64_t sweep = 0;  // number of sweeps made
  bool warmup = false;
  absl::Span<const double> values;  // flat, in the order of ParameterLayout; exact in the
                                    // precision of the chain
};

// Values of all observables after `sweep` sweeps, in the order of Problem::observables().
struct TracePoint {
  std::int64_t sweep = 0;
  bool even = false;                // belongs to the evenly spaced schedule
  bool logarithmic = false;         // belongs to the logarithmic schedule
  absl::Span<const double> values;  // NaN where an observable does not exist yet
};

// Sum over the chain's `draws` draws after warm-up, up to `sweep`, of the plug-in predictions at
// the test samples: outputs (Gaussian) or one-hot votes (probit), samples x outputs, column-major.
// Handed over at every logarithmic point that has at least one draw.
struct PredictiveSum {
  std::int64_t sweep = 0;
  std::int64_t draws = 0;
  absl::Span<const double> values;
};

// Receives what one chain makes, in order of sweeps. After a restart from a checkpoint a chain
// repeats what it has already handed over; the values are identical bit for bit. A status other
// than OK ends the run of the chain and is returned from it.
class SampleSink {
 public:
  virtual ~SampleSink() = default;
  virtual absl::Status AppendDraw(const Draw& draw) = 0;
  virtual absl::Status AppendTrace(const TracePoint& point) = 0;
  virtual absl::Status AppendPredictive(const PredictiveSum& sum) = 0;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_SAMPLE_SINK_H_
