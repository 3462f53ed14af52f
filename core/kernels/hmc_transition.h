// Hamiltonian Monte Carlo with a fixed number of leapfrog steps (Duane, Kennedy, Pendleton, Roweth,
// "Hybrid Monte Carlo", 1987): the end of the trajectory is accepted with probability
//   min(1, exp(H(start) - H(end))).
// With one leapfrog step this is MALA: the position is proposed from
//   N(q + e^2/2 M^{-1} grad(q), e^2 M^{-1}),
// and exp(H(start) - H(end)) is the Metropolis-Hastings ratio of that proposal.
#ifndef POSTERIORD_CORE_KERNELS_HMC_TRANSITION_H_
#define POSTERIORD_CORE_KERNELS_HMC_TRANSITION_H_

#include "core/kernels/transition.h"

namespace posteriord::core {

// REQUIRES: hamiltonian outlives it.
class HmcTransition final : public Transition {
 public:
  HmcTransition(Hamiltonian& hamiltonian, int leapfrog_steps, double max_energy_error);

  // The step is divergent when the energy at the end has grown too much, or when the trajectory
  // came to a point of density zero, where it ends.
  bool Run(const PhasePoint& start, double step_size, const RandomBlock& random,
           const KeepGoing& keep_going, PhasePoint& end, StepInfo& info) override;

 private:
  Hamiltonian& hamiltonian_;
  const int leapfrog_steps_;
  const double max_energy_error_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_KERNELS_HMC_TRANSITION_H_
