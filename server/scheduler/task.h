// Work that is done in slices of time.
#ifndef POSTERIORD_SERVER_SCHEDULER_TASK_H_
#define POSTERIORD_SERVER_SCHEDULER_TASK_H_

#include <atomic>

namespace posteriord::server {

// How a task learns that its thread is wanted back.
class SliceControl {
 public:
  virtual ~SliceControl() = default;

  // Whether the slice is over. The task should return at the next point at which it can go on
  // later; it may be asked as often as every microsecond.
  virtual bool ShouldYield() const = 0;

  // Set when the task will not run again: it should return as soon as it can and may leave the step
  // in progress undone. ShouldYield() is true then, too.
  virtual const std::atomic<bool>& interrupt() const = 0;
};

// One thread at a time runs a task, not always the same one.
class Task {
 public:
  enum class Next {
    kAgain,  // wants another slice
    kDone,
  };

  virtual ~Task() = default;

  // Works until done or until `control` asks for the thread.
  virtual Next RunSlice(const SliceControl& control) = 0;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SCHEDULER_TASK_H_
