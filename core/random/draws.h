// Elementwise random draws over contiguous arrays, addressed by entry: entry i of a call is number
// first_entry + i of the block, so a long array may be drawn in any pieces. Instantiated for float
// and double.
#ifndef POSTERIORD_CORE_RANDOM_DRAWS_H_
#define POSTERIORD_CORE_RANDOM_DRAWS_H_

#include <cstdint>

#include "absl/types/span.h"
#include "core/random/random_block.h"

namespace posteriord::core {

// out[i] ~ N(0, 1). Two entries share an element of the block.
template <typename T>
void DrawNormals(const RandomBlock& random, std::uint64_t first_entry, absl::Span<T> out);

// s(z) = negative_slope z for z < 0 and positive_slope z for z > 0.
struct TwoPieceLinear {
  double negative_slope = 0;
  double positive_slope = 1;
};

// Latent before a piecewise-linear activation, entry by entry of the block's elements:
//   out[i] ~ p(z) proportional to N(z; mean[i], variance) N(output[i]; s(z), output_variance),
// a mixture of two truncated normals whose weights are compared in log space.
template <typename T>
void DrawBeforeTwoPieceLinear(const TwoPieceLinear& activation, double variance,
                              double output_variance, const RandomBlock& random,
                              std::uint64_t first_entry, absl::Span<const T> mean,
                              absl::Span<const T> output, absl::Span<T> out);

// out[i] ~ N(mean[i], variance) conditioned on being above (below) limit[i], an element per entry.
template <typename T>
void DrawNormalAbove(double variance, const RandomBlock& random, std::uint64_t first_entry,
                     absl::Span<const T> mean, absl::Span<const T> limit, absl::Span<T> out);
template <typename T>
void DrawNormalBelow(double variance, const RandomBlock& random, std::uint64_t first_entry,
                     absl::Span<const T> mean, absl::Span<const T> limit, absl::Span<T> out);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_RANDOM_DRAWS_H_
