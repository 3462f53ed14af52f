// An event that happens once and that threads can wait for.
#ifndef POSTERIORD_TESTS_TESTING_NOTIFICATION_H_
#define POSTERIORD_TESTS_TESTING_NOTIFICATION_H_

#include "core/base/mutex.h"

namespace posteriord::testing {

class Notification {
 public:
  void Notify() {
    MutexLock lock(mutex_);
    notified_ = true;
    changed_.NotifyAll();
  }

  void Wait() {
    MutexLock lock(mutex_);
    while (!notified_) changed_.Wait(mutex_);
  }

  bool HasBeenNotified() {
    MutexLock lock(mutex_);
    return notified_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool notified_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_TESTING_NOTIFICATION_H_
