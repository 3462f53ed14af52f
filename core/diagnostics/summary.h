// One quantity of a posterior from all chains: what it is, how well it is known, and whether the
// chains can be believed.
#ifndef POSTERIORD_CORE_DIAGNOSTICS_SUMMARY_H_
#define POSTERIORD_CORE_DIAGNOSTICS_SUMMARY_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/types/span.h"

namespace posteriord::core {

struct QuantileSummary {
  double probability = 0;
  std::optional<double> value;           // core/diagnostics/quantile.h
  std::optional<double> standard_error;  // Monte Carlo, core/diagnostics/monte_carlo_error.h
};

// Values and errors have the unit of the points; R-hat and effective sample sizes have none.
//
// What is defined: with one point the mean and the quantiles, with two the standard deviation, with
// 4 points per chain R-hat, with 5 the autocorrelation time, with 10 effective sample sizes and
// standard errors. When all points are equal only mean, standard deviation (0) and quantiles are:
// a quantity that never moved does not tell how well it is known. When a point is not finite,
// nothing is. Everything undefined is unset.
struct ChainSummary {
  std::int64_t chains = 0;             // that have points
  std::int64_t empty_chains = 0;       // left out
  std::int64_t points_per_chain = 0;   // used, the latest of each
  std::int64_t unused_points = 0;      // early ones, left out of the longer chains
  std::int64_t non_finite_points = 0;  // of those used
  bool constant = false;               // all points used, at least 2, are equal
  std::string note;  // the counts above that stand in the way, in sentences; empty when none does

  std::optional<double> mean;
  std::optional<double> standard_deviation;  // of all points together, unbiased variance
  std::array<QuantileSummary, 3> quantiles = {{{0.05}, {0.5}, {0.95}}};

  std::optional<double> mean_standard_error;
  std::optional<double> standard_deviation_standard_error;

  // Rank-normalised split R-hat: the larger of two split R-hats, of the normal scores of the points
  // (do the chains have the same location?) and of the normal scores of their distances to the
  // median (the same spread?). 1 when the chains agree, doubtful above 1.01; infinite when every
  // half chain is constant but not all at the same value. Of a single chain it compares its halves.
  std::optional<double> rhat;

  // Effective sample sizes of the half chains: of the normal scores; the smaller of those of the
  // indicators x <= quantile at 5 % and 95 %; of the points themselves. Estimates may be relied on
  // when bulk and tail are at least 100 per chain. Unset also when nothing moves but the middle
  // point of an odd number, which no half has.
  std::optional<double> bulk_effective_sample_size;
  std::optional<double> tail_effective_sample_size;
  std::optional<double> mean_effective_sample_size;

  // Points per effective draw: the number of points / effective sample size of the points, of whole
  // chains. 1 for independent points, (1 + r) / (1 - r) for a chain with autocorrelation r^t;
  // chains that disagree have a long one. In trace points: times the thinning it is in sweeps.
  std::optional<double> integrated_autocorrelation_time;
};

// Summarises chains of one quantity, each in order of time. Pure; O(n log n) in the number n of
// points.
//
// Chains of different lengths are cut to the shortest, keeping the latest points of each, so that
// every chain weighs the same and what is thrown away is what may still remember the start. Empty
// chains are ignored. The order of the chains does not matter beyond rounding.
//
// Source: Vehtari, Gelman, Simpson, Carpenter, Buerkner, "Rank-normalization, folding, and
// localization: an improved R-hat", Bayesian Analysis 16 (2021). Agrees with the R package
// posterior 1.4 and ArviZ 0.23 except that
//  - where no point is above the quantile (the largest value has more than 5 % of the points), its
//    effective sample size is that of x < quantile. The indicator x <= quantile would be constant,
//    for which ArviZ counts every point and posterior has no answer;
//  - a constant has no effective sample size and no standard errors (as posterior; ArviZ counts
//    every point);
//  - R-hat is the bulk one alone where all distances to the median are equal (as ArviZ; posterior
//    has no answer), and is defined for one chain (as posterior, not ArviZ);
//  - the standard error of the standard deviation is unset where all deviations from the mean have
//    the same size, to rounding: its first order is 0 then;
//  - effective sample sizes ask for 10 points per chain (ArviZ: 4, posterior: 6);
//  - where the autocorrelation of chains that disagree or are short stays positive to the last lag,
//    its sum may go one pair of lags further than that of posterior, as in ArviZ.
ChainSummary Summarize(absl::Span<const absl::Span<const double>> chains);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_SUMMARY_H_
