#include "core/sampling/chain.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "core/model/state_bytes.h"
#include "core/sampling/kernel.h"
#include "core/sampling/population.h"
#include "core/sampling/schedule.h"
#include "core/sampling/step_tally.h"
#include "core/sampling/typed_problem.h"

namespace posteriord::core {
namespace {

template <typename T>
class TypedChain final : public Chain {
 public:
  TypedChain(std::shared_ptr<const TypedProblem<T>> problem, int index)
      : problem_(std::move(problem)),
        index_(index),
        state_(problem_->StartState(index)),
        posterior_(MakeLogPosterior(problem_->model(), problem_->training())),
        kernel_(MakeKernel(problem_->spec(), problem_->model(), problem_->training())),
        draw_(static_cast<std::size_t>(problem_->layout().size)) {
    const ChainGroupSpec& group = problem_->spec().groups[problem_->spec().group_of(index)];
    if (group.start == StartKind::kPopulation) population_.emplace(group.population, state_);
    tally_.sum =
        Eigen::MatrixXd::Zero(problem_->test().inputs.samples(), problem_->model().outputs());
  }

  absl::StatusOr<RunOutcome> Run(SampleSink& sink, const RunControl& control) override {
    const auto keep_going = [&control] {
      return control.interrupt == nullptr || !control.interrupt->load(std::memory_order_relaxed);
    };
    if (sweep_ == 0 && !started_) {
      if (absl::Status status = kernel_->Start(state_); !status.ok()) return status;
      if (absl::Status status = Observe(sink); !status.ok()) return status;
      started_ = true;
    }
    while (sweep_ < schedule().total_sweeps()) {
      const SweepAddress address{problem_->spec().seed, static_cast<std::uint32_t>(index_),
                                 static_cast<std::uint64_t>(sweep_ + 1)};
      if (!kernel_->Sweep(address, keep_going, state_)) return RunOutcome::kInterrupted;
      ++sweep_;
      if (population_.has_value() && population_->is_running()) AdvancePopulation();
      if (sweep_ == schedule().warmup_sweeps + 1) step_tally_ = {};
      if (const std::optional<StepInfo> step = kernel_->last_step()) step_tally_.Add(*step);
      if (absl::Status status = CheckFinite(); !status.ok()) return status;
      if (absl::Status status = KeepDraw(sink); !status.ok()) return status;
      if (absl::Status status = Observe(sink); !status.ok()) return status;
      if (sweep_ < schedule().total_sweeps() && control.should_yield && control.should_yield()) {
        return RunOutcome::kYielded;
      }
    }
    return RunOutcome::kFinished;
  }

  std::string Checkpoint() const override {
    ByteWriter writer(FixedCheckpointSize());
    const std::int64_t counts[] = {sweep_, draws_, tally_.draws, started_ ? 1 : 0};
    writer.Put(counts);
    PutState(state_, writer);
    writer.PutMatrix(tally_.sum);
    writer.Put(step_tally_);
    std::string bytes = writer.Take() + kernel_->Save();
    if (population_.has_value()) bytes += population_->Save();
    return bytes;
  }

  absl::Status Restore(std::string_view checkpoint) override {
    ByteReader reader(checkpoint);
    std::int64_t counts[4] = {};
    reader.Get(counts);
    const auto [sweep, draws, tally_draws, started] = counts;
    const std::size_t fixed_size = FixedCheckpointSize();
    if (checkpoint.size() < fixed_size || (started == 0 ? sweep != 0 : started != 1) || sweep < 0 ||
        sweep > schedule().total_sweeps() || tally_draws != DrawsAfterWarmup(sweep) ||
        draws != WarmupDraws(sweep) + tally_draws) {
      return Misfit();
    }
    const std::string_view population = checkpoint.substr(fixed_size);
    if (population_.has_value() ? !population_->Restore(population, state_) : !population.empty()) {
      return Misfit();
    }
    const std::size_t kernel_size = kernel_->SavedSize();
    if (absl::Status status =
            kernel_->Restore(checkpoint.substr(fixed_size - kernel_size, kernel_size));
        !status.ok()) {
      return status;
    }
    GetState(reader, state_);
    reader.GetMatrix(tally_.sum);
    reader.Get(step_tally_);
    sweep_ = sweep;
    draws_ = draws;
    tally_.draws = tally_draws;
    started_ = started == 1;
    return absl::OkStatus();
  }

  std::int64_t sweep() const override { return sweep_; }
  std::int64_t draws() const override { return draws_; }

 private:
  const ScheduleSpec& schedule() const { return problem_->spec().schedule; }

