#include "core/model/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/random/draws.h"
#include "tests/core/testing/precisions.h"
#include "tests/core/testing/statistics.h"

namespace posteriord::core {
namespace {

using Eigen::Index;
using testing::Mean;
using testing::NormalBound;

NetworkSpec Network() {
  NetworkSpec network;
  network.inputs = 2;
  network.layers = {
      {"dense1", DenseSpec{3, true, 2, 5}, 0.1},
      {"relu1", ActivationSpec{}, 0.2},
      {"dense2", DenseSpec{2, false, 3, 0}, 0.4},
  };
  return network;
}

template <typename T>
Latent<T> NormalInputs(Index samples, Index width) {
  Latent<T> inputs(samples, width);
  Matrix<T> values(samples, width);
  DrawNormals<T>(RandomBlock(1, 999, 0, 0), 0,
                 absl::MakeSpan(values.data(), static_cast<std::size_t>(values.size())));
  inputs.values() = values;
  return inputs;
}

TEST(ParameterLayoutTest, ListsWeightsAndBiasesLayerByLayer) {
  const ParameterLayout layout = MakeParameterLayout(Network());
  ASSERT_EQ(layout.arrays.size(), 3u);
  EXPECT_EQ(layout.arrays[0].name, "dense1.weight");
  EXPECT_EQ(layout.arrays[0].shape, (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(layout.arrays[0].offset, 0);
  EXPECT_EQ(layout.arrays[0].size, 6);
  EXPECT_EQ(layout.arrays[1].name, "dense1.bias");
  EXPECT_EQ(layout.arrays[1].shape, (std::vector<std::int64_t>{3}));
  EXPECT_EQ(layout.arrays[1].offset, 6);
  EXPECT_EQ(layout.arrays[2].name, "dense2.weight");
  EXPECT_EQ(layout.arrays[2].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(layout.arrays[2].offset, 9);
  EXPECT_EQ(layout.size, 15);
}

TEST(LayerShapesTest, ActivationsKeepTheShape) {
  EXPECT_EQ(LayerShapes(Network()), (std::vector<Shape>{2, 3, 3, 2}));
}

TEST(LayerShapesTest, ImagesShrinkByKernelsAndWindows) {
  NetworkSpec network;
  network.inputs = {1, 28, 28};
  network.layers = {
      {"conv1", Conv2dSpec{.channels = 2, .kernel_height = 4, .kernel_width = 4, .stride = 2}, 1},
      {"pool1", AvgPool2dSpec{2, 2}, 1},
      {"relu1", ActivationSpec{}, 1},
      {"dense1", DenseSpec{10}, 1},
  };
  EXPECT_EQ(LayerShapes(network),
            (std::vector<Shape>{{1, 28, 28}, {2, 13, 13}, {2, 6, 6}, {2, 6, 6}, 10}));
  const ParameterLayout layout = MakeParameterLayout(network);
  ASSERT_EQ(layout.arrays.size(), 4u);
  EXPECT_EQ(layout.arrays[0].shape, (std::vector<std::int64_t>{2, 1, 4, 4}));
  EXPECT_EQ(layout.arrays[1].shape, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(layout.arrays[2].shape, (std::vector<std::int64_t>{10, 72}));
}

template <typename T>
class ModelTest : public ::testing::Test {
 protected:
  std::vector<Matrix<T>> DrawPrior(std::uint64_t seed, std::uint32_t chain) {
    State<T> state = model_.ZeroState(0);
    model_.DrawPrior(seed, chain, state);
    return state.parameters;
  }

  Model<T> model_{Network()};
};
TYPED_TEST_SUITE(ModelTest, testing::Precisions, testing::PrecisionNames);

TYPED_TEST(ModelTest, ExportAndImportRoundTripThroughTheLayout) {
  State<TypeParam> state = this->model_.ZeroState(0);
  this->model_.DrawPrior(1, 2, state);
  const std::vector<Matrix<TypeParam>>& parameters = state.parameters;
  std::vector<double> flat(this->model_.layout().size);
  this->model_.Export(state, absl::MakeSpan(flat));
  State<TypeParam> imported = this->model_.ZeroState(0);
  this->model_.Import(flat, imported);
  EXPECT_EQ(imported.parameters, parameters);
  // Weight from input 1 to unit 2 of dense1, bias of unit 1, weight from unit 2 to output 1.
  EXPECT_EQ(flat[2 * 2 + 1], static_cast<double>(parameters[0](1 + 1, 2)));
  EXPECT_EQ(flat[6 + 1], static_cast<double>(parameters[0](0, 1)));
  EXPECT_EQ(flat[9 + 1 * 3 + 2], static_cast<double>(parameters[2](2, 1)));
}

TYPED_TEST(ModelTest, PriorDrawsDifferBetweenSeedsChainsAndLayers) {
  const auto first = this->DrawPrior(1, 2);
  EXPECT_EQ(first, this->DrawPrior(1, 2));
  EXPECT_NE(first, this->DrawPrior(2, 2));
  EXPECT_NE(first, this->DrawPrior(1, 3));
  EXPECT_NE(first[0](1, 0) * std::sqrt(2), first[2](0, 0) * std::sqrt(3));
}

TYPED_TEST(ModelTest, PredictIsTheNoiseFreeForwardPass) {
  const auto parameters = this->DrawPrior(3, 0);
  const Latent<TypeParam> inputs = NormalInputs<TypeParam>(5, 2);
  const Matrix<TypeParam> outputs = this->model_.Predict(parameters, inputs.augmented());
  for (Index row = 0; row < 5; ++row) {
    for (Index output = 0; output < 2; ++output) {
      double expected = 0;
      for (Index unit = 0; unit < 3; ++unit) {
        double z = parameters[0](0, unit);
        for (Index i = 0; i < 2; ++i) {
          z += static_cast<double>(inputs.values()(row, i)) *
               static_cast<double>(parameters[0](1 + i, unit));
        }
        expected += std::max(z, 0.0) * static_cast<double>(parameters[2](unit, output));
      }
      EXPECT_NEAR(outputs(row, output), expected, 1e-5);
    }
  }
}

TYPED_TEST(ModelTest, LatentsWithoutNoiseAreTheForwardPass) {
  constexpr Index kSamples = 2 * kChunkRows + 10;
  const Latent<TypeParam> inputs = NormalInputs<TypeParam>(kSamples, 2);
  State<TypeParam> state = this->model_.ZeroState(kSamples);
  state.parameters = this->DrawPrior(3, 0);
  this->model_.DrawLatents(inputs, /*noise=*/false, 1, 0, state);
  const Matrix<TypeParam> outputs = this->model_.Predict(state.parameters, inputs.augmented());
  EXPECT_LT((state.latents.back().values() - outputs).cwiseAbs().maxCoeff(), 1e-5);
}

TYPED_TEST(ModelTest, LatentsCarryTheNoiseOfTheirOwnLayer) {
  constexpr Index kSamples = 2 * kChunkRows + 10;
  const Latent<TypeParam> inputs = NormalInputs<TypeParam>(kSamples, 2);
  State<TypeParam> state = this->model_.ZeroState(kSamples);
  state.parameters = this->DrawPrior(3, 0);
  this->model_.DrawLatents(inputs, /*noise=*/true, 1, 0, state);
  const std::vector<double> variances = {0.1, 0.2, 0.4};
  for (int i = 0; i < 3; ++i) {
    const Latent<TypeParam>& input = i == 0 ? inputs : state.latents[i - 1];
    Matrix<TypeParam> forward(kSamples, this->model_.layer(i).outputs());
    this->model_.layer(i).Forward(state.parameters[i], input.augmented(), forward);
    const Matrix<TypeParam> noise = state.latents[i].values() - forward;
    Mean mean, square, neighbours;
    for (Index row = 0; row < kSamples; ++row) {
      for (Index unit = 0; unit < noise.cols(); ++unit) {
        const auto value = static_cast<double>(noise(row, unit));
        mean.Add(value);
        square.Add(value * value / variances[i]);
        if (unit > 0) neighbours.Add(value * static_cast<double>(noise(row, unit - 1)));
      }
    }
    EXPECT_LT(std::abs(ZScore(mean, 0)), NormalBound(9)) << "layer " << i;
    EXPECT_LT(std::abs(ZScore(square, 1)), NormalBound(9)) << "layer " << i;
    EXPECT_LT(std::abs(ZScore(neighbours, 0)), NormalBound(9)) << "layer " << i;
  }
}

}  // namespace
}  // namespace posteriord::core
