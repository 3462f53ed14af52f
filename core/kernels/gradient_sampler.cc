#include "core/kernels/gradient_sampler.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/kernels/hmc_transition.h"
#include "core/kernels/nuts_transition.h"
#include "core/random/draws.h"

namespace posteriord::core {
namespace {

// Where the search for a step size begins and where it gives up: 2^-100 and 2^23.
constexpr double kFirstStepSize = 1;
constexpr double kSmallestStepSize = 0x1p-100;
constexpr double kLargestStepSize = 0x1p23;
// Acceptance of one leapfrog step that the search looks for.
constexpr double kSearchAcceptance = 0.8;

std::unique_ptr<Transition> MakeTransition(const GradientSamplerSpec& spec,
                                           Hamiltonian& hamiltonian) {
  switch (spec.kind) {
    case GradientSamplerKind::kHmc:
      return std::make_unique<HmcTransition>(hamiltonian, spec.leapfrog_steps,
                                             spec.max_energy_error);
    case GradientSamplerKind::kMala:
      return std::make_unique<HmcTransition>(hamiltonian, 1, spec.max_energy_error);
    case GradientSamplerKind::kNuts:
      break;
  }
  return std::make_unique<NutsTransition>(hamiltonian, spec.max_tree_depth, spec.max_energy_error);
}

Metric MakeMetric(const GradientSamplerSpec& spec, Eigen::Index dimension) {
  Metric metric(spec.metric, dimension);
  if (!spec.inverse_mass.empty()) {
    metric.SetInverseMass(Eigen::Map<const Eigen::VectorXd>(
        spec.inverse_mass.data(), static_cast<Eigen::Index>(spec.inverse_mass.size())));
  }
  return metric;
}

// Index of the first entry that is not finite, or -1.
Eigen::Index FindNotFinite(const Eigen::VectorXd& values) {
  for (Eigen::Index i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) return i;
  }
  return -1;
}

}  // namespace

GradientSampler::GradientSampler(std::unique_ptr<LogDensity> density,
                                 const GradientSamplerSpec& spec, std::int64_t warmup_steps)
    : density_(std::move(density)),
      spec_(spec),
      warmup_steps_(warmup_steps),
      windows_(warmup_steps),
      current_(density_->dimension()),
      metric_(MakeMetric(spec, density_->dimension())),
      step_size_(spec.step_size.value_or(kFirstStepSize)),
      search_due_(adapts_step_size()),
      dual_averaging_(spec.target_acceptance),
      estimator_(adapts_metric() ? spec.metric : MetricKind::kIdentity, density_->dimension()),
      hamiltonian_(*density_, metric_),
      transition_(MakeTransition(spec, hamiltonian_)),
      next_(density_->dimension()) {}

absl::Status GradientSampler::MoveTo(const Eigen::VectorXd& position, const KeepGoing& keep_going) {
  if (position.size() != density_->dimension()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the start has ", position.size(), " coordinates instead of ", density_->dimension()));
  }
  next_.position = position;
  density_->Round(next_.position);
  if (const Eigen::Index i = FindNotFinite(next_.position); i >= 0) {
    return absl::InvalidArgumentError(absl::StrCat("coordinate ", i, " of the start is ",
                                                   position[i], ", which is not a finite number"));
  }
  if (!hamiltonian_.Evaluate(keep_going, next_)) {
    return absl::CancelledError("interrupted while the density at the start was computed");
  }
  // The gradient says more about the place of the error than the density does.
  const Eigen::Index i = FindNotFinite(next_.gradient);
  if (!std::isfinite(next_.log_density)) {
    return absl::InternalError(absl::StrCat(
        "the log density at the start is ", next_.log_density,
        i < 0 ? ""
              : absl::StrCat("; its derivative by coordinate ", i, " is ", next_.gradient[i])));
  }
  if (i >= 0) {
    return absl::InternalError(absl::StrCat("the derivative of the log density by coordinate ", i,
                                            " at the start is ", next_.gradient[i]));
  }
  std::swap(current_, next_);
  is_evaluated_ = true;
  return absl::OkStatus();
}

absl::Status GradientSampler::Start(const Eigen::VectorXd& position, const KeepGoing& keep_going) {
  if (absl::Status status = MoveTo(position, keep_going); !status.ok()) return status;
  if (adapts_metric()) metric_.SetInverseMass(Metric(spec_.metric, position.size()).inverse_mass());
  step_size_ = spec_.step_size.value_or(kFirstStepSize);
  search_due_ = adapts_step_size();
  dual_averaging_.set_state({});
  estimator_.Reset();
  return absl::OkStatus();
}

void GradientSampler::DrawMomentum(const SweepAddress& address, int attempt,
                                   Eigen::VectorXd& momentum) const {
  const auto size = static_cast<std::size_t>(momentum.size());
  const std::uint64_t whole_elements = size + size % 2;
  DrawNormals<double>(
      RandomBlock(address.seed, address.chain, address.sweep, MakeBlock(0, RandomUse::kMomentum)),
      static_cast<std::uint64_t>(attempt) * whole_elements, {momentum.data(), size});
  metric_.MakeMomentum(momentum);
}

