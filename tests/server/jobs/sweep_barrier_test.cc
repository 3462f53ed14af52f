#include "server/jobs/sweep_barrier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace posteriord::server {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(SweepBarrierTest, ChainsBeforeTheBarrierGoOnAndThoseAtItWait) {
  SweepBarrier barrier(10);
  EXPECT_EQ(barrier.sweep(), 10);
  EXPECT_TRUE(barrier.MayGoOn(0, 9));
  EXPECT_FALSE(barrier.MayGoOn(1, 10));
  EXPECT_FALSE(barrier.MayGoOn(2, 10));
  EXPECT_THAT(barrier.MoveTo(20), UnorderedElementsAre(1, 2));
  EXPECT_TRUE(barrier.MayGoOn(1, 10));
  EXPECT_THAT(barrier.MoveTo(30), IsEmpty());
}

TEST(SweepBarrierTest, BarrierThatStaysLetsNobodyGo) {
  SweepBarrier barrier(10);
  EXPECT_FALSE(barrier.MayGoOn(3, 10));
  EXPECT_THAT(barrier.MoveTo(10), IsEmpty());
  EXPECT_THAT(barrier.MoveTo(11), UnorderedElementsAre(3));
}

TEST(SweepBarrierTest, EveryChainThatArrivesWhileTheBarrierMovesEitherGoesOnOrIsNamed) {
  constexpr int kChains = 4;
  for (int round = 0; round < 50; ++round) {
    SweepBarrier barrier(1);
    std::atomic<int> gone_on = 0;
    std::vector<std::thread> threads;
    for (int chain = 0; chain < kChains; ++chain) {
      threads.emplace_back([&, chain] {
        if (barrier.MayGoOn(chain, 1)) ++gone_on;
      });
    }
    const auto named = static_cast<int>(barrier.MoveTo(2).size());
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(gone_on + named, kChains);
  }
}

}  // namespace
}  // namespace posteriord::server
