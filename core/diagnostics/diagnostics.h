// Do the chains of a job agree? Split R-hat and effective sample size of every observable, and the
// thermalization verdict: an equivalence test between chains started at the teacher (informed) and
// the others (uninformed).
#ifndef POSTERIORD_CORE_DIAGNOSTICS_DIAGNOSTICS_H_
#define POSTERIORD_CORE_DIAGNOSTICS_DIAGNOSTICS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/diagnostics/thermalization.h"
#include "core/spec.h"

namespace posteriord::core {

// Evenly spaced trace of one chain, observable by observable. The points are sweeps
// 0, stride, 2 * stride, ... <= the sweep evaluated; points beyond it are ignored.
struct ChainTrace {
  bool informed = false;
  std::vector<std::vector<double>> observables;  // [observable][point], NaN: no value yet
};

// One observable in the window. What needs more points than there are is unset, and everything is
// (means and standard deviations are NaN) when a chain has fewer than 2 points or a point without a
// value; a value is a number with a finite square.
struct ObservableDiagnostics {
  ThermalizationState state = ThermalizationState::kNotApplicable;
  // First sweep of the window at which the present unbroken run of agreement began; at least 1.
  // Set as soon as the run begins, before it is long enough for kThermalized.
  std::optional<std::int64_t> agreeing_since;
  double informed_mean = 0;                // over all chains when no group is informed
  double informed_standard_deviation = 0;  // within chains; likewise
  std::optional<double> uninformed_mean;
  std::optional<double> worst_distance;  // max over uninformed chains of (|difference| + 2 SE) /
                                         // informed standard deviation, infinity when that is 0
  std::optional<double> split_rhat;      // core/diagnostics/split_rhat.h; may be infinity
  std::optional<double> effective_sample_size;
  std::optional<double> min_chain_effective_sample_size;
};

struct Diagnostics {
  std::int64_t sweep = 0;
  ThermalizationState state = ThermalizationState::kNotApplicable;
  std::optional<std::int64_t> agreeing_since;  // of all monitored observables together
  std::vector<ObservableDiagnostics> observables;
  std::string explanation;  // why the state is what it is, in a sentence
};

// One evaluation, at sweep count `sweep`, over the window of points in (sweep / 2, sweep].
struct DiagnosticsInput {
  const ThermalizationSpec* thermalization = nullptr;
  std::vector<std::string> names;                   // of the observables
  std::vector<bool> monitored;                      // which of them take part in the verdict
  const std::vector<ChainTrace>* traces = nullptr;  // by chain index
  std::int64_t stride = 1;                          // between the points of the traces
  std::int64_t sweep = 0;
  bool final = false;  // sampling ends here: this verdict is the last
  // The evaluation before, null at the first. Only the fields agreeing_since and state are read.
  const Diagnostics* previous = nullptr;
};

// Pure: the same input gives the same output. See thermalization.h for the rule.
// REQUIRES: at least one trace; names, monitored, every trace and `previous` have the same number
// of observables; every trace reaches `sweep`.
Diagnostics EvaluateDiagnostics(const DiagnosticsInput& input);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_DIAGNOSTICS_H_
