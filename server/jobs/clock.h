// The time of day, as it is stored.
#ifndef POSTERIORD_SERVER_JOBS_CLOCK_H_
#define POSTERIORD_SERVER_JOBS_CLOCK_H_

#include <chrono>
#include <cstdint>

namespace posteriord::server {

// Since the Unix epoch.
inline std::int64_t NowMicroseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_CLOCK_H_
