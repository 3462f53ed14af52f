// Dense matrices of the chains: one row per sample, column-major, so that a unit's values over the
// samples are contiguous.
#ifndef POSTERIORD_CORE_LINALG_MATRIX_H_
#define POSTERIORD_CORE_LINALG_MATRIX_H_

#include <Eigen/Core>

namespace posteriord::core {

template <typename T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <typename T>
using ConstRows = Eigen::Ref<const Matrix<T>, 0, Eigen::OuterStride<>>;
template <typename T>
using Rows = Eigen::Ref<Matrix<T>, 0, Eigen::OuterStride<>>;

// Eigen picks its blocking, and with it the order of its sums, by the cache sizes it detects. Fixes
// them once per process so that results do not depend on the machine. Called by Problem::Create.
void FixEigenBlocking();

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LINALG_MATRIX_H_
