#include "posteriord/backoff.h"

#include <gtest/gtest.h>

namespace posteriord::client {
namespace {

const BackoffOptions kOptions = {absl::Milliseconds(100), absl::Milliseconds(1000), 2};

TEST(BackoffTest, DelaysGrowToTheMaximumWithinHalfOfTheirCeiling) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Backoff backoff(kOptions, seed);
    for (const int ceiling : {100, 200, 400, 800, 1000, 1000, 1000}) {
      const absl::Duration delay = backoff.Next();
      EXPECT_GE(delay, absl::Milliseconds(ceiling) / 2);
      EXPECT_LE(delay, absl::Milliseconds(ceiling));
    }
  }
}

TEST(BackoffTest, ResetStartsOver) {
  Backoff backoff(kOptions, 1);
  for (int i = 0; i < 5; ++i) backoff.Next();
  backoff.Reset();
  EXPECT_LE(backoff.Next(), absl::Milliseconds(100));
}

TEST(BackoffTest, ClientsWithDifferentSeedsDoNotWaitEquallyLong) {
  EXPECT_NE(Backoff(kOptions, 1).Next(), Backoff(kOptions, 2).Next());
}

}  // namespace
}  // namespace posteriord::client
