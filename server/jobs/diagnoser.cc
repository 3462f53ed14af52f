#include "server/jobs/diagnoser.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/sampling/schedule.h"
#include "server/base/status_macros.h"
#include "server/convert/diagnostics.h"

namespace posteriord::server {
namespace {

constexpr int kPointsPerRead = 4096;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

}  // namespace

Diagnoser::Diagnoser(JobStore& store, std::string job, std::shared_ptr<const core::Problem> problem,
                     StopPolicy policy)
    : store_(store),
      job_(std::move(job)),
      problem_(std::move(problem)),
      policy_(std::move(policy)) {
  for (const core::ObservableInfo& observable : problem_->observables()) {
    names_.push_back(observable.name);
    monitored_.push_back(observable.monitored);
  }
  const core::Spec& spec = problem_->spec();
  traces_.resize(spec.chain_count());
  sweeps_.resize(spec.chain_count());
  reached_.resize(spec.chain_count(), -1);
  for (int chain = 0; chain < spec.chain_count(); ++chain) {
    traces_[chain].informed = spec.groups[spec.group_of(chain)].start == core::StartKind::kInformed;
    traces_[chain].observables.resize(names_.size());
  }
}

absl::StatusOr<bool> Diagnoser::Restore() {
  ASSIGN_OR_RETURN(const std::optional<DiagnosticsRecord> latest, store_.LatestDiagnostics(job_));
  const core::Spec& spec = problem_->spec();
  std::int64_t next_sweep = 0;
  if (latest.has_value()) {
    v1::Diagnostics message;
    if (!message.ParseFromString(latest->body) ||
        message.observables_size() != static_cast<int>(names_.size())) {
      return absl::DataLossError("the job's stored diagnostics cannot be read");
    }
    next_index_ = latest->index + 1;
    previous_ = FromProto(message);
    stop_reason_ =
        latest->sweep >= spec.schedule.total_sweeps() ? kScheduleSpent : message.stop_reason();
    next_sweep = finished()
                     ? kNever
                     : core::NextLogarithmicPoint(latest->sweep, spec.schedule.total_sweeps());
  }
  if (!finished()) stride_ = core::EvenStride(spec.observation, next_sweep);
  ASSIGN_OR_RETURN(const std::vector<ChainPosition> positions, store_.Positions(job_));
  for (std::size_t chain = 0; chain < positions.size() && !finished(); ++chain) {
    RETURN_IF_ERROR(ReadChain(static_cast<int>(chain), positions[chain]));
  }
  MutexLock lock(mutex_);
  next_sweep_ = next_sweep;
  evaluating_ = IsReady();
  return evaluating_;
}

absl::Status Diagnoser::ReadChain(int chain, const ChainPosition& position) {
  for (std::int64_t index = 0; index < position.points;) {
    ASSIGN_OR_RETURN(const std::vector<TraceRecord> points,
                     store_.ReadTrace(job_, chain, index, kPointsPerRead));
    if (points.empty()) return absl::DataLossError("the trace of a chain ends too early");
    for (const TraceRecord& point : points) {
      if (point.even) AddToTraces({chain, point.sweep, point.values});
    }
    index = points.back().index + 1;
  }
  MutexLock lock(mutex_);
  reached_[chain] = position.points == 0 ? -1 : position.sweeps;
  return absl::OkStatus();
}

bool Diagnoser::Add(int chain, absl::Span<const TraceRecord> points, std::int64_t sweeps) {
  MutexLock lock(mutex_);
  for (const TraceRecord& point : points) {
    if (point.even) new_points_.push_back({chain, point.sweep, point.values});
  }
  reached_[chain] = sweeps;
  if (evaluating_ || !IsReady()) return false;
  evaluating_ = true;
  return true;
}

bool Diagnoser::IsReady() const {
  return *std::min_element(reached_.begin(), reached_.end()) >= next_sweep_;
}

std::int64_t Diagnoser::NextDecidingSweep() {
  MutexLock lock(mutex_);
  return policy_.NextDecidingSweep(next_sweep_, problem_->spec().schedule);
}

absl::StatusOr<bool> Diagnoser::EvaluateNext(bool wall_time_spent) {
  std::int64_t sweep = 0;
  std::vector<NewPoint> points;
  {
    MutexLock lock(mutex_);
    if (!IsReady()) {
      evaluating_ = false;
      return false;
    }
    sweep = next_sweep_;
    points = std::exchange(new_points_, {});
  }
  const core::Spec& spec = problem_->spec();
  SetStride(core::EvenStride(spec.observation, sweep));
  for (const NewPoint& point : points) AddToTraces(point);
  ASSIGN_OR_RETURN(const v1::Diagnostics message, Evaluate(sweep, wall_time_spent));
  RETURN_IF_ERROR(store_.AppendDiagnostics(
      job_, {.index = next_index_, .sweep = sweep, .body = message.SerializeAsString()}));
  ++next_index_;
  stop_reason_ = sweep == spec.schedule.total_sweeps() ? kScheduleSpent : message.stop_reason();
  MutexLock lock(mutex_);
  next_sweep_ =
      finished() ? kNever : core::NextLogarithmicPoint(sweep, spec.schedule.total_sweeps());
  return true;
}

absl::StatusOr<v1::Diagnostics> Diagnoser::Evaluate(std::int64_t sweep, bool wall_time_spent) {
  const core::Spec& spec = problem_->spec();
  core::DiagnosticsInput input{.thermalization = &spec.thermalization,
                               .names = names_,
                               .monitored = monitored_,
                               .traces = &traces_,
                               .stride = stride_,
                               .sweep = sweep,
                               .final = sweep == spec.schedule.total_sweeps(),
                               .previous = previous_.has_value() ? &*previous_ : nullptr};
  core::Diagnostics diagnostics = core::EvaluateDiagnostics(input);
  std::string stop_reason;
  if (!input.final) stop_reason = policy_.ReasonToStop(diagnostics, input, wall_time_spent);
  if (!stop_reason.empty()) {  // no verdict comes after this one
    input.final = true;
    diagnostics = core::EvaluateDiagnostics(input);
  }
  v1::Diagnostics message = ToProto(diagnostics, problem_->observables());
  message.set_stop_reason(std::move(stop_reason));
  previous_ = std::move(diagnostics);
  ASSIGN_OR_RETURN(const std::optional<double> pooled, PooledTestError(false, sweep));
  if (pooled.has_value()) message.set_pooled_predictive_test_error(*pooled);
  ASSIGN_OR_RETURN(const std::optional<double> informed, PooledTestError(true, sweep));
  if (informed.has_value()) message.set_informed_predictive_test_error(*informed);
  return message;
}

absl::StatusOr<std::optional<double>> Diagnoser::PooledTestError(bool informed,
                                                                 std::int64_t sweep) {
  std::vector<double> sum;
  std::int64_t draws = 0;
  for (std::size_t chain = 0; chain < traces_.size(); ++chain) {
    if (traces_[chain].informed != informed) continue;
    ASSIGN_OR_RETURN(const std::optional<PredictiveRecord> record,
                     store_.ReadPredictive(job_, static_cast<int>(chain), sweep));
    if (!record.has_value()) return std::nullopt;
    sum.resize(record->values.size());
    std::transform(sum.begin(), sum.end(), record->values.begin(), sum.begin(), std::plus<>());
    draws += record->draws;
  }
  if (draws == 0) return std::nullopt;
  return problem_->PredictiveTestError(sum, draws);
}

void Diagnoser::SetStride(std::int64_t stride) {
  if (stride == stride_) return;
  stride_ = stride;
  for (std::size_t chain = 0; chain < traces_.size(); ++chain) {
    std::vector<std::int64_t>& sweeps = sweeps_[chain];
    std::size_t kept = 0;
    for (std::size_t point = 0; point < sweeps.size(); ++point) {
      if (sweeps[point] % stride != 0) continue;
      sweeps[kept] = sweeps[point];
      for (std::vector<double>& values : traces_[chain].observables) {
        values[kept] = values[point];
      }
      ++kept;
    }
    sweeps.resize(kept);
    for (std::vector<double>& values : traces_[chain].observables) values.resize(kept);
  }
}

void Diagnoser::AddToTraces(const NewPoint& point) {
  if (point.sweep % stride_ != 0) return;
  sweeps_[point.chain].push_back(point.sweep);
  std::vector<std::vector<double>>& observables = traces_[point.chain].observables;
  for (std::size_t i = 0; i < observables.size(); ++i) observables[i].push_back(point.values[i]);
}

}  // namespace posteriord::server