  // Draws that the first `sweep` sweeps make.
  std::int64_t WarmupDraws(std::int64_t sweep) const {
    if (!schedule().keep_warmup) return 0;
    return std::min(sweep, schedule().warmup_sweeps) / schedule().thinning;
  }
  std::int64_t DrawsAfterWarmup(std::int64_t sweep) const {
    return std::max<std::int64_t>(0, sweep - schedule().warmup_sweeps) / schedule().thinning;
  }

  // Of all but the population.
  std::size_t FixedCheckpointSize() const {
    return 4 * sizeof(std::int64_t) + StateBytes(state_) +
           static_cast<std::size_t>(tally_.sum.size()) * sizeof(double) + sizeof(StepTally) +
           kernel_->SavedSize();
  }

  absl::Status Misfit() const {
    return absl::DataLossError(
        absl::StrCat("the checkpoint of chain ", index_, " does not fit the chain"));
  }

  void AdvancePopulation() {
    double error = 0;
    if (population_->wants_error()) {
      error = PlugInError(problem_->model(), state_.parameters, problem_->training().inputs,
                          problem_->training().targets);
    }
    population_->Advance(error, state_);
  }

  absl::Status CheckFinite() const {
    for (const Matrix<T>& parameters : state_.parameters) {
      if (parameters.allFinite()) continue;
      return absl::InternalError(absl::StrCat(
          "chain ", index_, " is no longer finite after sweep ", sweep_,
          "; noise variances or prior precisions may be too small or too large for the arithmetic, "
          "or inputs of extreme size (see standardization)"));
    }
    return absl::OkStatus();
  }

  // Hands over the draw if this sweep makes one.
  absl::Status KeepDraw(SampleSink& sink) {
    const bool warmup = sweep_ <= schedule().warmup_sweeps;
    if (warmup && !schedule().keep_warmup) return absl::OkStatus();
    const std::int64_t counted = warmup ? sweep_ : sweep_ - schedule().warmup_sweeps;
    if (counted % schedule().thinning != 0) return absl::OkStatus();
    problem_->model().Export(state_, absl::MakeSpan(draw_));
    if (!warmup) {
      AddPrediction();
    }
    return sink.AppendDraw({.index = draws_++, .sweep = sweep_, .warmup = warmup, .values = draw_});
  }

  void AddPrediction() {
    if (tally_.sum.rows() > 0) {
      problem_->model().likelihood().AddPrediction(
          PredictAll(problem_->model(), state_.parameters, problem_->test().inputs), tally_.sum);
    }
    ++tally_.draws;
  }

  // Hands over what the schedules want to see after this sweep.
  absl::Status Observe(SampleSink& sink) {
    const bool even = IsEvenPoint(problem_->spec().observation, sweep_);
    const bool logarithmic = IsLogarithmicPoint(sweep_, schedule().total_sweeps());
    if (!even && !logarithmic) return absl::OkStatus();
    std::vector<double> values = MeasureObservables(problem_->model(), problem_->training(),
                                                    problem_->test(), tally_, state_, *posterior_);
    if (const auto* gradient = std::get_if<GradientSamplerSpec>(&problem_->spec().sampler)) {
      step_tally_.AppendObservables(gradient->kind, kernel_->last_step(), values);
    }
    if (HasPopulations(problem_->spec())) {
      values.push_back(population_.has_value() ? population_->member()
                                               : std::numeric_limits<double>::quiet_NaN());
    }
    if (absl::Status status = sink.AppendTrace(
            {.sweep = sweep_, .even = even, .logarithmic = logarithmic, .values = values});
        !status.ok()) {
      return status;
    }
    if (!logarithmic || tally_.draws == 0 || tally_.sum.rows() == 0) return absl::OkStatus();
    return sink.AppendPredictive(
        {.sweep = sweep_,
         .draws = tally_.draws,
         .values =
             absl::MakeConstSpan(tally_.sum.data(), static_cast<std::size_t>(tally_.sum.size()))});
  }

  const std::shared_ptr<const TypedProblem<T>> problem_;
  const int index_;
  State<T> state_;
  std::optional<Population<T>> population_;
  const std::unique_ptr<LogPosterior<T>> posterior_;  // to observe
  const std::unique_ptr<Kernel<T>> kernel_;
  StepTally step_tally_;  // of warm-up, then of what follows it
  PredictiveTally tally_;
  std::vector<double> draw_;
  std::int64_t sweep_ = 0;
  std::int64_t draws_ = 0;
  bool started_ = false;  // whether the start was observed
};

}  // namespace

std::unique_ptr<Chain> Chain::Create(std::shared_ptr<const Problem> problem, int index) {
  if (problem->spec().precision == Precision::kFloat32) {
    return std::make_unique<TypedChain<float>>(
        std::static_pointer_cast<const TypedProblem<float>>(std::move(problem)), index);
  }
  return std::make_unique<TypedChain<double>>(
      std::static_pointer_cast<const TypedProblem<double>>(std::move(problem)), index);
}

}  // namespace posteriord::core
