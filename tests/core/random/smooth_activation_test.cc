#include "core/random/smooth_activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/core/testing/precisions.h"
#include "tests/core/testing/smooth_reference.h"

namespace posteriord::core {
namespace {

constexpr SmoothActivation kActivations[] = {SmoothActivation::Tanh(), SmoothActivation::Erf(),
                                             SmoothActivation::Gelu()};

template <typename T>
std::vector<T> Points() {
  std::vector<T> points = {0,       T(1e-300), T(1e-9), T(-1e-9), T(1e-3), T(300),
                           T(-300), T(1e6),    T(-1e6), T(1e30),  T(-1e30)};
  for (double z = -45; z <= 45; z += 0.0078125) points.push_back(static_cast<T>(z));
  return points;
}

template <typename T>
class SmoothActivationTest : public ::testing::Test {};
TYPED_TEST_SUITE(SmoothActivationTest, testing::Precisions, testing::PrecisionNames);

TYPED_TEST(SmoothActivationTest, ValuesAndSlopesAreThoseOfTheLibraryFunctions) {
  const std::vector<TypeParam> z = Points<TypeParam>();
  const double rounding = std::numeric_limits<TypeParam>::epsilon() / 2;
  for (const SmoothActivation& plain : kActivations) {
    for (const double factor : {1.0, -2.5}) {
      const SmoothActivation activation = plain.Scaled(factor);
      std::vector<TypeParam> values = z, slopes = z;  // in place
      Evaluate<TypeParam>(activation, values, absl::MakeSpan(values));
      EvaluateSlope<TypeParam>(activation, slopes, absl::MakeSpan(slopes));
      for (std::size_t i = 0; i < z.size(); ++i) {
        const long double value = testing::SmoothValue(activation, z[i]);
        const long double slope = testing::SmoothSlope(activation, z[i]);
        const double size = std::abs(factor);
        EXPECT_NEAR(static_cast<double>(values[i] - value), 0,
                    4e-16 * size + (4e-16 + rounding) * std::abs(static_cast<double>(value)))
            << "kind " << static_cast<int>(plain.kind) << " z " << z[i];
        EXPECT_NEAR(static_cast<double>(slopes[i] - slope), 0,
                    1e-15 * size + rounding * std::abs(static_cast<double>(slope)))
            << "kind " << static_cast<int>(plain.kind) << " z " << z[i];
      }
    }
  }
}

TYPED_TEST(SmoothActivationTest, AreRelativelyExactNearZero) {
  const std::vector<TypeParam> z = {TypeParam(1e-30), TypeParam(-1e-12), TypeParam(1e-4)};
  for (const SmoothActivation& activation : kActivations) {
    std::vector<TypeParam> values = z;
    Evaluate<TypeParam>(activation, z, absl::MakeSpan(values));
    for (std::size_t i = 0; i < z.size(); ++i) {
      const auto value = static_cast<double>(testing::SmoothValue(activation, z[i]));
      EXPECT_NEAR(static_cast<double>(values[i]) / value, 1,
                  std::numeric_limits<TypeParam>::epsilon() + 1e-15);
    }
  }
}

}  // namespace
}  // namespace posteriord::core
