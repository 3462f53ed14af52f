// One step of a gradient sampler with given settings: from a point with a fresh momentum to a
// position drawn from a kernel that leaves the density invariant.
#ifndef POSTERIORD_CORE_KERNELS_TRANSITION_H_
#define POSTERIORD_CORE_KERNELS_TRANSITION_H_

#include <cstdint>

#include "core/kernels/hamiltonian.h"
#include "core/random/random_block.h"

namespace posteriord::core {

// Facts of a step.
struct StepInfo {
  double acceptance = 0;  // Metropolis acceptance probability; NUTS: mean over the trajectory
  double step_size = 0;   // as used, with its jitter
  int tree_depth = 0;     // NUTS: doublings of the trajectory
  int leapfrog_steps = 0;
  double energy = 0;  // H of the point of phase space that the step ends at
  bool divergent = false;
};

// Elements of a step's block RandomUse::kTransition.
struct TransitionElement {
  static constexpr std::uint64_t kJitter = 0;
  static constexpr std::uint64_t kAcceptance = 1;
  // NUTS: which way the trajectory is doubled at a depth, and whether its new half is chosen.
  static constexpr std::uint64_t Direction(int depth) {
    return 2 + 2 * static_cast<std::uint64_t>(depth);
  }
  static constexpr std::uint64_t NewHalf(int depth) {
    return 3 + 2 * static_cast<std::uint64_t>(depth);
  }
  // NUTS: whether a point is chosen among those of its half before it; points count from 0.
  static constexpr std::uint64_t Point(int point) {
    return 128 + static_cast<std::uint64_t>(point);
  }
};

class Transition {
 public:
  virtual ~Transition() = default;

  // Sets position, density and gradient of `end` and fills `info`, all but the step size. `random`
  // is the step's block kTransition. False when keep_going said stop: `end` and `info` then mean
  // nothing, and `start` is as it was.
  virtual bool Run(const PhasePoint& start, double step_size, const RandomBlock& random,
                   const KeepGoing& keep_going, PhasePoint& end, StepInfo& info) = 0;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_KERNELS_TRANSITION_H_
