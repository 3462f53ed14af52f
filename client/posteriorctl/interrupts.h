// Ctrl-C as a request to stop, for work that wants to end in good order.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_INTERRUPTS_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_INTERRUPTS_H_

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

namespace posteriord::client {

// Hands an interruption to the innermost Scope. Thread-safe.
class Interrupts {
 public:
  // While it exists, an interruption calls `callback` (from another thread, or at once when it has
  // already happened) instead of ending the process. Scopes nest.
  class Scope {
   public:
    Scope(Interrupts& interrupts, std::function<void()> callback) : interrupts_(interrupts) {
      std::lock_guard lock(interrupts_.mutex_);
      previous_ = std::exchange(interrupts_.callback_, std::move(callback));
      if (interrupts_.happened_) interrupts_.callback_();
    }
    ~Scope() {
      std::lock_guard lock(interrupts_.mutex_);
      interrupts_.callback_ = std::move(previous_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Interrupts& interrupts_;
    std::function<void()> previous_;
  };

  // Interrupts what is going on. False when nothing wants to know: then end the process.
  bool Deliver() {
    std::lock_guard lock(mutex_);
    if (!callback_) return false;
    happened_ = true;
    callback_();
    return true;
  }

  // Whether an interruption was delivered.
  const std::atomic<bool>& happened() const { return happened_; }

 private:
  std::mutex mutex_;
  std::function<void()> callback_;  // guarded by mutex_
  std::atomic<bool> happened_{false};
};

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_INTERRUPTS_H_
