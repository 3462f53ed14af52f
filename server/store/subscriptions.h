// Who wants to hear of a job's changes.
#ifndef POSTERIORD_SERVER_STORE_SUBSCRIPTIONS_H_
#define POSTERIORD_SERVER_STORE_SUBSCRIPTIONS_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "server/store/job_store.h"

namespace posteriord::server {

// Callbacks by job. Thread-safe. No lock is held while a callback runs but its own, which is there
// so that the destructor of the subscription can wait for it.
class Subscriptions : public std::enable_shared_from_this<Subscriptions> {
 public:
  // As JobStore::Subscribe. REQUIRES: this is owned by a shared_ptr; the subscription keeps it.
  std::unique_ptr<Subscription> Add(std::string_view id, std::function<void()> callback);

  // Calls the callbacks of a job.
  void Notify(std::string_view id);

 private:
  class Listener {
   public:
    explicit Listener(std::function<void()> callback) : callback_(std::move(callback)) {}
    void Call();
    // Waits for a call in progress; there is none afterwards.
    void Cancel();

   private:
    Mutex mutex_;
    std::function<void()> callback_ ABSL_GUARDED_BY(mutex_);  // empty once cancelled
  };
  class Handle;

  void Remove(const std::string& id, const std::shared_ptr<Listener>& listener);

  Mutex mutex_;
  std::unordered_map<std::string, std::vector<std::shared_ptr<Listener>>> listeners_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_SUBSCRIPTIONS_H_
