// Mean and variance of a list of numbers.
#ifndef POSTERIORD_CORE_DIAGNOSTICS_MOMENTS_H_
#define POSTERIORD_CORE_DIAGNOSTICS_MOMENTS_H_

#include "absl/types/span.h"

namespace posteriord::core {

// Taken relative to the first value, so that equal values have exactly themselves as mean and no
// variance. REQUIRES: not empty.
double Mean(absl::Span<const double> values);

// Unbiased: divided by one less than their number. REQUIRES: at least 2 values.
double Variance(absl::Span<const double> values);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_MOMENTS_H_
