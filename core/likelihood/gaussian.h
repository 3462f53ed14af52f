// Gaussian regression: the last latent is the target.
#ifndef POSTERIORD_CORE_LIKELIHOOD_GAUSSIAN_H_
#define POSTERIORD_CORE_LIKELIHOOD_GAUSSIAN_H_

#include "core/likelihood/likelihood.h"

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

  void AddPrediction(const ConstRows<T>& outputs, Eigen::MatrixXd& sum) const override {
    sum += outputs.template cast<double>();
  }

  double Error(const Eigen::MatrixXd& prediction, const Eigen::MatrixXd& targets) const override {
    return (prediction - targets).squaredNorm() / static_cast<double>(targets.size());
  }
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LIKELIHOOD_GAUSSIAN_H_
