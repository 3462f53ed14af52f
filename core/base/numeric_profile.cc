#include "core/base/numeric_profile.h"

#include <hwy/highway.h>

#include <Eigen/Core>

#include "absl/strings/str_cat.h"

namespace posteriord::core {
namespace {

// Raised whenever a change of ours changes the bits of draws: the order of a sum, the use of a
// random number, the width of an address. Also when it changes the layout of a checkpoint.
constexpr int kCoreVersion = 3;

#ifdef __OPTIMIZE__
constexpr char kOptimisation[] = "optimised";
#else
constexpr char kOptimisation[] = "unoptimised";
#endif

#ifdef __clang__
constexpr char kCompiler[] = "clang " __clang_version__;
#else
constexpr char kCompiler[] = "gcc " __VERSION__;
#endif

// Whether the machine has what the compiler was allowed to use.
bool HasInstructionSet() {
#if defined(__x86_64__)
#if defined(__AVX512F__)
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
    return false;
  }
#endif
#if defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return false;
#endif
#if defined(__SSE4_2__)
  if (!__builtin_cpu_supports("sse4.2")) return false;
#endif
#endif
  return true;
}

}  // namespace

std::string NumericProfile() {
  return absl::StrCat("core ", kCoreVersion, "; ", kCompiler, " ", kOptimisation, "; ",
                      hwy::TargetName(HWY_STATIC_TARGET), "; eigen ", EIGEN_WORLD_VERSION, ".",
                      EIGEN_MAJOR_VERSION, ".", EIGEN_MINOR_VERSION, "; highway ", HWY_MAJOR, ".",
                      HWY_MINOR, ".", HWY_PATCH);
}

absl::Status CheckInstructionSet() {
  if (HasInstructionSet()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("this build uses ", hwy::TargetName(HWY_STATIC_TARGET),
                   " instructions, which this machine lacks: build with "
                   "-DPOSTERIORD_ARCH=x86-64-v2"));
}

}  // namespace posteriord::core
