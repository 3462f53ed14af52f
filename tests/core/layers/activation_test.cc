#include "core/layers/activation.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/random/draw_before_piecewise_linear.h"
#include "core/random/draws.h"
#include "tests/core/testing/precisions.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

constexpr double kNoise = 0.1;

template <typename T>
class ActivationTest : public ::testing::Test {
 protected:
  std::unique_ptr<const Layer<T>> relu_ =
      MakeActivation<T>({"relu1", ActivationSpec{ActivationKind::kRelu}, kNoise}, 3);
};
TYPED_TEST_SUITE(ActivationTest, testing::Precisions, testing::PrecisionNames);

TYPED_TEST(ActivationTest, ForwardOfReluKeepsWhatIsPositive) {
  Latent<TypeParam> input(2, 3);
  input.values() << -1, 0, 2,  //
      0.5, -3, -0.25;
  Matrix<TypeParam> out(2, 3);
  this->relu_->Forward({}, input.augmented(), out);
  Matrix<TypeParam> expected(2, 3);
  expected << 0, 0, 2,  //
      0.5, 0, 0;
  EXPECT_EQ(out, expected);
}

TYPED_TEST(ActivationTest, HasNoParameters) {
  EXPECT_EQ(this->relu_->ZeroParameters().size(), 0);
  EXPECT_EQ(this->relu_->DrawPrior(this->relu_->scales(), RandomBlock(1, 0, 0, 0)).size(), 0);
  EXPECT_EQ(LogPrior(this->relu_->Squares({}), this->relu_->scales()), 0);
}

// Which conditional is drawn, with which variances and numbers; its distribution is tested with
// core/random.
TYPED_TEST(ActivationTest, InputIsDrawnEntryByEntryWhateverTheChunks) {
  constexpr Index kSamples = 10;
  constexpr double kInputVariance = 0.3;
  const RandomBlock random(2, 0, 7, 1);
  Matrix<TypeParam> mean(kSamples, 3), drawn(kSamples, 3);
  Latent<TypeParam> output(kSamples, 3);
  DrawNormals<TypeParam>(RandomBlock(3, 0, 0, 0), 0, absl::MakeSpan(mean.data(), 30));
  Matrix<TypeParam> normals(kSamples, 3);
  DrawNormals<TypeParam>(RandomBlock(4, 0, 0, 0), 0, absl::MakeSpan(normals.data(), 30));
  output.values() = normals;
  for (const auto& [first, rows] : {std::pair<Index, Index>{0, 4}, {4, 1}, {5, 5}}) {
    Matrix<TypeParam> chunk = mean.middleRows(first, rows);
    this->relu_->DrawInput({}, nullptr, {first, kSamples, kInputVariance, kNoise},
                           output.values().middleRows(first, rows), random, chunk,
                           drawn.middleRows(first, rows));
  }
  Matrix<TypeParam> expected(kSamples, 3);
  DrawBeforePiecewiseLinear<TypeParam>(PiecewiseLinear::Relu(), kInputVariance, kNoise, random, 0,
                                       absl::MakeConstSpan(mean.data(), 30),
                                       absl::MakeConstSpan(normals.data(), 30),
                                       absl::MakeSpan(expected.data(), 30));
  EXPECT_EQ(drawn, expected);
}

}  // namespace
}  // namespace posteriord::core
