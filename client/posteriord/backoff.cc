#include "posteriord/backoff.h"

#include <algorithm>

namespace posteriord::client {

Backoff::Backoff(const BackoffOptions& options, std::uint64_t seed)
    : options_(options), ceiling_(options.initial), random_(seed) {}

absl::Duration Backoff::Next() {
  const absl::Duration ceiling = std::min(ceiling_, options_.maximum);
  ceiling_ = std::min(ceiling_ * options_.multiplier, options_.maximum);
  return ceiling * std::uniform_real_distribution<double>(0.5, 1)(random_);
}

void Backoff::Reset() { ceiling_ = options_.initial; }

}  // namespace posteriord::client
