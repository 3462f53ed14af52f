#include "core/kernels/hmc_transition.h"

#include <algorithm>
#include <cmath>

#include "core/random/draws.h"

namespace posteriord::core {

HmcTransition::HmcTransition(Hamiltonian& hamiltonian, int leapfrog_steps, double max_energy_error)
    : hamiltonian_(hamiltonian),
      leapfrog_steps_(leapfrog_steps),
      max_energy_error_(max_energy_error) {}

bool HmcTransition::Run(const PhasePoint& start, double step_size, const RandomBlock& random,
                        const KeepGoing& keep_going, PhasePoint& end, StepInfo& info) {
  info = StepInfo{};
  const double start_energy = hamiltonian_.Energy(start);
  end = start;
  while (info.leapfrog_steps < leapfrog_steps_) {
    if (!hamiltonian_.Leapfrog(step_size, keep_going, end)) return false;
    ++info.leapfrog_steps;
    // A trajectory may end early only for a reason that its reverse shares.
    if (!std::isfinite(end.log_density)) break;
  }
  const double end_energy = hamiltonian_.Energy(end);
  const double error = end_energy - start_energy;
  info.divergent = !(error <= max_energy_error_);
  info.acceptance = std::exp(std::min(0.0, -error));
  if (DrawUniform(random, TransitionElement::kAcceptance) < info.acceptance) {
    info.energy = end_energy;
  } else {
    end = start;
    info.energy = start_energy;
  }
  return true;
}

}  // namespace posteriord::core
