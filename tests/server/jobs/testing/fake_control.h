// A slice that lasts as long as the test says.
#ifndef POSTERIORD_TESTS_SERVER_JOBS_TESTING_FAKE_CONTROL_H_
#define POSTERIORD_TESTS_SERVER_JOBS_TESTING_FAKE_CONTROL_H_

#include <atomic>
#include <limits>

#include "server/scheduler/task.h"

namespace posteriord::testing {

// Over when asked for the `questions`-th time.
class FakeControl final : public server::SliceControl {
 public:
  explicit FakeControl(int questions = std::numeric_limits<int>::max()) : left_(questions) {}

  bool ShouldYield() const override { return --left_ <= 0 || interrupted_; }
  const std::atomic<bool>& interrupt() const override { return interrupted_; }
  void Interrupt() { interrupted_ = true; }

 private:
  mutable int left_;
  std::atomic<bool> interrupted_ = false;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_SERVER_JOBS_TESTING_FAKE_CONTROL_H_
