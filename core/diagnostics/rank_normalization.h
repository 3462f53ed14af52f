// Replaces values by normal scores of their ranks, so that diagnostics of means and variances work
// for any distribution, also one without mean or variance.
#ifndef POSTERIORD_CORE_DIAGNOSTICS_RANK_NORMALIZATION_H_
#define POSTERIORD_CORE_DIAGNOSTICS_RANK_NORMALIZATION_H_

#include <vector>

#include "absl/types/span.h"

namespace posteriord::core {

// z_i = Phi^-1((r_i - 3/8) / (n + 1/4)), with Phi the standard normal distribution function and r_i
// in 1 .. n the rank of value i among all n; equal values share the average of their ranks.
//
// The scores have no unit. They do not change when the values pass through an increasing function,
// and change sign when it is decreasing.
//
// Source: Vehtari, Gelman, Simpson, Carpenter, Buerkner, "Rank-normalization, folding, and
// localization: an improved R-hat", Bayesian Analysis 16 (2021), equation 14; the offset is Blom's.
//
// REQUIRES: no NaN.
std::vector<double> RankNormalize(absl::Span<const double> values);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_RANK_NORMALIZATION_H_
