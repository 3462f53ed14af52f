// The streams that are open: counted, bounded, and drained at shutdown.
#ifndef POSTERIORD_SERVER_SERVICES_STREAM_REGISTRY_H_
#define POSTERIORD_SERVER_SERVICES_STREAM_REGISTRY_H_

#include <memory>
#include <unordered_map>
#include <vector>

#include "core/base/mutex.h"

namespace posteriord::server {

class DrainableStream {
 public:
  virtual ~DrainableStream() = default;
  // Ends the stream soon. Any thread.
  virtual void Drain() = 0;
};

// Thread-safe.
class StreamRegistry {
 public:
  explicit StreamRegistry(std::size_t limit) : limit_(limit) {}

  // False when there are as many streams as may be. A stream added while draining is drained.
  bool Add(const std::shared_ptr<DrainableStream>& stream) {
    bool draining = false;
    {
      MutexLock lock(mutex_);
      if (streams_.size() >= limit_) return false;
      streams_.emplace(stream.get(), stream);
      draining = draining_;
    }
    if (draining) stream->Drain();
    return true;
  }

  void Remove(const DrainableStream* stream) {
    MutexLock lock(mutex_);
    streams_.erase(stream);
  }

  // Ends all streams, and those to come.
  void DrainAll() {
    std::vector<std::shared_ptr<DrainableStream>> streams;
    {
      MutexLock lock(mutex_);
      draining_ = true;
      for (const auto& [key, weak] : streams_) {
        if (auto stream = weak.lock()) streams.push_back(std::move(stream));
      }
    }
    for (const auto& stream : streams) stream->Drain();
  }

 private:
  const std::size_t limit_;
  Mutex mutex_;
  std::unordered_map<const DrainableStream*, std::weak_ptr<DrainableStream>> streams_
      ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_STREAM_REGISTRY_H_
