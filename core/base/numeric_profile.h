// What, besides spec, data and seed, the bits of a draw depend on.
#ifndef POSTERIORD_CORE_BASE_NUMERIC_PROFILE_H_
#define POSTERIORD_CORE_BASE_NUMERIC_PROFILE_H_

#include <string>

#include "absl/status/status.h"

namespace posteriord::core {

// One line that names the compiler, the instruction set, the mathematics libraries and the version
// of our own order of operations, for instance
//   "core 1; gcc 12.2.0 optimised; AVX2; eigen 3.4.0; highway 1.0.3".
// Draws are bit-identical between processes with equal profiles. Checkpoints carry it.
std::string NumericProfile();

// OK when this machine has the instruction set of the build, else FAILED_PRECONDITION saying what
// to do. To be asked before anything else of core.
absl::Status CheckInstructionSet();

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_BASE_NUMERIC_PROFILE_H_
