#include "server/store/subscriptions.h"

#include <algorithm>

namespace posteriord::server {

void Subscriptions::Listener::Call() {
  MutexLock lock(mutex_);
  if (callback_) callback_();
}

void Subscriptions::Listener::Cancel() {
  MutexLock lock(mutex_);
  callback_ = nullptr;
}

class Subscriptions::Handle : public Subscription {
 public:
  Handle(std::shared_ptr<Subscriptions> owner, std::string id, std::shared_ptr<Listener> listener)
      : owner_(std::move(owner)), id_(std::move(id)), listener_(std::move(listener)) {}

  ~Handle() override {
    owner_->Remove(id_, listener_);
    listener_->Cancel();  // it may be on its way in Notify()
  }

 private:
  const std::shared_ptr<Subscriptions> owner_;
  const std::string id_;
  const std::shared_ptr<Listener> listener_;
};

std::unique_ptr<Subscription> Subscriptions::Add(std::string_view id,
                                                 std::function<void()> callback) {
  auto listener = std::make_shared<Listener>(std::move(callback));
  {
    MutexLock lock(mutex_);
    listeners_[std::string(id)].push_back(listener);
  }
  return std::make_unique<Handle>(shared_from_this(), std::string(id), std::move(listener));
}

void Subscriptions::Notify(std::string_view id) {
  std::vector<std::shared_ptr<Listener>> listeners;
  {
    MutexLock lock(mutex_);
    const auto found = listeners_.find(std::string(id));
    if (found == listeners_.end()) return;
    listeners = found->second;
  }
  for (const std::shared_ptr<Listener>& listener : listeners) listener->Call();
}

void Subscriptions::Remove(const std::string& id, const std::shared_ptr<Listener>& listener) {
  MutexLock lock(mutex_);
  const auto found = listeners_.find(id);
  std::vector<std::shared_ptr<Listener>>& of_job = found->second;
  of_job.erase(std::find(of_job.begin(), of_job.end(), listener));
  if (of_job.empty()) listeners_.erase(found);
}

}  // namespace posteriord::server
