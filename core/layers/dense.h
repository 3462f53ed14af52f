// Dense layer: v' = b + W v, with conjugate Gaussian updates of parameters and input.
//
// Parameters given input X (n x d) and output Z (n x k), weights and bias jointly: with Xt = [1 X]
// and A = Xt' Xt + Delta diag(lambda_b, lambda_W, ...),
//   (b, W)_a ~ N(A^{-1} Xt' Z_a, Delta A^{-1})   for every unit a,
// drawn from one Cholesky factor A = L L' by triangular solves.
//
// Input given output: with prior N(m, D) per entry, P = W' W / Delta + I / D,
//   v ~ N(P^{-1} [W' (z - b) / Delta + m / D], P^{-1}),
// one factor for all samples.
//
// Gram matrices and factors are double whatever T is; sums over samples are made chunk by chunk in
// T and added up in double. Source: Piccioli, Troiani, Zdeborova, arXiv 2306.02729.
#ifndef POSTERIORD_CORE_LAYERS_DENSE_H_
#define POSTERIORD_CORE_LAYERS_DENSE_H_

#include <memory>

#include "core/layers/layer.h"

namespace posteriord::core {

// The parameter matrix has one column per unit: its bias (if any), then its weights.
template <typename T>
std::unique_ptr<const Layer<T>> MakeDense(const LayerSpec& spec, Eigen::Index inputs);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LAYERS_DENSE_H_
