// Softmax classification with a temperature:
//   log p(target = c) = (z_c - log sum_k exp(z_k)) / temperature.
// A distribution over targets at temperature 1 only; otherwise the likelihood is tempered, as in
// exp(-cross entropy / temperature).
#ifndef POSTERIORD_CORE_LIKELIHOOD_SOFTMAX_H_
#define POSTERIORD_CORE_LIKELIHOOD_SOFTMAX_H_

#include <cmath>

#include "core/likelihood/class_likelihood.h"
#include "core/random/draws.h"

namespace posteriord::core {

template <typename T>
class SoftmaxLikelihood final : public ClassLikelihood<T> {
 public:
  explicit SoftmaxLikelihood(double temperature) : precision_(1 / temperature) {}

  // Not conjugate to Gaussian noise: no sampler may ask.
  void DrawLatent(const typename Likelihood<T>::Chunk&, const Eigen::MatrixXd&, const RandomBlock&,
                  const ConstRows<T>&, Rows<T>) const override {}

  // Gumbel noise: the largest entry is then a draw from the softmax of the outputs.
  void AddOutputNoise(double, const RandomBlock& random, Matrix<T>& outputs) const override {
    Eigen::MatrixXd uniforms(outputs.rows(), outputs.cols());
    DrawUniforms(random, 0,
                 absl::MakeSpan(uniforms.data(), static_cast<std::size_t>(uniforms.size())));
    outputs -= (-uniforms.array().log()).log().matrix().template cast<T>();
  }

  double LogDensity(const ConstRows<T>& latent, const Eigen::MatrixXd& targets,
                    Eigen::Index first_row, Rows<T> gradient) const override {
    const auto largest = latent.rowwise().maxCoeff().eval();
    gradient = (latent.colwise() - largest).array().exp().matrix();
    const auto sums = gradient.rowwise().sum().eval();
    double log_density = 0;
    for (Eigen::Index row = 0; row < latent.rows(); ++row) {
      const auto target = static_cast<Eigen::Index>(targets(first_row + row, 0));
      log_density += static_cast<double>(latent(row, target) - largest(row)) -
                     std::log(static_cast<double>(sums(row)));
    }
    gradient.array().colwise() *= static_cast<T>(-precision_) * sums.array().inverse();
    for (Eigen::Index row = 0; row < latent.rows(); ++row) {
      gradient(row, static_cast<Eigen::Index>(targets(first_row + row, 0))) +=
          static_cast<T>(precision_);
    }
    return precision_ * log_density;
  }

 private:
  const double precision_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LIKELIHOOD_SOFTMAX_H_
