// Draws that are addressed by entry must not depend on how their array is cut.
#ifndef POSTERIORD_TESTS_CORE_TESTING_PARTITIONS_H_
#define POSTERIORD_TESTS_CORE_TESTING_PARTITIONS_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/types/span.h"

namespace posteriord::testing {

// `draw(first_entry, begin, out)` fills `out`, which is the array from `begin` on; entries must not
// depend on how the array is cut.
template <typename T, typename Draw>
void ExpectSameInAnyPartition(Draw draw) {
  constexpr std::size_t kSize = 300;
  constexpr std::uint64_t kFirst = 12345;
  std::vector<T> whole(kSize);
  draw(kFirst, 0, absl::MakeSpan(whole));
  std::mt19937 random(5);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<T> pieces(kSize);
    std::size_t begin = 0;
    while (begin < kSize) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 40, kSize - begin);
      draw(kFirst + begin, begin, absl::MakeSpan(pieces).subspan(begin, size));
      begin += size;
    }
    ASSERT_EQ(whole, pieces);
  }
}

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_TESTING_PARTITIONS_H_
