// Are vectors draws of N(0, I)? To test draws of N(m, L L'), feed it L^{-1} (draw - m).
#ifndef POSTERIORD_TESTS_CORE_TESTING_STANDARD_NORMAL_TEST_H_
#define POSTERIORD_TESTS_CORE_TESTING_STANDARD_NORMAL_TEST_H_

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "tests/core/testing/statistics.h"

namespace posteriord::testing {

class StandardNormalTest {
 public:
  explicit StandardNormalTest(Eigen::Index dimension)
      : sum_(Eigen::VectorXd::Zero(dimension)),
        products_(Eigen::MatrixXd::Zero(dimension, dimension)) {}

  void Add(const Eigen::VectorXd& draw) {
    sum_ += draw;
    products_ += draw * draw.transpose();
    ++count_;
  }

  // Largest |z| of all means, variances and covariances, whose standard errors are known exactly.
  double LargestZ() const {
    const double root = std::sqrt(static_cast<double>(count_));
    double largest = (sum_ / root).cwiseAbs().maxCoeff();
    for (Eigen::Index i = 0; i < sum_.size(); ++i) {
      for (Eigen::Index j = 0; j <= i; ++j) {
        const double expected = i == j ? static_cast<double>(count_) : 0;
        const double error = root * (i == j ? std::sqrt(2.0) : 1.0);
        largest = std::max(largest, std::abs(products_(i, j) - expected) / error);
      }
    }
    return largest;
  }

  // What LargestZ() of true draws stays below.
  double Bound() const {
    const auto dimension = static_cast<int>(sum_.size());
    return NormalBound(dimension + dimension * (dimension + 1) / 2);
  }

 private:
  Eigen::VectorXd sum_;
  Eigen::MatrixXd products_;
  Eigen::Index count_ = 0;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_TESTING_STANDARD_NORMAL_TEST_H_
