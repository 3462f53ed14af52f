// What likelihoods of classes share: targets are class indices, predictions are votes.
#ifndef POSTERIORD_CORE_LIKELIHOOD_CLASS_LIKELIHOOD_H_
#define POSTERIORD_CORE_LIKELIHOOD_CLASS_LIKELIHOOD_H_

#include "core/likelihood/likelihood.h"

namespace posteriord::core {

template <typename T>
class ClassLikelihood : public Likelihood<T> {
 public:
  bool latent_is_observed() const override { return false; }

  Eigen::MatrixXd MakeTargets(const ConstRows<T>& latent) const override {
    Eigen::MatrixXd targets(latent.rows(), 1);
    for (Eigen::Index row = 0; row < latent.rows(); ++row) targets(row, 0) = Largest(latent, row);
    return targets;
  }

  void AddPrediction(const ConstRows<T>& outputs, Eigen::MatrixXd& sum) const override {
    for (Eigen::Index row = 0; row < outputs.rows(); ++row) sum(row, Largest(outputs, row)) += 1;
  }

  double Error(const Eigen::MatrixXd& prediction, const Eigen::MatrixXd& targets) const override {
    Eigen::Index wrong = 0;
    for (Eigen::Index row = 0; row < prediction.rows(); ++row) {
      if (Largest(prediction, row) != static_cast<Eigen::Index>(targets(row, 0))) ++wrong;
    }
    return static_cast<double>(wrong) / static_cast<double>(targets.rows());
  }

 private:
  // Index of the largest entry of a row, the first of several.
  template <typename Derived>
  static Eigen::Index Largest(const Eigen::MatrixBase<Derived>& matrix, Eigen::Index row) {
    Eigen::Index largest = 0;
    matrix.row(row).maxCoeff(&largest);
    return largest;
  }
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LIKELIHOOD_CLASS_LIKELIHOOD_H_
