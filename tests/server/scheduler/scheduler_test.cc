#include "server/scheduler/scheduler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "server/scheduler/function_task.h"
#include "tests/testing/notification.h"

namespace posteriord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::Notification;

constexpr steady_clock::duration kForever = std::chrono::hours(1);

// A task whose slices last until the scheduler wants the thread back.
std::shared_ptr<Task> MakeBusyTask(Notification* started) {
  return MakeTask([started](const SliceControl& control) {
    started->Notify();
    while (!control.ShouldYield()) std::this_thread::yield();
    return Task::Next::kAgain;
  });
}

class FakeClock {
 public:
  std::function<steady_clock::time_point()> Now() {
    return [this] { return steady_clock::time_point(milliseconds(now_ms_)); };
  }
  void Advance(milliseconds time) { now_ms_ += time.count(); }

 private:
  std::atomic<std::int64_t> now_ms_ = 0;
};

TEST(SchedulerTest, TaskRunsAgainUntilItIsDone) {
  Notification done;
  int slices = 0;
  Scheduler scheduler({});
  scheduler.Add("a", MakeTask([&](const SliceControl&) {
                  if (++slices < 3) return Task::Next::kAgain;
                  done.Notify();
                  return Task::Next::kDone;
                }));
  done.Wait();
  scheduler.Drain(kForever);
  EXPECT_EQ(slices, 3);
}

TEST(SchedulerTest, SliceIsOverWhenItsTimeHasPassed) {
  FakeClock clock;
  Notification done;
  bool before = true, after = false;
  Scheduler scheduler({.threads = 1, .slice = milliseconds(200), .now = clock.Now()});
  scheduler.Add("a", MakeTask([&](const SliceControl& control) {
                  clock.Advance(milliseconds(199));
                  before = control.ShouldYield();
                  clock.Advance(milliseconds(1));
                  after = control.ShouldYield();
                  done.Notify();
                  return Task::Next::kDone;
                }));
  done.Wait();
  EXPECT_FALSE(before);
  EXPECT_TRUE(after);
}

TEST(SchedulerTest, JobsWithEightAndOneTaskGetEqualTime) {
  FakeClock clock;
  constexpr int kSlices = 200;
  int slices = 0, slices_of_one = 0;
  Notification added, done;
  const auto count = [&](int* of_job) {
    return MakeTask([&, of_job](const SliceControl&) {
      added.Wait();
      if (slices == kSlices) {
        done.Notify();
        return Task::Next::kDone;
      }
      clock.Advance(milliseconds(200));
      ++slices;
      if (of_job != nullptr) ++*of_job;
      return Task::Next::kAgain;
    });
  };
  Scheduler scheduler({.threads = 1, .slice = milliseconds(200), .now = clock.Now()});
  for (int i = 0; i < 8; ++i) scheduler.Add("eight", count(nullptr));
  scheduler.Add("one", count(&slices_of_one));
  added.Notify();
  done.Wait();
  scheduler.Drain(kForever);
  EXPECT_NEAR(slices_of_one, kSlices / 2, 1);
}

TEST(SchedulerTest, OneTaskIsRunByOneThreadAtATime) {
  constexpr int kTasks = 6, kSlices = 300;
  std::atomic<int> overlaps = 0, tasks_left = kTasks;
  Notification done;
  Scheduler scheduler({.threads = 4, .slice = milliseconds(0)});
  for (int i = 0; i < kTasks; ++i) {
    auto inside = std::make_shared<std::atomic<int>>(0);
    auto slices = std::make_shared<int>(0);  // not atomic: ThreadSanitizer sees any overlap
    scheduler.Add(i % 2 == 0 ? "a" : "b", MakeTask([&, inside, slices](const SliceControl&) {
                    if (++*inside > 1) ++overlaps;
                    const bool last = ++*slices == kSlices;
                    --*inside;
                    if (!last) return Task::Next::kAgain;
                    if (--tasks_left == 0) done.Notify();
                    return Task::Next::kDone;
                  }));
  }
  done.Wait();
  EXPECT_EQ(overlaps, 0);
}

TEST(SchedulerTest, StoppingAJobWithoutTasksCallsBackAtOnce) {
  bool idle = false;
  Scheduler scheduler({});
  scheduler.Stop("a", [&] { idle = true; });
  EXPECT_TRUE(idle);
}

TEST(SchedulerTest, StopInterruptsRunningTasksAndCallsBackWhenTheyHaveLeft) {
  Notification started[2], idle;
  std::atomic<int> running = 0, running_when_idle = -1;
  Scheduler scheduler({.threads = 2, .slice = kForever});
  for (Notification& each : started) {
    scheduler.Add("a", MakeTask([&](const SliceControl& control) {
                    ++running;
                    each.Notify();
                    while (!control.interrupt()) std::this_thread::yield();
                    EXPECT_TRUE(control.ShouldYield());
                    --running;
                    return Task::Next::kAgain;
                  }));
  }
  for (Notification& each : started) each.Wait();
  scheduler.Stop("a", [&] {
    running_when_idle = running.load();
    idle.Notify();
  });
  idle.Wait();
  EXPECT_EQ(running_when_idle, 0);
}

