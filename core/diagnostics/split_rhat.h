// Do chains, and the halves of each chain, have the same mean?
#ifndef POSTERIORD_CORE_DIAGNOSTICS_SPLIT_RHAT_H_
#define POSTERIORD_CORE_DIAGNOSTICS_SPLIT_RHAT_H_

#include <optional>

#include "core/diagnostics/segments.h"

namespace posteriord::core {

// Potential scale reduction, from half chains of n points:
//
//   R-hat = sqrt((n-1)/n + variance of the means / W),   W = n/(n-1) gamma_0,
//
// near 1 when the halves agree, about sqrt(1 + d^2) when their means scatter with standard
// deviation d in units of that within a half.
//
// Source: Gelman et al., Bayesian Data Analysis, 3rd edition, section 11.4; agrees with rhat_basic
// of the R package posterior and rhat(method="split") of ArviZ (not rank-normalised).
//
// Infinite when every half is constant but not all at the same value; unset when all points are
// equal, and with fewer than 2 points in a half.
//
// REQUIRES: the halves of one chain or more.
std::optional<double> SplitRhat(const Segments& halves);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_SPLIT_RHAT_H_
