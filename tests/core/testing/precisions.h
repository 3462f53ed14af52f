// Test suites that run in both precisions of a chain:
//   TYPED_TEST_SUITE(DenseTest, testing::Precisions, testing::PrecisionNames);
#ifndef POSTERIORD_TESTS_CORE_TESTING_PRECISIONS_H_
#define POSTERIORD_TESTS_CORE_TESTING_PRECISIONS_H_

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace posteriord::testing {

using Precisions = ::testing::Types<float, double>;

class PrecisionNames {
 public:
  template <typename T>
  static std::string GetName(int) {
    return std::is_same_v<T, float> ? "float" : "double";
  }
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_TESTING_PRECISIONS_H_
