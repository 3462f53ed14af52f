// A Markov chain as a resumable task.
#ifndef POSTERIORD_CORE_SAMPLING_CHAIN_H_
#define POSTERIORD_CORE_SAMPLING_CHAIN_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/sampling/problem.h"
#include "core/sampling/sample_sink.h"

namespace posteriord::core {

enum class RunOutcome {
  kFinished,     // all sweeps of the schedule are made
  kYielded,      // should_yield() answered true after a whole sweep
  kInterrupted,  // *interrupt was set; the sweep in progress was discarded and the chain is
                 // unusable until Restore()
};

// How the caller of Run() takes its thread back.
struct RunControl {
  std::function<bool()> should_yield;            // asked after every sweep
  const std::atomic<bool>* interrupt = nullptr;  // polled between the blocks of a sweep
};

// One chain of a problem: a state, a sweep count and the loop that advances them. The draws depend
// on the problem and the chain's index only, never on how a run was cut into slices.
// Not thread-safe: one thread at a time, any thread.
class Chain {
 public:
  // A chain at its start, before the first sweep. REQUIRES: 0 <= index < chain_count().
  static std::unique_ptr<Chain> Create(std::shared_ptr<const Problem> problem, int index);

  virtual ~Chain() = default;

  // Makes sweeps, observes them and hands draws over to `sink` until the schedule is spent or the
  // caller wants its thread back. Errors: those of the sink, unchanged; INTERNAL when the state is
  // no longer finite, naming the sweep.
  virtual absl::StatusOr<RunOutcome> Run(SampleSink& sink, const RunControl& control) = 0;

  // Everything needed to go on from here, as bytes. Whoever stores them guards them by a checksum.
  virtual std::string Checkpoint() const = 0;

  // Goes back to a checkpoint. Errors: DATA_LOSS when the bytes do not fit this chain, which then
  // stays as it was.
  virtual absl::Status Restore(std::string_view checkpoint) = 0;

  // Sweeps made.
  virtual std::int64_t sweep() const = 0;
  // Draws handed over, kept warm-up included.
  virtual std::int64_t draws() const = 0;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_CHAIN_H_
