#include "core/sampling/step_tally.h"

#include <limits>

namespace posteriord::core {

std::vector<ObservableInfo> ListStepObservables(GradientSamplerKind kind) {
  std::vector<ObservableInfo> list = {
      {"sampler.acceptance", "mean acceptance probability so far, of warm-up or of what follows"},
      {"sampler.step_size", "step size of the last step"},
      {"sampler.leapfrog_steps", "leapfrog steps of the last step"}};
  if (kind == GradientSamplerKind::kNuts) {
    list.push_back({"sampler.tree_depth", "doublings of the last step's trajectory"});
  }
  list.push_back({"sampler.energy", "Hamiltonian at the end of the last step"});
  list.push_back({"sampler.energy_fraction",
                  "Bayesian fraction of missing information (E-BFMI) so far; below 0.3 is bad"});
  list.push_back({"sampler.divergences", "divergent steps so far, of warm-up or of what follows"});
  return list;
}

void StepTally::Add(const StepInfo& step) {
  ++steps;
  divergences += step.divergent ? 1 : 0;
  acceptance += step.acceptance;
  energy.Add(step.energy);
}

void StepTally::AppendObservables(GradientSamplerKind kind, const std::optional<StepInfo>& last,
                                  std::vector<double>& values) const {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const bool any = steps > 0 && last.has_value();
  values.push_back(any ? acceptance / static_cast<double>(steps) : kNone);
  values.push_back(any ? last->step_size : kNone);
  values.push_back(any ? last->leapfrog_steps : kNone);
  if (kind == GradientSamplerKind::kNuts) values.push_back(any ? last->tree_depth : kNone);
  values.push_back(any ? last->energy : kNone);
  values.push_back(energy.Fraction().value_or(kNone));
  values.push_back(any ? static_cast<double>(divergences) : kNone);
}

}  // namespace posteriord::core
