#include "core/sampling/chain.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/sampling/gibbs.h"
#include "core/sampling/schedule.h"
#include "core/sampling/typed_problem.h"

namespace posteriord::core {
namespace {

// Plain bytes of a checkpoint, in the byte order of the machine (little-endian by the numeric
// profile that guards it).
class Writer {
 public:
  explicit Writer(std::size_t size) { bytes_.reserve(size); }

  template <typename Value>
  void Put(const Value* values, std::size_t count) {
    bytes_.append(reinterpret_cast<const char*>(values), count * sizeof(Value));
  }
  template <typename MatrixType>
  void PutMatrix(const MatrixType& matrix) {
    for (Eigen::Index column = 0; column < matrix.cols(); ++column) {
      Put(matrix.data() + column * matrix.outerStride(), static_cast<std::size_t>(matrix.rows()));
    }
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// REQUIRES: whoever reads past the counts has checked the size.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  // Leaves `values` alone when there are not enough bytes.
  template <typename Value>
  void Get(Value* values, std::size_t count) {
    const std::size_t size = count * sizeof(Value);
    if (size == 0 || size > rest_.size()) return;
    std::memcpy(values, rest_.data(), size);
    rest_.remove_prefix(size);
  }
  template <typename MatrixType>
  void GetMatrix(MatrixType&& matrix) {
    for (Eigen::Index column = 0; column < matrix.cols(); ++column) {
      Get(&matrix.coeffRef(0, column), static_cast<std::size_t>(matrix.rows()));
    }
  }

 private:
  std::string_view rest_;
};

template <typename T>
class TypedChain final : public Chain {
 public:
  TypedChain(std::shared_ptr<const TypedProblem<T>> problem, int index)
      : problem_(std::move(problem)),
        index_(index),
        state_(problem_->StartState(index)),
        sampler_(problem_->model(), problem_->training()),
        draw_(static_cast<std::size_t>(problem_->layout().size)) {
    tally_.sum =
        Eigen::MatrixXd::Zero(problem_->test().inputs.samples(), problem_->model().outputs());
  }

  absl::StatusOr<RunOutcome> Run(SampleSink& sink, const RunControl& control) override {
    const auto keep_going = [&control] {
      return control.interrupt == nullptr || !control.interrupt->load(std::memory_order_relaxed);
    };
    if (sweep_ == 0 && !started_) {
      if (absl::Status status = Observe(sink); !status.ok()) return status;
      started_ = true;
    }
    while (sweep_ < schedule().total_sweeps()) {
      const SweepAddress address{problem_->spec().seed, static_cast<std::uint32_t>(index_),
                                 static_cast<std::uint64_t>(sweep_ + 1)};
      if (!sampler_.Sweep(address, keep_going, state_)) return RunOutcome::kInterrupted;
      ++sweep_;
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
    Writer writer(CheckpointSize());
    const std::int64_t counts[] = {sweep_, draws_, tally_.draws, started_ ? 1 : 0};
    writer.Put(counts, std::size(counts));
    for (const Matrix<T>& parameters : state_.parameters) writer.PutMatrix(parameters);
    for (const Latent<T>& latent : state_.latents) writer.PutMatrix(latent.values());
    writer.PutMatrix(tally_.sum);
    return writer.Take();
  }

  absl::Status Restore(std::string_view checkpoint) override {
    Reader reader(checkpoint);
    std::int64_t counts[4] = {};
    reader.Get(counts, std::size(counts));
    const auto [sweep, draws, tally_draws, started] = counts;
    if (checkpoint.size() != CheckpointSize() || (started == 0 ? sweep != 0 : started != 1) ||
        sweep < 0 || sweep > schedule().total_sweeps() || tally_draws != DrawsAfterWarmup(sweep) ||
        draws != WarmupDraws(sweep) + tally_draws) {
      return absl::DataLossError(
          absl::StrCat("the checkpoint of chain ", index_, " does not fit the chain"));
    }
    for (Matrix<T>& parameters : state_.parameters) reader.GetMatrix(parameters);
    for (Latent<T>& latent : state_.latents) reader.GetMatrix(latent.values());
    reader.GetMatrix(tally_.sum);
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

  std::size_t CheckpointSize() const {
    Eigen::Index numbers = 0;
    for (const Matrix<T>& parameters : state_.parameters) numbers += parameters.size();
    for (const Latent<T>& latent : state_.latents) numbers += latent.values().size();
    return 4 * sizeof(std::int64_t) + static_cast<std::size_t>(numbers) * sizeof(T) +
           static_cast<std::size_t>(tally_.sum.size()) * sizeof(double);
  }

  absl::Status CheckFinite() const {
    for (const Matrix<T>& parameters : state_.parameters) {
      if (parameters.allFinite()) continue;
      return absl::InternalError(absl::StrCat(
          "chain ", index_, " is no longer finite after sweep ", sweep_,
          "; the noise variances or precisions may be too small for the chosen precision"));
    }
    return absl::OkStatus();
  }

  // Hands over the draw if this sweep makes one.
  absl::Status KeepDraw(SampleSink& sink) {
    const bool warmup = sweep_ <= schedule().warmup_sweeps;
    if (warmup && !schedule().keep_warmup) return absl::OkStatus();
    const std::int64_t counted = warmup ? sweep_ : sweep_ - schedule().warmup_sweeps;
    if (counted % schedule().thinning != 0) return absl::OkStatus();
    problem_->model().Export(state_.parameters, absl::MakeSpan(draw_));
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
    const std::vector<double> values = MeasureObservables(problem_->model(), problem_->training(),
                                                          problem_->test(), tally_, state_);
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
  GibbsSampler<T> sampler_;
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
