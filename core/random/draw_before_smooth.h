// The latent before a smooth activation.
#ifndef POSTERIORD_CORE_RANDOM_DRAW_BEFORE_SMOOTH_H_
#define POSTERIORD_CORE_RANDOM_DRAW_BEFORE_SMOOTH_H_

#include <cstdint>

#include "absl/types/span.h"
#include "core/random/random_block.h"
#include "core/random/smooth_activation.h"

namespace posteriord::core {

// No transition makes more proposals. They close in on the current value by a factor exp(1/2) each
// in the mean, so even an interval 1e16 times as wide as the slice takes 74 of them, and more than
// 200 with a probability below 1e-30; for the usual ratios below 1000 it is below 1e-100.
inline constexpr std::int64_t kMaxSliceProposals = 200;

// Replaces each out[i] by a transition that leaves
//   p(z) proportional to N(z; mean[i], variance) N(output[i]; s(z), output_variance)
// invariant: a step of slice sampling (Neal, "Slice sampling", Annals of Statistics 31, 2003) that
// starts at the value found there. With E(z) = -log p(z) up to a constant,
//   E(z) = (z - mean)^2 / (2 variance) + (output - s(z))^2 / (2 output_variance),
// it draws a level above E at the current value, E + Exp(1), and then uniformly from an interval
// that contains all z with E(z) <= level until one of these is found. Each failure becomes the
// interval's end on its side of the current value. The interval, a function of the level alone, is
// where neither term of E by itself exceeds the level. As it holds the whole slice, modes apart are
// reached too.
//
// Addresses: proposal j = 0, 1, ... of an entry takes the element entry + j * total_entries, where
// entries count from 0 in the whole block. Its second uniform places the proposal; the first one of
// element `entry` sets the level. If the 200 proposals were all to fail the value would stay.
//
// Returns the number of proposals made. Instantiated for float and double.
// REQUIRES: first_entry + out.size() <= total_entries, and 200 * total_entries < 2^40.
template <typename T>
std::int64_t DrawBeforeSmooth(const SmoothActivation& activation, double variance,
                              double output_variance, const RandomBlock& random,
                              std::uint64_t first_entry, std::uint64_t total_entries,
                              absl::Span<const T> mean, absl::Span<const T> output,
                              absl::Span<T> out);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_RANDOM_DRAW_BEFORE_SMOOTH_H_
