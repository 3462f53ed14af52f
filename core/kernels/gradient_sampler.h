// HMC, MALA and NUTS on an abstract log density, with warm-up (docs/adr/0007-gradient-samplers.md).
//
// A step draws a momentum p ~ N(0, M) and runs the transition of its kind (hmc_transition.h,
// nuts_transition.h). During warm-up it also
//   adapts the step size to the target acceptance by dual averaging (dual_averaging.h),
//   replaces the metric at the end of each window (warmup_windows.h) by the regularised variances
//   or covariance of the positions in it,
// and looks for a step size to start from, before the first step and after each change of the
// metric: beginning with the present one, it is halved until a single leapfrog step is accepted
// with probability above 0.8, or doubled until it is not, with a fresh momentum each time (Hoffman
// and Gelman, JMLR 15, 2014, algorithm 4, with Stan's threshold). After warm-up nothing is adapted.
// With no warm-up at all the search is made before the first step, and the last step size in it
// that was accepted stays.
#ifndef POSTERIORD_CORE_KERNELS_GRADIENT_SAMPLER_H_
#define POSTERIORD_CORE_KERNELS_GRADIENT_SAMPLER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/kernels/covariance_estimator.h"
#include "core/kernels/dual_averaging.h"
#include "core/kernels/gradient_sampler_spec.h"
#include "core/kernels/hamiltonian.h"
#include "core/kernels/log_density.h"
#include "core/kernels/metric.h"
#include "core/kernels/transition.h"
#include "core/kernels/warmup_windows.h"
#include "core/random/sweep_address.h"

namespace posteriord::core {

// One chain's sampler. A step is a function of the state before it and of its address, bit for bit.
// Owns its workspace: seven vectors of dimension(), for NUTS twenty and three more for each depth
// that it reaches, and with kDense three squares of it. Not thread-safe: one thread at a time, any
// thread.
class GradientSampler {
 public:
  // REQUIRES: the spec's numbers are in their ranges; inverse_mass is empty or has an entry per
  // dimension, and then the metric is kDiagonal; warmup_steps >= 0.
  GradientSampler(std::unique_ptr<LogDensity> density, const GradientSamplerSpec& spec,
                  std::int64_t warmup_steps);
  GradientSampler(const GradientSampler&) = delete;
  GradientSampler& operator=(const GradientSampler&) = delete;

  // Puts the chain at `position`, rounded, and forgets what was adapted. Errors: INVALID_ARGUMENT
  // when the position has another size or is not finite; INTERNAL when the density there, or its
  // gradient, is not; both name the coordinate at fault. CANCELLED when keep_going said stop. After
  // an error the sampler is as it was.
  absl::Status Start(const Eigen::VectorXd& position, const KeepGoing& keep_going);

  // The same, but keeps what was adapted: for kernels that alternate with others.
  absl::Status MoveTo(const Eigen::VectorXd& position, const KeepGoing& keep_going);

  // One step, a warm-up step while address.sweep <= warmup_steps. False when keep_going said stop:
  // everything is then as before the step, which can be repeated.
  // REQUIRES: Start or Restore succeeded; sweeps come in order, from 1 after Start.
  bool Step(const SweepAddress& address, const KeepGoing& keep_going, StepInfo& info);

  const Eigen::VectorXd& position() const { return current_.position; }
  // The step size of the next step before its jitter, unless one is still to be looked for.
  double step_size() const { return step_size_; }
  const Metric& metric() const { return metric_; }

  // Everything needed to go on from here in a sampler that was made alike, as SavedSize() bytes.
  std::string Save() const;
  std::size_t SavedSize() const;

  // Goes back to what Save() gave. Errors: DATA_LOSS when the bytes do not fit this sampler, which
  // then stays as it was.
  absl::Status Restore(std::string_view saved);

 private:
  bool adapts_step_size() const { return !spec_.step_size.has_value(); }
  bool adapts_metric() const {
    return spec_.metric != MetricKind::kIdentity && spec_.inverse_mass.empty();
  }

  // N(0, M); attempt 0 is the step's own, others are for the search.
  void DrawMomentum(const SweepAddress& address, int attempt, Eigen::VectorXd& momentum) const;
  // False when keep_going said stop.
  bool SearchStepSize(const SweepAddress& address, const KeepGoing& keep_going, double& step_size);
  void Adapt(std::int64_t step, double acceptance);

  const std::unique_ptr<LogDensity> density_;
  const GradientSamplerSpec spec_;
  const std::int64_t warmup_steps_;
  const WarmupWindows windows_;

  // State.
  PhasePoint current_;  // its momentum is workspace
  Metric metric_;
  double step_size_;
  bool search_due_;  // before the next step
  DualAveraging dual_averaging_;
  CovarianceEstimator estimator_;

  bool is_evaluated_ = false;  // density and gradient of current_ are those of its position
  Hamiltonian hamiltonian_;
  std::unique_ptr<Transition> transition_;
  PhasePoint next_;  // workspace
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_KERNELS_GRADIENT_SAMPLER_H_
