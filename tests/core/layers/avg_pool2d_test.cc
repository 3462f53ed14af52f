#include "core/layers/avg_pool2d.h"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <memory>

#include "core/random/draws.h"
#include "tests/core/testing/precisions.h"
#include "tests/core/testing/standard_normal_test.h"
#include "tests/core/testing/statistics.h"

namespace posteriord::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using testing::SampleCount;
using testing::StandardNormalTest;

template <typename T>
class AvgPool2dTest : public ::testing::Test {
 protected:
  // Rows 0-1 make the only row of windows; row 2 and column 4 are left over.
  const Shape input_{2, 3, 5};
  const std::unique_ptr<const Layer<T>> layer_ =
      MakeAvgPool2d<T>({"pool1", AvgPool2dSpec{2, 2}, 0.1}, input_);

  // The map as a matrix, outputs x inputs.
  static MatrixXd Map() {
    MatrixXd map = MatrixXd::Zero(4, 30);
    for (int channel = 0; channel < 2; ++channel) {
      for (int j = 0; j < 2; ++j) {
        for (int k = 0; k < 2; ++k) {
          for (int l = 0; l < 2; ++l) map(channel * 2 + j, channel * 15 + k * 5 + 2 * j + l) = 0.25;
        }
      }
    }
    return map;
  }
};
TYPED_TEST_SUITE(AvgPool2dTest, testing::Precisions, testing::PrecisionNames);

TYPED_TEST(AvgPool2dTest, ForwardIsTheMeanOfEachWindow) {
  Latent<TypeParam> input(3, 30);
  input.values() = MatrixXd::Random(3, 30).template cast<TypeParam>();
  Matrix<TypeParam> out(3, 4);
  this->layer_->Forward({}, input.augmented(), out);
  const MatrixXd expected = input.values().template cast<double>() * this->Map().transpose();
  EXPECT_LT((out.template cast<double>() - expected).cwiseAbs().maxCoeff(), 1e-6);
}

// Against the Gaussian posterior of the map written as a matrix.
TYPED_TEST(AvgPool2dTest, InputHasTheExactConditionalMeanAndCovariance) {
  constexpr double kInputVariance = 0.7;
  constexpr double kNoise = 0.1;
  const MatrixXd map = this->Map();
  const MatrixXd prior_mean = MatrixXd::Random(1, 30);
  const MatrixXd output = MatrixXd::Random(1, 4);
  const MatrixXd precision =
      map.transpose() * map / kNoise + MatrixXd::Identity(30, 30) / kInputVariance;
  const MatrixXd mean =
      precision.ldlt().solve((output * map / kNoise + prior_mean / kInputVariance).transpose());
  const MatrixXd whiten = precision.llt().matrixU();
  StandardNormalTest standard(30);
  Matrix<TypeParam> input(1, 30);
  for (int draw = 0; draw < SampleCount(40'000); ++draw) {
    Matrix<TypeParam> chunk_mean = prior_mean.template cast<TypeParam>();
    const Matrix<TypeParam> out = output.template cast<TypeParam>();
    this->layer_->DrawInput({}, nullptr, {0, 1, kInputVariance, kNoise}, out,
                            RandomBlock(1, 0, static_cast<std::uint64_t>(draw), 0), chunk_mean,
                            input);
    standard.Add(whiten * (input.template cast<double>().transpose() - mean));
  }
  EXPECT_LT(standard.LargestZ(), standard.Bound());
}

}  // namespace
}  // namespace posteriord::core