TEST(SchedulerTest, WaitingTasksOfAStoppedJobAreDroppedAndOthersGoOn) {
  Notification started, idle, other_ran;
  std::atomic<bool> dropped_ran = false;
  Scheduler scheduler({.threads = 1, .slice = kForever});
  scheduler.Add("a", MakeBusyTask(&started));
  started.Wait();
  std::weak_ptr<Task> dropped;
  {
    auto task = MakeTask([&](const SliceControl&) {
      dropped_ran = true;
      return Task::Next::kDone;
    });
    dropped = task;
    scheduler.Add("a", std::move(task));
  }
  scheduler.Add("b", MakeTask([&](const SliceControl&) {
                  other_ran.Notify();
                  return Task::Next::kDone;
                }));
  scheduler.Stop("a", [&] { idle.Notify(); });
  EXPECT_TRUE(dropped.expired());
  idle.Wait();
  other_ran.Wait();
  EXPECT_FALSE(dropped_ran);
}

TEST(SchedulerTest, TaskMayStopItsOwnJob) {
  Notification sibling_started, idle;
  std::atomic<bool> left = false, left_when_idle = false;
  Scheduler scheduler({.threads = 2, .slice = kForever});
  scheduler.Add("a", MakeBusyTask(&sibling_started));
  sibling_started.Wait();
  scheduler.Add("a", MakeTask([&](const SliceControl& control) {
                  scheduler.Stop("a", [&] {
                    left_when_idle = left.load();
                    idle.Notify();
                  });
                  EXPECT_TRUE(control.interrupt());
                  left = true;
                  return Task::Next::kDone;
                }));
  idle.Wait();
  EXPECT_TRUE(left_when_idle);
}

TEST(SchedulerTest, EveryoneWhoStopsAJobIsToldWhenItIsIdle) {
  Notification started, first, second, may_leave;
  Scheduler scheduler({.threads = 1, .slice = kForever});
  scheduler.Add("a", MakeTask([&](const SliceControl&) {
                  started.Notify();
                  may_leave.Wait();
                  return Task::Next::kDone;
                }));
  started.Wait();
  scheduler.Stop("a", [&] { first.Notify(); });
  scheduler.Stop("a", [&] { second.Notify(); });
  EXPECT_FALSE(first.HasBeenNotified());
  EXPECT_FALSE(second.HasBeenNotified());
  may_leave.Notify();
  first.Wait();
  second.Wait();
}

TEST(SchedulerTest, TaskAddedToAJobBeingStoppedIsDropped) {
  Notification started, may_leave, idle, other;
  std::atomic<bool> ran = false;
  Scheduler scheduler({.threads = 1, .slice = kForever});
  scheduler.Add("a", MakeTask([&](const SliceControl&) {
                  started.Notify();
                  may_leave.Wait();
                  return Task::Next::kDone;
                }));
  started.Wait();
  scheduler.Stop("a", [&] { idle.Notify(); });
  scheduler.Add("a", MakeTask([&](const SliceControl&) {
                  ran = true;
                  return Task::Next::kDone;
                }));
  may_leave.Notify();
  idle.Wait();
  scheduler.Add("b", MakeTask([&](const SliceControl&) {
                  other.Notify();
                  return Task::Next::kDone;
                }));
  other.Wait();
  EXPECT_FALSE(ran);
}

TEST(SchedulerTest, IdleJobMayBeGivenTasksAgain) {
  Notification started, idle, again;
  Scheduler scheduler({.threads = 1, .slice = kForever});
  scheduler.Add("a", MakeBusyTask(&started));
  started.Wait();
  scheduler.Stop("a", [&] { idle.Notify(); });
  idle.Wait();
  scheduler.Add("a", MakeTask([&](const SliceControl&) {
                  again.Notify();
                  return Task::Next::kDone;
                }));
  again.Wait();
}

TEST(SchedulerTest, DrainLetsTasksYieldAndBeginsNoMore) {
  Notification started;
  std::atomic<bool> interrupted = false;
  std::atomic<int> slices = 0;
  Scheduler scheduler({.threads = 1, .slice = kForever});
  scheduler.Add("a", MakeTask([&](const SliceControl& control) {
                  ++slices;
                  started.Notify();
                  while (!control.ShouldYield()) std::this_thread::yield();
                  interrupted = control.interrupt().load();
                  return Task::Next::kAgain;
                }));
  started.Wait();
  scheduler.Drain(kForever);
  EXPECT_EQ(slices, 1);
  EXPECT_FALSE(interrupted);
}

TEST(SchedulerTest, DrainInterruptsTasksThatDoNotYieldInTime) {
  Notification started;
  Scheduler scheduler({.threads = 1, .slice = kForever});
  scheduler.Add("a", MakeTask([&](const SliceControl& control) {
                  started.Notify();
                  while (!control.interrupt()) std::this_thread::yield();
                  return Task::Next::kAgain;
                }));
  started.Wait();
  scheduler.Drain(milliseconds(1));
}

TEST(SchedulerTest, JobStoppedAfterDrainIsIdleAtOnce) {
  Notification started;
  Scheduler scheduler({.threads = 1, .slice = kForever});
  scheduler.Add("a", MakeBusyTask(&started));
  started.Wait();
  scheduler.Drain(kForever);
  bool idle = false;
  scheduler.Stop("a", [&] { idle = true; });
  EXPECT_TRUE(idle);
}

TEST(SchedulerTest, WaitingTasksAreDroppedWithTheScheduler) {
  std::weak_ptr<Task> waiting;
  {
    Notification started;
    Scheduler scheduler({.threads = 1, .slice = kForever});
    scheduler.Add("a", MakeBusyTask(&started));
    started.Wait();
    auto task = MakeTask([](const SliceControl&) { return Task::Next::kDone; });
    waiting = task;
    scheduler.Add("b", std::move(task));
  }
  EXPECT_TRUE(waiting.expired());
}

}  // namespace
}  // namespace posteriord::server
