#include "core/diagnostics/summary.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/diagnostics/effective_sample_size.h"
#include "core/diagnostics/moments.h"
#include "core/diagnostics/monte_carlo_error.h"
#include "core/diagnostics/quantile.h"
#include "core/diagnostics/rank_normalization.h"
#include "core/diagnostics/segments.h"
#include "core/diagnostics/split_rhat.h"

namespace posteriord::core {
namespace {

// Deviations this close, relatively, differ by rounding.
constexpr double kRounding = 1e-12;

// Equally long stretches, one after the other.
struct Stretches {
  std::size_t length = 0;
  std::vector<double> values;
};

// The halves of each stretch, the middle point of an odd number left out.
Stretches Split(const Stretches& chains) {
  Stretches halves = {.length = chains.length / 2};
  halves.values.reserve(chains.values.size());
  for (auto chain = chains.values.begin(); chain != chains.values.end(); chain += chains.length) {
    halves.values.insert(halves.values.end(), chain, chain + halves.length);
    const auto end = chain + chains.length;
    halves.values.insert(halves.values.end(), end - halves.length, end);
  }
  return halves;
}

bool AllEqual(absl::Span<const double> values) {
  return std::all_of(values.begin(), values.end(),
                     [&](double value) { return value == values[0]; });
}

Segments Analyse(const Stretches& stretches, SegmentAnalyser& analyser) {
  Segments segments;
  const absl::Span<const double> values = stretches.values;
  for (std::size_t first = 0; first < values.size(); first += stretches.length) {
    segments.Add(analyser.Whole(values.subspan(first, stretches.length)));
  }
  return segments;
}

// Unset also when all values are equal.
std::optional<double> Effective(const Stretches& stretches, SegmentAnalyser& analyser) {
  if (stretches.length < kLeastPoints || AllEqual(stretches.values)) return std::nullopt;
  return EffectiveSampleSize(Analyse(stretches, analyser));
}

// Of the half chains' indicators x <= quantile, or x < quantile if those are all 1.
std::optional<double> QuantileEffective(const Stretches& halves, double quantile, bool greatest,
                                        SegmentAnalyser& analyser) {
  Stretches indicators = {.length = halves.length};
  indicators.values.reserve(halves.values.size());
  for (const double value : halves.values) {
    indicators.values.push_back((greatest ? value < quantile : value <= quantile) ? 1 : 0);
  }
  return Effective(indicators, analyser);
}

std::vector<double> Distances(absl::Span<const double> values, double from) {
  std::vector<double> distances;
  distances.reserve(values.size());
  for (const double value : values) distances.push_back(std::abs(value - from));
  return distances;
}

// The latest points of all chains that have some, and what became of the others.
Stretches Cut(absl::Span<const absl::Span<const double>> chains, ChainSummary& summary) {
  std::size_t shortest = std::numeric_limits<std::size_t>::max();
  std::size_t points = 0;
  for (const absl::Span<const double> chain : chains) {
    ++(chain.empty() ? summary.empty_chains : summary.chains);
    if (!chain.empty()) shortest = std::min(shortest, chain.size());
    points += chain.size();
  }
  if (summary.chains == 0) return {};
  Stretches cut = {.length = shortest};
  cut.values.reserve(shortest * static_cast<std::size_t>(summary.chains));
  for (const absl::Span<const double> chain : chains) {
    if (chain.empty()) continue;
    const absl::Span<const double> latest = chain.last(shortest);
    cut.values.insert(cut.values.end(), latest.begin(), latest.end());
  }
  summary.points_per_chain = static_cast<std::int64_t>(shortest);
  summary.unused_points = static_cast<std::int64_t>(points - cut.values.size());
  summary.non_finite_points = std::count_if(cut.values.begin(), cut.values.end(),
                                            [](double value) { return !std::isfinite(value); });
  summary.constant =
      cut.values.size() > 1 && summary.non_finite_points == 0 && AllEqual(cut.values);
  return cut;
}

// Mean, standard deviation, their errors and the autocorrelation time.
void SummarizeMoments(Stretches points, SegmentAnalyser& analyser, ChainSummary& summary) {
  // In units of a power of two, which is exact, so that fourth powers neither overflow nor vanish.
  double largest = 0;
  for (const double value : points.values) largest = std::max(largest, std::abs(value));
  int exponent = 0;
  std::frexp(largest, &exponent);
  for (double& value : points.values) value = std::ldexp(value, -exponent);

  const double mean = Mean(points.values);
  summary.mean = std::ldexp(mean, exponent);
  if (points.values.size() < 2) return;
  const double deviation = std::sqrt(Variance(points.values));
  summary.standard_deviation = std::ldexp(deviation, exponent);

  const Stretches halves = Split(points);
  summary.mean_effective_sample_size = Effective(halves, analyser);
  if (summary.mean_effective_sample_size) {
    summary.mean_standard_error =
        std::ldexp(MeanStandardError(deviation, *summary.mean_effective_sample_size), exponent);
  }
  if (const std::optional<double> effective = Effective(points, analyser)) {
    summary.integrated_autocorrelation_time =
        static_cast<double>(points.values.size()) / *effective;
  }

  Stretches squares = {.length = points.length};
  squares.values = Distances(points.values, mean);
  for (double& value : squares.values) value *= value;
  const auto [least, greatest] = std::minmax_element(squares.values.begin(), squares.values.end());
  if (*greatest - *least <= kRounding * *greatest) return;
  if (const std::optional<double> effective = Effective(Split(squares), analyser)) {
    summary.standard_deviation_standard_error =
        std::ldexp(StandardDeviationStandardError(squares.values, *effective), exponent);
  }
}

// Quantiles, their errors and the effective sample size of the tails.
void SummarizeQuantiles(const Stretches& halves, absl::Span<const double> sorted,
                        SegmentAnalyser& analyser, ChainSummary& summary) {
  for (QuantileSummary& quantile : summary.quantiles) {
    quantile.value = Quantile(sorted, quantile.probability);
    const std::optional<double> effective =
        QuantileEffective(halves, *quantile.value, *quantile.value == sorted.back(), analyser);
    if (!effective) continue;
    quantile.standard_error = QuantileStandardError(sorted, quantile.probability, *effective);
    if (quantile.probability == 0.5) continue;
    summary.tail_effective_sample_size =
        std::min(summary.tail_effective_sample_size.value_or(*effective), *effective);
  }
}

// Normal scores, of the points and of their distances to the median.
void SummarizeRanks(const Stretches& halves, double median, SegmentAnalyser& analyser,
                    ChainSummary& summary) {
  if (halves.length < 2) return;
  const Stretches bulk = {.length = halves.length, .values = RankNormalize(halves.values)};
  const Segments segments = Analyse(bulk, analyser);
  const Stretches folded = {.length = halves.length,
                            .values = RankNormalize(Distances(halves.values, median))};
  summary.rhat = std::max(SplitRhat(segments), SplitRhat(Analyse(folded, analyser)));
  if (!AllEqual(bulk.values)) summary.bulk_effective_sample_size = EffectiveSampleSize(segments);
}

std::string Note(const ChainSummary& summary) {
  const std::int64_t points = summary.chains * summary.points_per_chain;
  std::vector<std::string> sentences;
  if (points == 0) sentences.push_back("There are no points.");
  if (points > 0 && summary.empty_chains > 0) {
    sentences.push_back(absl::StrCat("Chains without points, left out: ", summary.empty_chains,
                                     " of ", summary.empty_chains + summary.chains, "."));
  }
  if (summary.unused_points > 0) {
    sentences.push_back(absl::StrCat("Of each chain the latest ", summary.points_per_chain,
                                     " points are used, as many as the shortest has; early points "
                                     "left out: ",
                                     summary.unused_points, "."));
  }
  if (summary.non_finite_points > 0) {
    sentences.push_back(
        absl::StrCat("Points that are not finite numbers: ", summary.non_finite_points, " of ",
                     points, "; nothing can be estimated."));
  } else if (summary.constant) {
    sentences.push_back("All points are equal, so that nothing tells how well they are known.");
  } else if (points > 0 && summary.points_per_chain < 2 * kLeastPoints) {
    sentences.push_back(absl::StrCat("Effective sample sizes and standard errors need ",
                                     2 * kLeastPoints, " points per chain; there are ",
                                     summary.points_per_chain, "."));
  }
  return absl::StrJoin(sentences, " ");
}

}  // namespace

ChainSummary Summarize(absl::Span<const absl::Span<const double>> chains) {
  ChainSummary summary;
  const Stretches points = Cut(chains, summary);
  summary.note = Note(summary);
  if (points.values.empty() || summary.non_finite_points > 0) return summary;

  std::vector<double> sorted = points.values;
  std::sort(sorted.begin(), sorted.end());
  SegmentAnalyser analyser;
  const Stretches halves = Split(points);
  SummarizeMoments(points, analyser, summary);
  SummarizeQuantiles(halves, sorted, analyser, summary);
  if (!summary.constant) SummarizeRanks(halves, *summary.quantiles[1].value, analyser, summary);
  return summary;
}

}  // namespace posteriord::core
