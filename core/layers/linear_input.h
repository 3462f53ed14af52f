// The input of a linear operation given its output: with v' = b + K v + N(0, Delta) and a prior
// N(m, D) on every entry of v,
//   v ~ N(P^{-1} [K' (v' - b) / Delta + m / D], P^{-1}),   P = K' K / Delta + I / D,
// one Cholesky factor for all samples. Source: Piccioli, Troiani, Zdeborova, arXiv 2306.02729.
//
// With few outputs the same distribution is had without solving inputs x inputs systems (Matheron's
// rule: a draw from the prior, corrected for how far its output is off):
//   v = m + e + D K' (D K K' + Delta)^{-1} (v' - b - K (m + e) - d),
// with e ~ N(0, D) and d ~ N(0, Delta).
//
// Internal to core/layers.
#ifndef POSTERIORD_CORE_LAYERS_LINEAR_INPUT_H_
#define POSTERIORD_CORE_LAYERS_LINEAR_INPUT_H_

#include <memory>

#include "core/layers/layer.h"

namespace posteriord::core {

// The factor of P, and what turns outputs into their pull on the input. `map` is K (outputs x
// inputs), `offset` b, `noise_variance` Delta and `input_variance` D.
template <typename T>
std::unique_ptr<const LayerCache> FactoriseLinearInput(const Eigen::MatrixXd& map,
                                                       const Eigen::VectorXd& offset,
                                                       double noise_variance,
                                                       double input_variance);

// Layer<T>::DrawInput with a cache from FactoriseLinearInput.
template <typename T>
void DrawLinearInput(const LayerCache& cache, const typename Layer<T>::InputChunk& chunk,
                     const ConstRows<T>& output, const RandomBlock& random, Rows<T> mean,
                     Rows<T> input);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LAYERS_LINEAR_INPUT_H_
