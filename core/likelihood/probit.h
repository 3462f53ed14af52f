// Multinomial probit: the target y of a sample is the index of the largest entry of its last
// latent z. Conditionals of a sample, with z_c ~ N(m_c, variance) a priori:
//   z_y given the others: that normal above max_{c != y} z_c,
//   z_c given z_y, for every c != y: that normal below z_y.
#ifndef POSTERIORD_CORE_LIKELIHOOD_PROBIT_H_
#define POSTERIORD_CORE_LIKELIHOOD_PROBIT_H_

#include <limits>

#include "core/likelihood/class_likelihood.h"
#include "core/random/draws.h"

namespace posteriord::core {

template <typename T>
class ProbitLikelihood final : public ClassLikelihood<T> {
 public:
  // Entry (row, class c) uses random element c * samples + row, the target's entry
  // classes * samples + row.
  void DrawLatent(const typename Likelihood<T>::Chunk& chunk, const Eigen::MatrixXd& targets,
                  const RandomBlock& random, const ConstRows<T>& mean,
                  Rows<T> latent) const override {
    const Eigen::Index rows = latent.rows();
    const Eigen::Index classes = latent.cols();
    const auto label = [&](Eigen::Index row) {
      return static_cast<Eigen::Index>(targets(chunk.first_row + row, 0));
    };
    const auto element = [&](Eigen::Index c) {
      return static_cast<std::uint64_t>(c * chunk.samples + chunk.first_row);
    };

    Matrix<T> work(rows, 3);  // mean of the target's entry, its limit, its new value
    for (Eigen::Index row = 0; row < rows; ++row) {
      const Eigen::Index y = label(row);
      T limit = std::numeric_limits<T>::lowest();
      for (Eigen::Index c = 0; c < classes; ++c) {
        if (c != y && latent(row, c) > limit) limit = latent(row, c);
      }
      work(row, 0) = mean(row, y);
      work(row, 1) = limit;
    }
    const auto column = [rows](auto& matrix, Eigen::Index c) {
      return absl::MakeSpan(&matrix.coeffRef(0, c), static_cast<std::size_t>(rows));
    };
    DrawNormalAbove<T>(chunk.variance, random, element(classes), column(work, 0), column(work, 1),
                       column(work, 2));
    for (Eigen::Index c = 0; c < classes; ++c) {
      DrawNormalBelow<T>(chunk.variance, random, element(c), column(mean, c), column(work, 2),
                         column(latent, c));
    }
    for (Eigen::Index row = 0; row < rows; ++row) latent(row, label(row)) = work(row, 2);
  }

  void AddOutputNoise(double, const RandomBlock&, Matrix<T>&) const override {}

  double LogDensity(const ConstRows<T>&, const Eigen::MatrixXd&, Eigen::Index,
                    Rows<T>) const override {
    return 0;  // where the target's entry is the largest, which a chain never leaves
  }
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LIKELIHOOD_PROBIT_H_
