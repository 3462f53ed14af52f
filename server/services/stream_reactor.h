// A server stream that sends what a StreamSource has: one write in flight, woken by the store.
#ifndef POSTERIORD_SERVER_SERVICES_STREAM_REACTOR_H_
#define POSTERIORD_SERVER_SERVICES_STREAM_REACTOR_H_

#include <grpcpp/alarm.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/mutex.h"
#include "server/base/io_executor.h"
#include "server/services/grpc_status.h"
#include "server/services/stream_registry.h"
#include "server/services/stream_source.h"
#include "server/store/job_store.h"

namespace posteriord::server {

// Life of a stream: it is idle, or exactly one of these is under way: a step on the I/O executor,
// or a write. A step asks the source for a message and starts its write, or goes idle, or finishes.
// Wake() makes an idle stream step and a busy one step once more before it goes idle. Finish() is
// called exactly once, only from steps, so never while a write is under way.
//
// Keeps itself alive until gRPC is done with it; whoever wakes it holds a reference.
template <typename Response>
class StreamReactor final : public grpc::ServerWriteReactor<Response>,
                            public DrainableStream,
                            public std::enable_shared_from_this<StreamReactor<Response>> {
 public:
  // Opens the source on the I/O executor, then streams. `job_id` names the job whose changes wake
  // the stream. The executor, the store and the registry outlive all streams.
  struct Options {
    std::string job_id;
    std::function<absl::StatusOr<std::unique_ptr<StreamSource<Response>>>()> open;
  };
  static grpc::ServerWriteReactor<Response>* Start(JobStore& store, IoExecutor& executor,
                                                   StreamRegistry& registry, Options options) {
    auto reactor = std::shared_ptr<StreamReactor>(
        new StreamReactor(store, executor, registry, std::move(options)));
    reactor->self_ = reactor;
    reactor->registered_ = registry.Add(reactor);
    reactor->PostStep();
    return reactor.get();
  }

  // Makes an idle stream look for something to send. Any thread.
  void Wake() {
    {
      MutexLock lock(mutex_);
      woken_ = true;
      if (busy_) return;
      busy_ = true;
    }
    PostStep();
  }

  // Ends the stream with UNAVAILABLE as soon as no write is under way. Any thread.
  void Drain() override {
    {
      MutexLock lock(mutex_);
      draining_ = true;
    }
    Wake();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      MutexLock lock(mutex_);
      cancelled_ = true;
    }
    PostStep();
  }

  void OnCancel() override {
    {
      MutexLock lock(mutex_);
      cancelled_ = true;
    }
    Wake();
  }

  void OnDone() override {
    // Off this thread: ending the subscription waits for callbacks that are running.
    executor_.Post([self = std::move(self_)] { self->Release(); });
  }

 private:
  StreamReactor(JobStore& store, IoExecutor& executor, StreamRegistry& registry, Options options)
      : store_(store), executor_(executor), registry_(registry), options_(std::move(options)) {}

  void PostStep() {
    executor_.Post([self = this->shared_from_this()] { self->Step(); });
  }

  void Step() {
    for (;;) {
      {
        MutexLock lock(mutex_);
        woken_ = false;
        if (cancelled_) return FinishWith(grpc::Status::CANCELLED);
        if (draining_) {
          return FinishWith(grpc::Status(
              grpc::StatusCode::UNAVAILABLE,
              "the server is shutting down; continue from the last cursor when it is back"));
        }
      }
      if (absl::Status status = Open(); !status.ok()) return FinishWith(ToGrpc(status));
      if (source_->finished()) return FinishWith(grpc::Status::OK);
      absl::StatusOr<std::optional<Response>> next = source_->Next();
      if (!next.ok()) return FinishWith(ToGrpc(next.status()));
      if (next->has_value()) {
        message_ = **std::move(next);
        this->StartWrite(&message_);
        return;
      }
      SetAlarm();
      MutexLock lock(mutex_);
      if (woken_) continue;  // something came while we looked
      busy_ = false;
      return;
    }
  }

  // The first step opens the source and subscribes before it reads.
  absl::Status Open() {
    if (source_ != nullptr) return absl::OkStatus();
    if (!registered_) {
      return absl::ResourceExhaustedError(
          "too many streams are open on this server; close some or try again later");
    }
    auto source = options_.open();
    if (!source.ok()) return source.status();
    source_ = *std::move(source);
    subscription_ = store_.Subscribe(options_.job_id, [weak = this->weak_from_this()] {
      if (const auto self = weak.lock()) self->Wake();
    });
    return absl::OkStatus();
  }

  void SetAlarm() {
    const auto when = source_->retry_at();
    if (!when.has_value()) return;
    alarm_ = std::make_unique<grpc::Alarm>();
    alarm_->Set(*when, [weak = this->weak_from_this()](bool fired) {
      if (!fired) return;
      if (const auto self = weak.lock()) self->Wake();
    });
  }

  void FinishWith(const grpc::Status& status) {
    if (finished_) return;
    finished_ = true;
    this->Finish(status);
  }

  void Release() {
    subscription_.reset();
    alarm_.reset();
    if (registered_) registry_.Remove(this);
  }

  JobStore& store_;
  IoExecutor& executor_;
  StreamRegistry& registry_;
  const Options options_;
  bool registered_ = false;
  std::shared_ptr<StreamReactor> self_;  // until OnDone

  // Used by one step or write at a time.
  std::unique_ptr<StreamSource<Response>> source_;
  std::unique_ptr<Subscription> subscription_;
  std::unique_ptr<grpc::Alarm> alarm_;
  Response message_;
  bool finished_ = false;

  Mutex mutex_;
  bool busy_ ABSL_GUARDED_BY(mutex_) = true;  // a step or a write is under way
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_STREAM_REACTOR_H_
