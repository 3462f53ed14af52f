// The random numbers that an element stands for, made without core.
#ifndef POSTERIORD_TESTS_CORE_TESTING_UNIFORMS_OF_H_
#define POSTERIORD_TESTS_CORE_TESTING_UNIFORMS_OF_H_

#include <Random123/philox.h>

#include <cmath>
#include <cstdint>

namespace posteriord::testing {

// The two uniforms of an element of RandomBlock(seed, 0, 0, 0), from Random123.
struct UniformsOf {
  UniformsOf(std::uint32_t seed, std::uint64_t element) {
    const auto low_word = static_cast<std::uint32_t>(element);
    const auto high_word = static_cast<std::uint32_t>(element >> 32);
    const auto bits = r123::Philox4x32()({{low_word, high_word, 0, 0}}, {{seed, 0}});
    const auto uniform = [](std::uint32_t low, std::uint32_t high) {
      return std::ldexp(static_cast<double>((std::uint64_t{high} << 32 | low) >> 12) + 0.5, -52);
    };
    first = uniform(bits[0], bits[1]);
    second = uniform(bits[2], bits[3]);
  }
  double first;
  double second;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_TESTING_UNIFORMS_OF_H_
