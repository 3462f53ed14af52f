// Quantiles of a list of numbers.
#ifndef POSTERIORD_CORE_DIAGNOSTICS_QUANTILE_H_
#define POSTERIORD_CORE_DIAGNOSTICS_QUANTILE_H_

#include "absl/types/span.h"

namespace posteriord::core {

// Value below which the fraction `probability` of `sorted` lies, interpolated between neighbours:
//
//   (1 - g) x_j + g x_{j+1},   h = probability (n - 1),   j = floor(h),   g = h - j,   x from x_0.
//
// An h within a few rounding errors of a whole number is that number, and equal neighbours give
// exactly their value, so that `x <= quantile` counts ties as one means it to.
//
// Source: type 7 of Hyndman and Fan, "Sample quantiles in statistical packages", The American
// Statistician 50 (1996); the default of R and NumPy and what posterior and ArviZ use.
//
// REQUIRES: `sorted` is not empty, ascending and finite; 0 <= probability <= 1.
double Quantile(absl::Span<const double> sorted, double probability);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_QUANTILE_H_
