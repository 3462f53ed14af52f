// Delays between attempts to reach a server.
#ifndef POSTERIORD_CLIENT_POSTERIORD_BACKOFF_H_
#define POSTERIORD_CLIENT_POSTERIORD_BACKOFF_H_

#include <cstdint>
#include <random>

#include "absl/time/time.h"

namespace posteriord::client {

struct BackoffOptions {
  absl::Duration initial = absl::Milliseconds(100);
  absl::Duration maximum = absl::Seconds(5);
  double multiplier = 2;
};

// Exponential backoff with jitter: attempt k waits for a time uniform in [d/2, d] with
// d = min(initial * multiplier^k, maximum), so that clients that lost the same server do not come
// back all at once. Not thread-safe.
class Backoff {
 public:
  explicit Backoff(const BackoffOptions& options, std::uint64_t seed = std::random_device()());

  // The delay before the next attempt.
  absl::Duration Next();

  // Starts over; call it after progress.
  void Reset();

 private:
  BackoffOptions options_;
  absl::Duration ceiling_;
  std::mt19937_64 random_;
};

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORD_BACKOFF_H_
