#include "core/diagnostics/diagnostics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "core/diagnostics/effective_sample_size.h"
#include "core/diagnostics/explanation.h"
#include "core/diagnostics/moments.h"
#include "core/diagnostics/segments.h"
#include "core/diagnostics/split_rhat.h"

namespace posteriord::core {
namespace {

// The points of every trace in (sweep / 2, sweep].
struct WindowRange {
  std::size_t first = 0;
  std::size_t count = 0;
};

WindowRange MakeWindowRange(std::int64_t stride, std::int64_t sweep) {
  const std::int64_t first = sweep / 2 / stride + 1;
  const std::int64_t last = sweep / stride;
  return {static_cast<std::size_t>(first), static_cast<std::size_t>(last + 1 - first)};
}

// One observable of all chains in the window.
struct ObservableWindow {
  std::vector<ChainWindow> informed;
  std::vector<ChainWindow> uninformed;
  Segments halves;  // of all chains
};

ChainWindow Summarize(int chain, absl::Span<const double> points, SegmentAnalyser& analyser) {
  const auto [least, greatest] = std::minmax_element(points.begin(), points.end());
  return {.chain = chain,
          .mean = Mean(points),
          .variance = Variance(points),
          .least = *least,
          .greatest = *greatest,
          .effective_sample_size = EffectiveSampleSize(analyser.Whole(points))};
}

// Nothing when there are fewer than 2 points, or the variance is not finite because a point is not
// or because its square is not.
std::optional<ObservableWindow> ReadWindow(const std::vector<ChainTrace>& traces,
                                           std::size_t observable, const WindowRange& range,
                                           SegmentAnalyser& analyser) {
  if (range.count < 2) return std::nullopt;
  ObservableWindow window;
  for (std::size_t chain = 0; chain < traces.size(); ++chain) {
    const std::vector<double>& trace = traces[chain].observables[observable];
    assert(trace.size() >= range.first + range.count);
    const absl::Span<const double> points =
        absl::MakeConstSpan(trace.data() + range.first, range.count);
    if (!std::isfinite(Variance(points))) return std::nullopt;
    window.halves.Add(analyser.Halves(points));
    (traces[chain].informed ? window.informed : window.uninformed)
        .push_back(Summarize(static_cast<int>(chain), points, analyser));
  }
  return window;
}

// The statistics, without the verdict.
ObservableDiagnostics Describe(const std::optional<ObservableWindow>& window) {
  ObservableDiagnostics result;
  if (!window) {
    result.informed_mean = std::numeric_limits<double>::quiet_NaN();
    result.informed_standard_deviation = std::numeric_limits<double>::quiet_NaN();
    return result;
  }
  const PooledChains reference =
      Pool(window->informed.empty() ? window->uninformed : window->informed);
  result.informed_mean = reference.mean;
  result.informed_standard_deviation = std::sqrt(reference.variance);
  if (!window->informed.empty() && !window->uninformed.empty()) {
    result.uninformed_mean = Pool(window->uninformed).mean;
  }
  result.split_rhat = SplitRhat(window->halves);
  result.effective_sample_size = EffectiveSampleSize(window->halves);
  for (const auto* group : {&window->informed, &window->uninformed}) {
    for (const ChainWindow& chain : *group) {
      if (!chain.effective_sample_size) continue;
      result.min_chain_effective_sample_size =
          std::min(*chain.effective_sample_size,
                   result.min_chain_effective_sample_size.value_or(*chain.effective_sample_size));
    }
  }
  return result;
}

// All monitored observables have to agree; one that surely does not says more than one that cannot
// tell yet.
Agreement Overall(const std::vector<ComparedObservable>& monitored) {
  Agreement overall = Agreement::kAgreement;
  for (const ComparedObservable& observable : monitored) {
    const Agreement agreement =
        observable.comparison ? observable.comparison->agreement : Agreement::kUndecided;
    if (agreement == Agreement::kDisagreement) return agreement;
    if (agreement == Agreement::kUndecided) overall = agreement;
  }
  return overall;
}

}  // namespace

Diagnostics EvaluateDiagnostics(const DiagnosticsInput& input) {
  const std::vector<ChainTrace>& traces = *input.traces;
  const ThermalizationSpec& spec = *input.thermalization;
  const Diagnostics* previous = input.previous;
  assert(!traces.empty() && input.monitored.size() == input.names.size());
  assert(previous == nullptr || previous->observables.size() == input.names.size());

  const auto informed_chains = std::count_if(
      traces.begin(), traces.end(), [](const ChainTrace& trace) { return trace.informed; });
  const bool comparable =
      informed_chains > 0 && informed_chains < static_cast<std::ptrdiff_t>(traces.size());
  const WindowRange range = MakeWindowRange(input.stride, input.sweep);

  Diagnostics result;
  result.sweep = input.sweep;
  std::vector<ComparedObservable> monitored;
  SegmentAnalyser analyser;
  for (std::size_t i = 0; i < input.names.size(); ++i) {
    const std::optional<ObservableWindow> window = ReadWindow(traces, i, range, analyser);
    ObservableDiagnostics observable = Describe(window);
    if (comparable) {
      std::optional<Comparison> comparison;
      if (window) {
        comparison = Compare(window->informed, window->uninformed, spec.tolerance,
                             spec.min_effective_sample_size);
        if (observable.min_chain_effective_sample_size) {
          observable.worst_distance = comparison->worst_distance;
        }
      }
      const Verdict verdict =
          Judge(comparison ? comparison->agreement : Agreement::kUndecided,
                previous ? previous->observables[i].agreeing_since : std::nullopt, input.sweep,
                input.final);
      observable.state = verdict.state;
      observable.agreeing_since = verdict.agreeing_since;
      if (input.monitored[i]) monitored.push_back({input.names[i], comparison});
    }
    result.observables.push_back(observable);
  }

  if (!comparable) {
    result.explanation = absl::StrCat(
        "Not applicable: ", informed_chains == 0 ? "no" : "every",
        " chain was started at a teacher, so there are no two groups of chains to compare.");
  } else if (monitored.empty()) {
    result.explanation = "Not applicable: no observable is monitored.";
  } else {
    const Verdict verdict =
        Judge(Overall(monitored), previous ? previous->agreeing_since : std::nullopt, input.sweep,
              input.final);
    result.state = verdict.state;
    result.agreeing_since = verdict.agreeing_since;
    result.explanation =
        Explain({.verdict = verdict,
                 .thermalized_before =
                     previous != nullptr && previous->state == ThermalizationState::kThermalized,
                 .sweep = input.sweep,
                 .window_points = static_cast<std::int64_t>(range.count),
                 .tolerance = spec.tolerance,
                 .min_effective_sample_size = spec.min_effective_sample_size,
                 .monitored = std::move(monitored)});
  }
  return result;
}

}  // namespace posteriord::core
