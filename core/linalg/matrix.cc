#include "core/linalg/matrix.h"

namespace posteriord::core {

void FixEigenBlocking() {
  static const bool fixed = [] {
    Eigen::setCpuCacheSizes(32 * 1024, 1024 * 1024, 8 * 1024 * 1024);
    return true;
  }();
  (void)fixed;
}

}  // namespace posteriord::core
