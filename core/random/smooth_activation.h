// Smooth activations: tanh, erf and GELU.
#ifndef POSTERIORD_CORE_RANDOM_SMOOTH_ACTIVATION_H_
#define POSTERIORD_CORE_RANDOM_SMOOTH_ACTIVATION_H_

#include "absl/types/span.h"

namespace posteriord::core {

enum class SmoothKind {
  kTanh,  // tanh(z)
  kErf,   // erf(z) = 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to z
  kGelu,  // z Phi(z), Phi the distribution function of the standard normal
};

// s(z) = scale f(z), with the function f of the kind. A small value, cheap to copy.
struct SmoothActivation {
  static constexpr SmoothActivation Tanh() { return {SmoothKind::kTanh, 1}; }
  static constexpr SmoothActivation Erf() { return {SmoothKind::kErf, 1}; }
  static constexpr SmoothActivation Gelu() { return {SmoothKind::kGelu, 1}; }

  // z -> factor * s(z).
  constexpr SmoothActivation Scaled(double factor) const { return {kind, factor * scale}; }

  SmoothKind kind = SmoothKind::kTanh;
  double scale = 1;
};

// out[i] = s(z[i]) and out[i] = s'(z[i]), by vectors in double precision; the same s as is drawn
// before (core/random/draw_before_smooth.h). Error below 4e-16 of the scale (for GELU: times
// 1 + |z|). `out` may be `z`. Instantiated for float and double.
template <typename T>
void Evaluate(const SmoothActivation& activation, absl::Span<const T> z, absl::Span<T> out);
template <typename T>
void EvaluateSlope(const SmoothActivation& activation, absl::Span<const T> z, absl::Span<T> out);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_RANDOM_SMOOTH_ACTIVATION_H_
