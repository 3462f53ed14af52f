// How many independent draws are worth as much as the points of correlated chains.
#ifndef POSTERIORD_CORE_DIAGNOSTICS_EFFECTIVE_SAMPLE_SIZE_H_
#define POSTERIORD_CORE_DIAGNOSTICS_EFFECTIVE_SAMPLE_SIZE_H_

#include <cstdint>
#include <optional>

#include "core/diagnostics/segments.h"

namespace posteriord::core {

// Effective sample size for the mean, from m segments of n points:
//
//   ESS = m n / tau,   tau = -1 + 2 sum_k P_k,   P_k = rho_{2k} + rho_{2k+1},
//   rho_t = 1 - (W - gamma_t) / V,   W = n/(n-1) gamma_0,   V = gamma_0 + variance of the means,
//
// with gamma_t the autocovariance averaged over the segments and the sum ended and made monotone as
// Geyer's initial sequence estimators ask. V counts the variance between segments, so chains that
// disagree have few effective samples, however fast they move. Antithetic chains may exceed m n, up
// to m n log10(m n).
//
// Give it the halves of all chains for the usual estimate (ess_mean of the R package posterior,
// ess(method="mean") of ArviZ). Give it a whole chain for the standard error of that chain's mean:
// between only two halves V is so noisy that one estimate in a hundred comes out below half of a
// truth of 100.
//
// Source: Vehtari, Gelman, Simpson, Carpenter, Buerkner, "Rank-normalization, folding, and
// localization: an improved R-hat", Bayesian Analysis 16 (2021), section 3.2.
//
// Points that are all equal count as independent: m n. Unset with fewer than kLeastPoints points in
// a segment, where no second pair of lags could be seen.
inline constexpr std::int64_t kLeastPoints = 5;
std::optional<double> EffectiveSampleSize(const Segments& segments);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_EFFECTIVE_SAMPLE_SIZE_H_
