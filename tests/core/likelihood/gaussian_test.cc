#include "core/likelihood/gaussian.h"

#include <gtest/gtest.h>

#include "tests/core/testing/precisions.h"

namespace posteriord::core {
namespace {

template <typename T>
class GaussianLikelihoodTest : public ::testing::Test {
 protected:
  GaussianLikelihood<T> likelihood_;
};
TYPED_TEST_SUITE(GaussianLikelihoodTest, testing::Precisions, testing::PrecisionNames);

TYPED_TEST(GaussianLikelihoodTest, TargetsAreTheLatent) {
  EXPECT_TRUE(this->likelihood_.latent_is_observed());
  Matrix<TypeParam> latent(2, 2);
  latent << 1, 2, 3, 4;
  EXPECT_EQ(this->likelihood_.MakeTargets(latent), latent.template cast<double>());
}

TYPED_TEST(GaussianLikelihoodTest, PredictionsAreSumsOfOutputs) {
  Matrix<TypeParam> outputs(2, 2);
  outputs << 1, 2, 3, 4;
  Eigen::MatrixXd sum = Eigen::MatrixXd::Constant(2, 2, 10);
  this->likelihood_.AddPrediction(outputs, sum);
  Eigen::MatrixXd expected(2, 2);
  expected << 11, 12, 13, 14;
  EXPECT_EQ(sum, expected);
}

TYPED_TEST(GaussianLikelihoodTest, ErrorIsTheMeanSquareOverSamplesAndOutputs) {
  Eigen::MatrixXd prediction(2, 3), targets(2, 3);
  prediction << 1, 2, 3, 4, 5, 6;
  targets << 1, 2, 3, 4, 5, 3;
  EXPECT_DOUBLE_EQ(this->likelihood_.Error(prediction, targets), 9.0 / 6);
}

}  // namespace
}  // namespace posteriord::core
