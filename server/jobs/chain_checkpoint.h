// What is stored of a chain to go on from.
#ifndef POSTERIORD_SERVER_JOBS_CHAIN_CHECKPOINT_H_
#define POSTERIORD_SERVER_JOBS_CHAIN_CHECKPOINT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace posteriord::server {

// The state of a chain, with the number of trace points it had handed over and the numeric profile
// it was made under. The store guards the bytes by a checksum.
struct ChainCheckpoint {
  std::string profile;
  std::int64_t points = 0;
  std::string state;  // core::Chain::Checkpoint()
};

std::string EncodeCheckpoint(const ChainCheckpoint& checkpoint);

// Errors: DATA_LOSS when the bytes are not a checkpoint; FAILED_PRECONDITION, saying what to do,
// when it was made under another profile than `profile`: the chain would not go on bit for bit.
absl::StatusOr<ChainCheckpoint> DecodeCheckpoint(std::string_view bytes, std::string_view profile);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_CHAIN_CHECKPOINT_H_
