#include "core/random/piecewise_linear.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/core/testing/precisions.h"

namespace posteriord::core {
namespace {

template <typename T>
class PiecewiseLinearTest : public ::testing::Test {
 protected:
  // s(z) and s'(z) at -3, -1, -0.5, 0, 0.5, 1, 3.
  static std::vector<T> Values(const PiecewiseLinear& s) {
    std::vector<T> out = kPoints;
    Evaluate<T>(s, kPoints, absl::MakeSpan(out));
    return out;
  }
  static std::vector<T> Slopes(const PiecewiseLinear& s) {
    std::vector<T> out = kPoints;
    EvaluateSlope<T>(s, out, absl::MakeSpan(out));  // in place
    return out;
  }

 private:
  inline static const std::vector<T> kPoints = {-3, -1, -0.5, 0, 0.5, 1, 3};
};
TYPED_TEST_SUITE(PiecewiseLinearTest, testing::Precisions, testing::PrecisionNames);

TYPED_TEST(PiecewiseLinearTest, EachActivationHasItsValuesAndSlopes) {
  using Row = std::vector<TypeParam>;
  EXPECT_EQ(this->Values(PiecewiseLinear::Linear()), (Row{-3, -1, -0.5, 0, 0.5, 1, 3}));
  EXPECT_EQ(this->Slopes(PiecewiseLinear::Linear()), (Row{1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(this->Values(PiecewiseLinear::Relu()), (Row{0, 0, 0, 0, 0.5, 1, 3}));
  EXPECT_EQ(this->Slopes(PiecewiseLinear::Relu()), (Row{0, 0, 0, 1, 1, 1, 1}));
  EXPECT_EQ(this->Values(PiecewiseLinear::LeakyRelu(0.5)), (Row{-1.5, -0.5, -0.25, 0, 0.5, 1, 3}));
  EXPECT_EQ(this->Slopes(PiecewiseLinear::LeakyRelu(0.5)), (Row{0.5, 0.5, 0.5, 1, 1, 1, 1}));
  EXPECT_EQ(this->Values(PiecewiseLinear::Absolute()), (Row{3, 1, 0.5, 0, 0.5, 1, 3}));
  EXPECT_EQ(this->Slopes(PiecewiseLinear::Absolute()), (Row{-1, -1, -1, 1, 1, 1, 1}));
  EXPECT_EQ(this->Values(PiecewiseLinear::Sign()), (Row{-1, -1, -1, 1, 1, 1, 1}));
  EXPECT_EQ(this->Slopes(PiecewiseLinear::Sign()), (Row{0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(this->Values(PiecewiseLinear::HardTanh()), (Row{-1, -1, -0.5, 0, 0.5, 1, 1}));
  EXPECT_EQ(this->Slopes(PiecewiseLinear::HardTanh()), (Row{0, 1, 1, 1, 1, 0, 0}));
}

TYPED_TEST(PiecewiseLinearTest, ScalingScalesValuesAndSlopes) {
  using Row = std::vector<TypeParam>;
  const PiecewiseLinear scaled = PiecewiseLinear::HardTanh().Scaled(-2);
  EXPECT_EQ(this->Values(scaled), (Row{2, 2, 1, 0, -1, -2, -2}));
  EXPECT_EQ(this->Slopes(scaled), (Row{0, -2, -2, -2, -2, 0, 0}));
  EXPECT_EQ(this->Values(scaled.Scaled(0)), (Row{0, 0, 0, 0, 0, 0, 0}));
}

TEST(PiecewiseLinearConstantTest, IsAConstantExpression) {
  static_assert(PiecewiseLinear::HardTanh().Scaled(3)(0.5) == 1.5);
  static_assert(PiecewiseLinear::HardTanh().Scaled(3).Slope(0.5) == 3);
  static_assert(PiecewiseLinear::HardTanh().PieceAt(1) == 2);
  static_assert(PiecewiseLinear::Sign().knot(0) == 0);
}

}  // namespace
}  // namespace posteriord::core
