#include "server/scheduler/fair_queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace posteriord::server {
namespace {

using Duration = FairQueue::Duration;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kSlice = milliseconds(200);

class IdleTask : public Task {
 public:
  Next RunSlice(const SliceControl&) override { return Next::kDone; }
};

// Threads that run whatever the queue hands out, on a clock of their own.
class Simulation {
 public:
  Simulation(FairQueue& queue, int threads) : queue_(queue), threads_(threads) {}

  // Slices of the job last this long instead of kSlice.
  void SetSliceLength(const std::string& job, Duration length) { lengths_[job] = length; }

  void AddTasks(const std::string& job, int count) {
    for (int i = 0; i < count; ++i) queue_.Add(job, std::make_shared<IdleTask>());
  }

  // Core time that each job gets during the next `time`.
  std::map<std::string, Duration> Run(Duration time) {
    std::map<std::string, Duration> used;
    const Duration end = now_ + time;
    for (;;) {
      while (static_cast<int>(running_.size()) < threads_) {
        std::optional<FairQueue::Entry> entry = queue_.Take();
        if (!entry.has_value()) break;
        const Duration length = LengthOf(entry->job);
        running_.emplace(now_ + length, *std::move(entry));
      }
      if (running_.empty() || running_.begin()->first > end) break;
      auto ended = running_.extract(running_.begin());
      now_ = ended.key();
      FairQueue::Entry& entry = ended.mapped();
      used[entry.job] += LengthOf(entry.job);
      queue_.Finish(entry.job, LengthOf(entry.job), std::move(entry.task));
    }
    now_ = end;
    return used;
  }

 private:
  Duration LengthOf(const std::string& job) const {
    const auto found = lengths_.find(job);
    return found == lengths_.end() ? kSlice : found->second;
  }

  FairQueue& queue_;
  const int threads_;
  std::map<std::string, Duration> lengths_;
  Duration now_{};
  std::multimap<Duration, FairQueue::Entry> running_;  // by the time their slices end
};

TEST(FairQueueTest, EmptyQueueHasNothingToTake) {
  FairQueue queue(kSlice);
  EXPECT_FALSE(queue.Take().has_value());
}

TEST(FairQueueTest, RunningTaskIsNotTakenTwice) {
  FairQueue queue(kSlice);
  queue.Add("a", std::make_shared<IdleTask>());
  EXPECT_TRUE(queue.Take().has_value());
  EXPECT_FALSE(queue.Take().has_value());
  EXPECT_EQ(queue.running("a"), 1);
}

TEST(FairQueueTest, TasksOfOneJobTakeTurns) {
  FairQueue queue(kSlice);
  std::vector<std::shared_ptr<Task>> tasks;
  for (int i = 0; i < 3; ++i) {
    tasks.push_back(std::make_shared<IdleTask>());
    queue.Add("a", tasks.back());
  }
  for (int i = 0; i < 7; ++i) {
    std::optional<FairQueue::Entry> entry = queue.Take();
    ASSERT_TRUE(entry.has_value());
    EXPECT_EQ(entry->task, tasks[i % 3]);
    queue.Finish("a", kSlice, entry->task);
  }
}

TEST(FairQueueTest, JobsWithEightAndOneTaskShareOneThreadEqually) {
  FairQueue queue(kSlice);
  Simulation simulation(queue, 1);
  simulation.AddTasks("eight", 8);
  simulation.AddTasks("one", 1);
  auto used = simulation.Run(seconds(100));
  EXPECT_EQ(used["eight"], seconds(50));
  EXPECT_EQ(used["one"], seconds(50));
}

TEST(FairQueueTest, JobsWithEightAndOneTaskShareTwoThreadsEqually) {
  FairQueue queue(kSlice);
  Simulation simulation(queue, 2);
  simulation.AddTasks("eight", 8);
  simulation.AddTasks("one", 1);
  auto used = simulation.Run(seconds(100));
  EXPECT_EQ(used["eight"], seconds(100));
  EXPECT_EQ(used["one"], seconds(100));
}

TEST(FairQueueTest, ThreadsThatOneJobCannotUseGoToTheOther) {
  FairQueue queue(kSlice);
  Simulation simulation(queue, 4);
  simulation.AddTasks("eight", 8);
  simulation.AddTasks("one", 1);
  auto used = simulation.Run(seconds(100));
  EXPECT_EQ(used["eight"], seconds(300));
  EXPECT_EQ(used["one"], seconds(100));
}

TEST(FairQueueTest, JobThatOverrunsItsSlicesGetsNoMoreTime) {
  FairQueue queue(kSlice);
  Simulation simulation(queue, 2);
  simulation.SetSliceLength("slow", 7 * kSlice);
  simulation.AddTasks("slow", 4);
  simulation.AddTasks("prompt", 4);
  auto used = simulation.Run(seconds(1000));
  const double ratio =
      std::chrono::duration<double>(used["slow"]) / std::chrono::duration<double>(used["prompt"]);
  EXPECT_NEAR(ratio, 1.0, 0.02);
}

TEST(FairQueueTest, NewJobStartsLevelWithTheOthers) {
  FairQueue queue(kSlice);
  Simulation simulation(queue, 1);
  simulation.AddTasks("old", 2);
  simulation.Run(seconds(1000));
  simulation.AddTasks("new", 2);
  auto used = simulation.Run(seconds(10));
  EXPECT_NEAR(std::chrono::duration<double>(used["old"]).count(), 5.0, 0.4);
}

TEST(FairQueueTest, JobThatCannotUseItsShareSavesNoneForLater) {
  FairQueue queue(kSlice);
  Simulation simulation(queue, 4);
  simulation.AddTasks("wide", 8);
  simulation.AddTasks("narrow", 1);  // 300 s less than "wide" after these 150 s
  simulation.Run(seconds(150));
  simulation.AddTasks("narrow", 7);
  auto used = simulation.Run(seconds(10));
  EXPECT_NEAR(std::chrono::duration<double>(used["wide"]).count(), 20.0, 1.0);
}

TEST(FairQueueTest, RemoveTakesTheReadyTasksAndLeavesTheRunningOnes) {
  FairQueue queue(kSlice);
  for (int i = 0; i < 3; ++i) queue.Add("a", std::make_shared<IdleTask>());
  queue.Add("b", std::make_shared<IdleTask>());
  ASSERT_EQ(queue.Take()->job, "a");
  EXPECT_EQ(queue.Remove("a").size(), 2);
  EXPECT_EQ(queue.running("a"), 1);
  EXPECT_EQ(queue.Take()->job, "b");
  EXPECT_FALSE(queue.Take().has_value());
  queue.Finish("a", kSlice, nullptr);
  EXPECT_EQ(queue.running("a"), 0);
}

TEST(FairQueueTest, RemovingAnUnknownJobTakesNothing) {
  FairQueue queue(kSlice);
  EXPECT_TRUE(queue.Remove("a").empty());
}

}  // namespace
}  // namespace posteriord::server
