// Values of one latent variable (or of the inputs) for all samples.
#ifndef POSTERIORD_CORE_LAYERS_LATENT_H_
#define POSTERIORD_CORE_LAYERS_LATENT_H_

#include "core/linalg/matrix.h"

namespace posteriord::core {

// A samples x width matrix kept behind a column of ones, so that an affine map is one product.
template <typename T>
class Latent {
 public:
  Latent() = default;
  // All values zero.
  Latent(Eigen::Index samples, Eigen::Index width) : augmented_(samples, width + 1) {
    augmented_.col(0).setOnes();
    augmented_.rightCols(width).setZero();
  }

  Eigen::Index samples() const { return augmented_.rows(); }
  Eigen::Index width() const { return augmented_.cols() - 1; }

  // samples x width.
  auto values() { return augmented_.rightCols(width()); }
  auto values() const { return augmented_.rightCols(width()); }
  // samples x (1 + width); the first column is 1.
  const Matrix<T>& augmented() const { return augmented_; }

 private:
  Matrix<T> augmented_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LAYERS_LATENT_H_
