// Counter-based random numbers: every number has an address and can be computed on its own, by any
// thread, in any order.
//
// Generator: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2,
// 3", SC 2011). Key: the 64-bit seed. Counter, 128 bits (docs/adr/0005-random-addresses.md):
//   word 0: element, bits 0-31        word 1: element, bits 32-39 | block << 8   (24 bits)
//   word 2: sweep, bits 0-31          word 3: sweep, bits 32-47   | chain << 16  (16 bits)
// The 128 bits at an address make two uniform doubles.
#ifndef POSTERIORD_CORE_RANDOM_RANDOM_BLOCK_H_
#define POSTERIORD_CORE_RANDOM_RANDOM_BLOCK_H_

#include <array>
#include <cstdint>

namespace posteriord::core {

// What a block of random numbers is for. The low bits of a block number say the use, the others
// the layer.
enum class RandomUse : std::uint32_t {
  kParameters = 0,  // parameters of the layer
  kLatent = 1,      // latent after the layer
  kInputs = 2,      // Gaussian training inputs
  kTestInputs = 3,  // Gaussian test inputs
  kMomentum = 4,    // momenta of a gradient sampler's step; layer 0
  kTransition = 5,  // its choices: directions, acceptance, jitter; layer 0. Also those of a
                    // collapsed move of the layer
  kScales = 6,      // learned noise and precisions of the layer
};

inline constexpr std::uint32_t MakeBlock(int layer, RandomUse use) {
  return static_cast<std::uint32_t>(layer) * 8 + static_cast<std::uint32_t>(use);
}

// Chain index under which data and teachers are drawn; real chains stay far below.
inline constexpr std::uint32_t kDataChain = 0xFFFF;

// The random numbers of one block of one sweep of one chain. A small value, cheap to copy.
class RandomBlock {
 public:
  // REQUIRES: chain < 2^16, sweep < 2^48, block < 2^24.
  RandomBlock(std::uint64_t seed, std::uint32_t chain, std::uint64_t sweep, std::uint32_t block)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        counter_{0, block << 8, static_cast<std::uint32_t>(sweep),
                 static_cast<std::uint32_t>(sweep >> 32) | chain << 16} {}

  const std::array<std::uint32_t, 2>& key() const { return key_; }
  // Counter of element 0.
  const std::array<std::uint32_t, 4>& counter() const { return counter_; }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_RANDOM_RANDOM_BLOCK_H_
