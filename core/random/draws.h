// Elementwise random draws over contiguous arrays, addressed by entry: entry i of a call is number
// first_entry + i of the block, so a long array may be drawn in any pieces. Instantiated for float
// and double.
#ifndef POSTERIORD_CORE_RANDOM_DRAWS_H_
#define POSTERIORD_CORE_RANDOM_DRAWS_H_

#include <cstdint>

#include "absl/types/span.h"
#include "core/random/random_block.h"

namespace posteriord::core {

// out[i] ~ U(0, 1), an element per entry; never 0 or 1. Double only: in float a uniform may round
// to 1.
void DrawUniforms(const RandomBlock& random, std::uint64_t first_entry, absl::Span<double> out);

// The uniform of one entry.
double DrawUniform(const RandomBlock& random, std::uint64_t entry);

// out[i] ~ N(0, 1). Two entries share an element of the block.
template <typename T>
void DrawNormals(const RandomBlock& random, std::uint64_t first_entry, absl::Span<T> out);

// out[i] ~ N(mean[i], variance) conditioned on being above (below) limit[i], an element per entry.
template <typename T>
void DrawNormalAbove(double variance, const RandomBlock& random, std::uint64_t first_entry,
                     absl::Span<const T> mean, absl::Span<const T> limit, absl::Span<T> out);
template <typename T>
void DrawNormalBelow(double variance, const RandomBlock& random, std::uint64_t first_entry,
                     absl::Span<const T> mean, absl::Span<const T> limit, absl::Span<T> out);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_RANDOM_DRAWS_H_
