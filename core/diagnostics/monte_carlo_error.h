// How far estimates from a finite number of correlated points are from what infinitely many would
// give: Monte Carlo standard errors, in the unit of the points.
//
// Source: as the R package posterior and ArviZ (mcse_mean, mcse_sd, mcse_quantile); Vehtari,
// Gelman, Simpson, Carpenter, Buerkner, "Rank-normalization, folding, and localization: an improved
// R-hat", Bayesian Analysis 16 (2021), section 4.
#ifndef POSTERIORD_CORE_DIAGNOSTICS_MONTE_CARLO_ERROR_H_
#define POSTERIORD_CORE_DIAGNOSTICS_MONTE_CARLO_ERROR_H_

#include "absl/types/span.h"

namespace posteriord::core {

// Of the mean: sd / sqrt(ESS), ESS that of the points.
// REQUIRES: effective_sample_size > 0.
double MeanStandardError(double standard_deviation, double effective_sample_size);

// Of the standard deviation s, to first order, from the squared deviations q_i = (x_i - mean)^2:
//
//   error(s^2) / (2 s),   error(s^2)^2 = (mean(q^2) - mean(q)^2) / ESS,   s^2 = mean(q),
//
// with ESS that of the q_i. For heavy tails (no fourth moment) it means nothing.
// REQUIRES: at least 2 squared deviations, not all 0; effective_sample_size > 0.
double StandardDeviationStandardError(absl::Span<const double> squared_deviations,
                                      double effective_sample_size);

// Of the quantile at p: half the distance of the points x_j and x_k whose ranks bound the central
// 68.3 % (one standard error to either side) of Beta(ESS p + 1, ESS (1 - p) + 1), the distribution
// of the fraction below the quantile:
//
//   (x_k - x_j) / 2,   j = max(1, floor(n b)),   k = min(n, ceil(n b')),   x from x_1,
//
// b, b' the quantiles of Beta at Phi(-1), Phi(1), with ESS that of the indicators x_i <= quantile.
// REQUIRES: `sorted` is not empty, ascending and finite; 0 < probability < 1;
// effective_sample_size > 0.
double QuantileStandardError(absl::Span<const double> sorted, double probability,
                             double effective_sample_size);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_MONTE_CARLO_ERROR_H_
