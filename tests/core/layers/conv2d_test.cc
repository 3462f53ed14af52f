#include "core/layers/conv2d.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "core/layers/dense.h"
#include "core/random/draws.h"
#include "tests/core/testing/precisions.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

const auto kKeepGoing = [] { return true; };

template <typename T>
Matrix<T> Normals(Index rows, Index columns, std::uint64_t seed) {
  Matrix<T> normals(rows, columns);
  DrawNormals<T>(RandomBlock(seed, 9, 0, 0), 0,
                 absl::MakeSpan(normals.data(), static_cast<std::size_t>(normals.size())));
  return normals;
}

template <typename T>
Latent<T> NormalLatent(Index rows, Index columns, std::uint64_t seed) {
  Latent<T> latent(rows, columns);
  latent.values() = Normals<T>(rows, columns, seed);
  return latent;
}

template <typename T>
class Conv2dTest : public ::testing::Test {
 protected:
  static constexpr Index kSamples = 7;
  const Shape input_{2, 4, 5};
  const Conv2dSpec conv_{.channels = 3,
                         .kernel_height = 2,
                         .kernel_width = 3,
                         .stride = 2,
                         .weight_precision = 3,
                         .bias_precision = 2};
  const std::unique_ptr<const Layer<T>> layer_ = MakeConv2d<T>({"conv1", conv_, 0.3}, input_);
};
TYPED_TEST_SUITE(Conv2dTest, testing::Precisions, testing::PrecisionNames);

TYPED_TEST(Conv2dTest, ForwardIsTheCrossCorrelation) {
  const Latent<TypeParam> input = NormalLatent<TypeParam>(this->kSamples, 40, 1);
  const Matrix<TypeParam> parameters =
      this->layer_->DrawPrior(this->layer_->scales(), RandomBlock(2, 0, 0, 0));
  ASSERT_EQ(parameters.rows(), 1 + 2 * 2 * 3);
  ASSERT_EQ(this->layer_->outputs(), 3 * 2 * 2);
  Matrix<TypeParam> out(this->kSamples, 12);
  this->layer_->Forward(parameters, input.augmented(), out);
  for (Index row = 0; row < this->kSamples; ++row) {
    for (int channel = 0; channel < 3; ++channel) {
      for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < 2; ++j) {
          double sum = parameters(0, channel);
          for (int b = 0; b < 2; ++b) {
            for (int k = 0; k < 2; ++k) {
              for (int l = 0; l < 3; ++l) {
                sum +=
                    static_cast<double>(parameters(1 + (b * 2 + k) * 3 + l, channel)) *
                    static_cast<double>(input.values()(row, (b * 4 + 2 * i + k) * 5 + 2 * j + l));
              }
            }
          }
          EXPECT_NEAR(out(row, (channel * 2 + i) * 2 + j), sum, 1e-5);
        }
      }
    }
  }
}

// A kernel as large as the image is a dense layer.
TYPED_TEST(Conv2dTest, KernelOfTheWholeImageDrawsWhatADenseLayerDraws) {
  const Shape image(2, 3, 2);
  const LayerSpec conv{"conv1", Conv2dSpec{3, 3, 2, 1, true, 1.5, 0.5}, 0.3};
  const LayerSpec dense{"dense1", DenseSpec{3, true, 1.5, 0.5}, 0.3};
  const auto a = MakeConv2d<TypeParam>(conv, image);
  const auto b = MakeDense<TypeParam>(dense, image);
  const Latent<TypeParam> input = NormalLatent<TypeParam>(20, 12, 1);
  const Latent<TypeParam> output = NormalLatent<TypeParam>(20, 3, 2);
  const RandomBlock random(3, 0, 1, 0);
  Matrix<TypeParam> drawn_a, drawn_b;
  ASSERT_TRUE(
      a->DrawParameters(input, output.values(), a->scales(), nullptr, random, kKeepGoing, drawn_a));
  ASSERT_TRUE(
      b->DrawParameters(input, output.values(), b->scales(), nullptr, random, kKeepGoing, drawn_b));
  EXPECT_LT((drawn_a - drawn_b).cwiseAbs().maxCoeff(), 1e-5);

  const auto cache_a = a->CacheParameters(drawn_b, a->scales(), 0.2);
  const auto cache_b = b->CacheParameters(drawn_b, b->scales(), 0.2);
  Matrix<TypeParam> input_a(20, 12), input_b(20, 12);
  Matrix<TypeParam> mean_a = input.values();
  Matrix<TypeParam> mean_b = input.values();
  a->DrawInput(drawn_b, cache_a.get(), {0, 20, 0.2, 0.3}, output.values(), random, mean_a, input_a);
  b->DrawInput(drawn_b, cache_b.get(), {0, 20, 0.2, 0.3}, output.values(), random, mean_b, input_b);
  EXPECT_LT((input_a - input_b).cwiseAbs().maxCoeff(), 1e-5);
}

TYPED_TEST(Conv2dTest, ExportKeepsTheOrderOfTheKernel) {
  const Matrix<TypeParam> parameters =
      this->layer_->DrawPrior(this->layer_->scales(), RandomBlock(2, 0, 0, 0));
  std::vector<double> flat(3 * 12 + 3);
  this->layer_->Export(parameters, absl::MakeSpan(flat));
  EXPECT_EQ(flat[(2 * 2 + 1) * 6 + 4], static_cast<double>(parameters(1 + 6 + 4, 2)));
  EXPECT_EQ(flat[36 + 1], static_cast<double>(parameters(0, 1)));
  EXPECT_EQ(this->layer_->Import(flat), parameters);
}

}  // namespace
}  // namespace posteriord::core
