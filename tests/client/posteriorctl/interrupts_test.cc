#include "client/posteriorctl/interrupts.h"

#include <gtest/gtest.h>

namespace posteriord::client {
namespace {

TEST(InterruptsTest, WithoutAScopeNothingIsDelivered) {
  Interrupts interrupts;
  EXPECT_FALSE(interrupts.Deliver());
  EXPECT_FALSE(interrupts.happened());
}

TEST(InterruptsTest, TheInnermostScopeIsCalled) {
  Interrupts interrupts;
  int outer = 0;
  int inner = 0;
  const Interrupts::Scope outer_scope(interrupts, [&] { ++outer; });
  {
    const Interrupts::Scope inner_scope(interrupts, [&] { ++inner; });
    EXPECT_TRUE(interrupts.Deliver());
  }
  EXPECT_EQ(outer, 0);
  EXPECT_EQ(inner, 1);
  EXPECT_TRUE(interrupts.happened());
  EXPECT_TRUE(interrupts.Deliver());
  EXPECT_EQ(outer, 1);
}

TEST(InterruptsTest, AScopeThatComesAfterAnInterruptionIsCalledAtOnce) {
  Interrupts interrupts;
  {
    const Interrupts::Scope scope(interrupts, [] {});
    interrupts.Deliver();
  }
  bool called = false;
  const Interrupts::Scope late(interrupts, [&] { called = true; });
  EXPECT_TRUE(called);
}

}  // namespace
}  // namespace posteriord::client
