// What is traced of the steps of a gradient sampler:
//
//   sampler.acceptance       mean acceptance probability so far (of warm-up, then of what follows)
//   sampler.step_size        of the last step
//   sampler.leapfrog_steps   of the last step
//   sampler.tree_depth       of the last step, of NUTS only
//   sampler.energy           Hamiltonian at the end of the last step
//   sampler.energy_fraction  E-BFMI so far (core/diagnostics/energy_fraction.h)
//   sampler.divergences      number of divergent steps so far (of warm-up, then of what follows)
#ifndef POSTERIORD_CORE_SAMPLING_STEP_TALLY_H_
#define POSTERIORD_CORE_SAMPLING_STEP_TALLY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "core/diagnostics/energy_fraction.h"
#include "core/kernels/gradient_sampler_spec.h"
#include "core/kernels/transition.h"
#include "core/sampling/problem.h"

namespace posteriord::core {

std::vector<ObservableInfo> ListStepObservables(GradientSamplerKind kind);

// A plain record, to be stored in a checkpoint as it is.
struct StepTally {
  std::int64_t steps = 0;
  std::int64_t divergences = 0;
  double acceptance = 0;  // sum
  EnergyFractionAccumulator energy;

  void Add(const StepInfo& step);

  // Adds the values in the order of ListStepObservables; before the first step there are none but
  // NaN.
  void AppendObservables(GradientSamplerKind kind, const std::optional<StepInfo>& last,
                         std::vector<double>& values) const;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_STEP_TALLY_H_