bool GradientSampler::SearchStepSize(const SweepAddress& address, const KeepGoing& keep_going,
                                     double& step_size) {
  double accepted = 0;  // the last step size that was, or 0
  bool grows = false;
  for (int attempt = 1; step_size > kSmallestStepSize && step_size < kLargestStepSize; ++attempt) {
    DrawMomentum(address, attempt, current_.momentum);
    next_ = current_;
    const double start_energy = hamiltonian_.Energy(current_);
    if (!hamiltonian_.Leapfrog(step_size, keep_going, next_)) return false;
    const double error = hamiltonian_.Energy(next_) - start_energy;
    const bool is_accepted = error < -std::log(kSearchAcceptance);
    if (is_accepted) accepted = step_size;
    if (attempt == 1) {
      grows = is_accepted;
    } else if (grows != is_accepted) {
      break;
    }
    step_size *= grows ? 2 : 0.5;
  }
  // Warm-up corrects a step that is too long; without it nobody would.
  if (warmup_steps_ == 0 && accepted > 0) step_size = accepted;
  return true;
}

bool GradientSampler::Step(const SweepAddress& address, const KeepGoing& keep_going,
                           StepInfo& info) {
  if (!is_evaluated_ && !hamiltonian_.Evaluate(keep_going, current_)) return false;
  is_evaluated_ = true;
  double step_size = step_size_;
  if (search_due_ && !SearchStepSize(address, keep_going, step_size)) return false;

  const RandomBlock random(address.seed, address.chain, address.sweep,
                           MakeBlock(0, RandomUse::kTransition));
  double jittered = step_size;
  if (spec_.step_size_jitter > 0) {
    const double u = 2 * DrawUniform(random, TransitionElement::kJitter) - 1;
    jittered *= 1 + spec_.step_size_jitter * u;
  }
  DrawMomentum(address, 0, current_.momentum);
  StepInfo made;
  if (!transition_->Run(current_, jittered, random, keep_going, next_, made)) return false;

  // From here on nothing can stop the step.
  made.step_size = jittered;
  info = made;
  density_->Round(next_.position);
  std::swap(current_, next_);
  if (search_due_) {
    step_size_ = step_size;
    dual_averaging_.Restart(step_size);
    search_due_ = false;
  }
  if (address.sweep <= static_cast<std::uint64_t>(warmup_steps_)) {
    Adapt(static_cast<std::int64_t>(address.sweep), made.acceptance);
  }
  return true;
}

void GradientSampler::Adapt(std::int64_t step, double acceptance) {
  if (adapts_step_size()) step_size_ = dual_averaging_.Learn(acceptance);
  if (adapts_metric() && windows_.Contains(step)) {
    estimator_.Add(current_.position);
    if (windows_.EndsAt(step)) {
      // An estimate that is no metric, after an overflow say, leaves the old one.
      metric_.SetInverseMass(estimator_.Regularised());
      estimator_.Reset();
      search_due_ = adapts_step_size();
    }
  }
  if (adapts_step_size() && step == warmup_steps_) step_size_ = dual_averaging_.Result();
}

std::size_t GradientSampler::SavedSize() const {
  const CovarianceEstimator::State& estimate = estimator_.state();
  const Eigen::Index numbers = current_.position.size() + metric_.inverse_mass().size() +
                               estimate.mean.size() + estimate.deviations.size();
  return sizeof(std::uint64_t) + sizeof(step_size_) + sizeof(DualAveraging::State) +
         sizeof(estimate.count) + static_cast<std::size_t>(numbers) * sizeof(double);
}

std::string GradientSampler::Save() const {
  const CovarianceEstimator::State& estimate = estimator_.state();
  ByteWriter writer(SavedSize());
  writer.Put(std::uint64_t{search_due_});
  writer.Put(step_size_);
  writer.Put(dual_averaging_.state());
  writer.Put(estimate.count);
  writer.PutMatrix(current_.position);
  writer.PutMatrix(metric_.inverse_mass());
  writer.PutMatrix(estimate.mean);
  writer.PutMatrix(estimate.deviations);
  return writer.Take();
}

absl::Status GradientSampler::Restore(std::string_view saved) {
  std::uint64_t search_due = 0;
  double step_size = 0;
  DualAveraging::State dual_averaging;
  CovarianceEstimator::State estimate = estimator_.state();
  Eigen::VectorXd position = current_.position;
  Eigen::MatrixXd inverse_mass = metric_.inverse_mass();
  ByteReader reader(saved);
  reader.Get(search_due);
  reader.Get(step_size);
  reader.Get(dual_averaging);
  reader.Get(estimate.count);
  reader.GetMatrix(position);
  reader.GetMatrix(inverse_mass);
  reader.GetMatrix(estimate.mean);
  reader.GetMatrix(estimate.deviations);
  if (saved.size() != SavedSize() || search_due > 1 || !(step_size > 0) ||
      !std::isfinite(step_size) || !position.allFinite() || !metric_.SetInverseMass(inverse_mass)) {
    return absl::DataLossError("the saved state does not fit the gradient sampler");
  }
  search_due_ = search_due == 1;
  step_size_ = step_size;
  dual_averaging_.set_state(dual_averaging);
  estimator_.set_state(estimate);
  current_.position = std::move(position);
  is_evaluated_ = false;
  return absl::OkStatus();
}

}  // namespace posteriord::core
