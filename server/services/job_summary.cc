#include "server/services/job_summary.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "core/diagnostics/summary.h"
#include "core/sampling/schedule.h"
#include "server/base/status_macros.h"
#include "server/services/chain_selection.h"

namespace posteriord::server {
namespace {

constexpr int kPointsPerRead = 4096;

// Whether an observable is a function of the chain's present state: others, such as running means,
// are no chains of draws, and statistics of them mean nothing.
bool IsOfTheState(const std::string& name) {
  return !absl::StartsWith(name, "sampler.") && !absl::StartsWith(name, "population.") &&
         !absl::StartsWith(name, "predictive_");
}

// What is kept of a chain's trace.
struct ChainTrace {
  int chain = 0;
  std::vector<std::vector<double>> observables;  // [observable][point]
  std::vector<double> last;                      // the latest point of any kind
};

// Sweeps between the points that every trace still has, the longest included.
std::int64_t Stride(const v1::Job& job, const std::vector<ChainPosition>& positions) {
  std::int64_t sweeps = 0;
  for (const ChainPosition& position : positions) sweeps = std::max(sweeps, position.sweeps);
  const v1::Observation& observation = job.spec().observation();
  return core::EvenStride(
      {.initial_stride = observation.initial_stride(), .max_points = observation.max_points()},
      sweeps);
}

absl::StatusOr<ChainTrace> ReadChain(JobStore& store, const std::string& id, const v1::Job& job,
                                     int chain, std::int64_t stride) {
  ChainTrace trace{.chain = chain};
  trace.observables.resize(static_cast<std::size_t>(job.observables_size()));
  for (std::int64_t index = 0;;) {
    ASSIGN_OR_RETURN(const std::vector<TraceRecord> points,
                     store.ReadTrace(id, chain, index, kPointsPerRead));
    if (points.empty()) return trace;
    for (const TraceRecord& point : points) {
      trace.last = point.values;
      if (!point.even || point.sweep % stride != 0 ||
          point.sweep <= job.spec().schedule().warmup_sweeps()) {
        continue;
      }
      for (std::size_t i = 0; i < trace.observables.size(); ++i) {
        trace.observables[i].push_back(point.values[i]);
      }
    }
    index = points.back().index + 1;
  }
}

void SetIf(const std::optional<double>& value, auto&& set) {
  if (value.has_value()) set(*value);
}

v1::ObservableSummary ToProto(const std::string& name, const core::ChainSummary& summary,
                              std::int64_t stride) {
  v1::ObservableSummary message;
  message.set_name(name);
  SetIf(summary.mean, [&](double value) { message.set_mean(value); });
  SetIf(summary.standard_deviation, [&](double value) { message.set_standard_deviation(value); });
  SetIf(summary.mean_standard_error, [&](double value) { message.set_mean_standard_error(value); });
  SetIf(summary.standard_deviation_standard_error,
        [&](double value) { message.set_standard_deviation_standard_error(value); });
  for (const core::QuantileSummary& quantile : summary.quantiles) {
    v1::QuantileSummary& added = *message.add_quantiles();
    added.set_probability(quantile.probability);
    SetIf(quantile.value, [&](double value) { added.set_value(value); });
    SetIf(quantile.standard_error, [&](double value) { added.set_standard_error(value); });
  }
  SetIf(summary.rhat, [&](double value) { message.set_rhat(value); });
  SetIf(summary.bulk_effective_sample_size,
        [&](double value) { message.set_bulk_effective_sample_size(value); });
  SetIf(summary.tail_effective_sample_size,
        [&](double value) { message.set_tail_effective_sample_size(value); });
  SetIf(summary.integrated_autocorrelation_time, [&](double points) {
    message.set_autocorrelation_time(points * static_cast<double>(stride));
  });
  message.set_note(summary.note);
  return message;
}

// What the sampler's observables say at the end of the trace.
v1::SamplerSummary SummarizeSampler(const v1::Job& job, const ChainTrace& trace) {
  v1::SamplerSummary message;
  message.set_chain(trace.chain);
  for (int i = 0; i < job.observables_size() && !trace.last.empty(); ++i) {
    const std::string& name = job.observables(i).name();
    const double value = trace.last[static_cast<std::size_t>(i)];
    if (std::isnan(value)) continue;
    if (name == "sampler.acceptance") message.set_acceptance(value);
    if (name == "sampler.step_size") message.set_step_size(value);
    if (name == "sampler.divergences") message.set_divergences(static_cast<std::int64_t>(value));
    if (name == "sampler.energy_fraction") message.set_energy_fraction(value);
  }
  return message;
}

}  // namespace

absl::StatusOr<v1::JobSummary> SummarizeJob(JobStore& store, const std::string& id,
                                            const v1::Job& job,
                                            const v1::GetJobSummaryRequest& request) {
  ASSIGN_OR_RETURN(const std::vector<int> chains,
                   SelectChains(request.chains(), job.chains_size()));
  ASSIGN_OR_RETURN(const std::vector<ChainPosition> positions, store.Positions(id));
  v1::JobSummary summary;
  summary.set_name(job.name());
  summary.set_stride(Stride(job, positions));

  std::vector<ChainTrace> traces;
  for (const int chain : chains) {
    ASSIGN_OR_RETURN(ChainTrace trace, ReadChain(store, id, job, chain, summary.stride()));
    if (!job.spec().sampler().has_gibbs()) {
      *summary.add_samplers() = SummarizeSampler(job, trace);
    }
    if (trace.observables.empty() || trace.observables.front().empty()) {
      summary.add_notes(absl::StrCat("Chain ", chain, " has no points after warm-up yet."));
      continue;
    }
    summary.add_chains(chain);
    traces.push_back(std::move(trace));
  }

  for (int i = 0; i < job.observables_size(); ++i) {
    const std::string& name = job.observables(i).name();
    if (!IsOfTheState(name)) continue;
    std::vector<absl::Span<const double>> values;
    for (const ChainTrace& trace : traces) {
      values.emplace_back(trace.observables[static_cast<std::size_t>(i)]);
    }
    const core::ChainSummary statistics = core::Summarize(values);
    summary.set_points_per_chain(statistics.points_per_chain);
    *summary.add_observables() = ToProto(name, statistics, summary.stride());
  }
  return summary;
}

}  // namespace posteriord::server
