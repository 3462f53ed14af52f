// Counts the memory a program has allocated. The program must be linked with
// --wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free and
// --wrap=_Znwm,--wrap=_ZdlPv,--wrap=_ZdlPvm, and with posteriord's libraries statically.
#ifndef POSTERIORD_TESTS_CORE_TESTING_ALLOCATION_COUNTER_H_
#define POSTERIORD_TESTS_CORE_TESTING_ALLOCATION_COUNTER_H_

#include <cstdint>

namespace posteriord::testing {

// Forgets the peak and returns the bytes allocated now.
std::int64_t ResetPeakOfAllocatedBytes();
// Most bytes allocated at any time since then.
std::int64_t PeakOfAllocatedBytes();

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_TESTING_ALLOCATION_COUNTER_H_
