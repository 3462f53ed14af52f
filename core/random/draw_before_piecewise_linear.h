// The latent before a piecewise-linear activation.
#ifndef POSTERIORD_CORE_RANDOM_DRAW_BEFORE_PIECEWISE_LINEAR_H_
#define POSTERIORD_CORE_RANDOM_DRAW_BEFORE_PIECEWISE_LINEAR_H_

#include <cstdint>

#include "absl/types/span.h"
#include "core/random/piecewise_linear.h"
#include "core/random/random_block.h"

namespace posteriord::core {

// Entry by entry of the block's elements:
//   out[i] ~ p(z) proportional to N(z; mean[i], variance) N(output[i]; s(z), output_variance),
// a mixture of one truncated normal per piece of s. On piece j, s(z) = a z + b, the density is that
// of N(mu, scale^2) with
//   scale^2 = variance output_variance / (output_variance + a^2 variance),
//   mu      = (output_variance mean + a variance (output - b)) / (output_variance + a^2 variance).
// The pieces' weights are compared in log space. The first uniform of an entry picks the piece, the
// second draws in it. Where mean and output leave no doubt about the piece, and its ends are too
// far to matter (both to exp(-40)), the entry is a normal: entry kSettledNormals + i of the block's
// normals. Instantiated for float and double.
//
// The activation may be scaled by any factor, of either sign or zero: what is conditioned on is
// then N(output[i]; factor s(z), output_variance).
inline constexpr std::uint64_t kSettledNormals = std::uint64_t{1} << 40;

template <typename T>
void DrawBeforePiecewiseLinear(const PiecewiseLinear& activation, double variance,
                               double output_variance, const RandomBlock& random,
                               std::uint64_t first_entry, absl::Span<const T> mean,
                               absl::Span<const T> output, absl::Span<T> out);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_RANDOM_DRAW_BEFORE_PIECEWISE_LINEAR_H_
