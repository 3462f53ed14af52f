// Gaussian regression: the last latent is the target.
#ifndef POSTERIORD_CORE_LIKELIHOOD_GAUSSIAN_H_
#define POSTERIORD_CORE_LIKELIHOOD_GAUSSIAN_H_

#include <cmath>

#include "core/likelihood/likelihood.h"
#include "core/random/draws.h"

namespace posteriord::core {

template <typename T>
class GaussianLikelihood final : public Likelihood<T> {
 public:
  bool latent_is_observed() const override { return true; }

  Eigen::MatrixXd MakeTargets(const ConstRows<T>& latent) const override {
    return latent.template cast<double>();
  }

  void DrawLatent(const typename Likelihood<T>::Chunk&, const Eigen::MatrixXd&, const RandomBlock&,
                  const ConstRows<T>&, Rows<T>) const override {}

  double LogDensity(const ConstRows<T>&, const Eigen::MatrixXd&, Eigen::Index,
                    Rows<T>) const override {
    return 0;  // a point mass; the noise of the last layer is counted with the layers
  }

  void AddOutputNoise(double variance, const RandomBlock& random,
                      Matrix<T>& outputs) const override {
    Matrix<T> normals(outputs.rows(), outputs.cols());
    DrawNormals<T>(random, 0,
                   absl::MakeSpan(normals.data(), static_cast<std::size_t>(normals.size())));
    outputs += static_cast<T>(std::sqrt(variance)) * normals;
  }

  void AddPrediction(const ConstRows<T>& outputs, Eigen::MatrixXd& sum) const override {
    sum += outputs.template cast<double>();
  }

  double Error(const Eigen::MatrixXd& prediction, const Eigen::MatrixXd& targets) const override {
    return (prediction - targets).squaredNorm() / static_cast<double>(targets.size());
  }
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LIKELIHOOD_GAUSSIAN_H_
