// Small problems, and chains whose every move is known.
#ifndef POSTERIORD_TESTS_SERVER_JOBS_TESTING_FAKE_PROBLEM_H_
#define POSTERIORD_TESTS_SERVER_JOBS_TESTING_FAKE_PROBLEM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/sampling/chain.h"
#include "core/sampling/problem.h"
#include "core/sampling/sample_sink.h"
#include "core/sampling/schedule.h"
#include "server/store/byte_codec.h"

namespace posteriord::testing {

// Two observables, three parameters, two test samples with one output; no mathematics.
class FakeProblem final : public core::Problem {
 public:
  explicit FakeProblem(core::Spec spec) : spec_(std::move(spec)) {
    layout_.arrays = {{"dense1.weight", {1, 3}, 0, 3}};
    layout_.size = 3;
  }

  const core::Spec& spec() const override { return spec_; }
  const core::ParameterLayout& layout() const override { return layout_; }
  const std::vector<core::ObservableInfo>& observables() const override { return observables_; }
  double PredictiveTestError(absl::Span<const double> sum, std::int64_t draws) const override {
    return (sum[0] + sum[1]) / static_cast<double>(draws);
  }

 private:
  const core::Spec spec_;
  core::ParameterLayout layout_;
  const std::vector<core::ObservableInfo> observables_ = {{"first", "", true},
                                                          {"second", "", false}};
};

// A spec with one group of chains started at the teacher and one started at zero.
inline core::Spec FakeSpec(int informed, int zero, std::int64_t draws) {
  core::Spec spec;
  if (informed > 0) {
    spec.groups.push_back({.start = core::StartKind::kInformed, .chains = informed});
  }
  if (zero > 0) spec.groups.push_back({.start = core::StartKind::kZero, .chains = zero});
  spec.schedule.draws = draws;
  spec.observation.max_points = 16;
  spec.thermalization.observables = {"first"};
  return spec;
}

// Makes draws that are functions of chain and sweep.
class FakeChain final : public core::Chain {
 public:
  // What happens in a sweep, before anything of it is handed over. An error ends the chain.
  using OnSweep = std::function<absl::Status(int chain, std::int64_t sweep)>;

  // The first observable, which is monitored, after a sweep.
  using Observe = std::function<double(int chain, std::int64_t sweep)>;

  FakeChain(std::shared_ptr<const core::Problem> problem, int index, OnSweep on_sweep,
            Observe observe = ObserveValue)
      : problem_(std::move(problem)),
        index_(index),
        on_sweep_(std::move(on_sweep)),
        observe_(std::move(observe)) {}

  // The value of parameter `i` at a sweep; observables and predictions are made of them, too.
  static double Value(int chain, std::int64_t sweep, int i) {
    return static_cast<double>((sweep * 7919 + chain * 104729 + i * 31) % 1009) / 1009;
  }

  static double ObserveValue(int chain, std::int64_t sweep) { return Value(chain, sweep, 3); }

  absl::StatusOr<core::RunOutcome> Run(core::SampleSink& sink,
                                       const core::RunControl& control) override {
    const core::ScheduleSpec& schedule = problem_->spec().schedule;
    if (!started_) {
      if (absl::Status status = HandOverTrace(sink); !status.ok()) return status;
      started_ = true;
    }
    while (sweep_ < schedule.total_sweeps()) {
      if (absl::Status status = on_sweep_(index_, sweep_ + 1); !status.ok()) return status;
      if (control.interrupt != nullptr && *control.interrupt) {
        return core::RunOutcome::kInterrupted;
      }
      ++sweep_;
      if (absl::Status status = HandOver(sink); !status.ok()) return status;
      if (sweep_ < schedule.total_sweeps() && control.should_yield()) {
        return core::RunOutcome::kYielded;
      }
    }
    return core::RunOutcome::kFinished;
  }

  std::string Checkpoint() const override {
    server::ByteWriter writer;
    writer.Number(sweep_).Number(draws_).Number(summed_).Number(sum_[0]).Number(sum_[1]);
    return writer.bytes();
  }

  absl::Status Restore(std::string_view checkpoint) override {
    server::ByteReader reader(checkpoint);
    sweep_ = reader.Number<std::int64_t>();
    draws_ = reader.Number<std::int64_t>();
    summed_ = reader.Number<std::int64_t>();
    for (double& sum : sum_) sum = reader.Number<double>();
    started_ = true;
    return reader.AtEnd() ? absl::OkStatus() : absl::DataLossError("not a fake checkpoint");
  }

  std::int64_t sweep() const override { return sweep_; }
  std::int64_t draws() const override { return draws_; }

 private:
  absl::Status HandOver(core::SampleSink& sink) {
    const core::ScheduleSpec& schedule = problem_->spec().schedule;
    const bool warmup = sweep_ <= schedule.warmup_sweeps;
    if (!warmup || schedule.keep_warmup) {
      const double values[] = {Value(index_, sweep_, 0), Value(index_, sweep_, 1),
                               Value(index_, sweep_, 2)};
      absl::Status status =
          sink.AppendDraw({.index = draws_++, .sweep = sweep_, .warmup = warmup, .values = values});
      if (!status.ok()) return status;
      if (!warmup) {
        ++summed_;
        for (double& sum : sum_) sum += values[0];
      }
    }
    return HandOverTrace(sink);
  }

  absl::Status HandOverTrace(core::SampleSink& sink) const {
    const bool even = core::IsEvenPoint(problem_->spec().observation, sweep_);
    const bool logarithmic =
        core::IsLogarithmicPoint(sweep_, problem_->spec().schedule.total_sweeps());
    if (!even && !logarithmic) return absl::OkStatus();
    const double values[] = {observe_(index_, sweep_), Value(index_, sweep_, 4)};
    absl::Status status = sink.AppendTrace(
        {.sweep = sweep_, .even = even, .logarithmic = logarithmic, .values = values});
    if (!status.ok() || !logarithmic || summed_ == 0) return status;
    return sink.AppendPredictive({.sweep = sweep_, .draws = summed_, .values = sum_});
  }

  const std::shared_ptr<const core::Problem> problem_;
  const int index_;
  const OnSweep on_sweep_;
  const Observe observe_;
  std::int64_t sweep_ = 0;
  std::int64_t draws_ = 0;
  std::int64_t summed_ = 0;
  double sum_[2] = {0, 0};
  bool started_ = false;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_SERVER_JOBS_TESTING_FAKE_PROBLEM_H_
