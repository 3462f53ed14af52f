// Where the random numbers of a sweep are.
#ifndef POSTERIORD_CORE_RANDOM_SWEEP_ADDRESS_H_
#define POSTERIORD_CORE_RANDOM_SWEEP_ADDRESS_H_

#include <cstdint>

namespace posteriord::core {

// Address of a sweep's random numbers.
struct SweepAddress {
  std::uint64_t seed = 0;
  std::uint32_t chain = 0;
  std::uint64_t sweep = 0;  // counted from 1; 0 is the start
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_RANDOM_SWEEP_ADDRESS_H_
