// Server streams that survive a broken connection.
#ifndef POSTERIORD_CLIENT_POSTERIORD_RESUMING_STREAM_H_
#define POSTERIORD_CLIENT_POSTERIORD_RESUMING_STREAM_H_

#include <condition_variable>
#include <memory>
#include <mutex>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/sync_stream.h"
#include "posteriord/backoff.h"
#include "posteriord/connection.h"
#include "posteriord/v1/job_service.pb.h"

namespace posteriord::client {

// Reads a server stream message by message. When the connection breaks or the server says
// UNAVAILABLE, it asks again from the cursor of the last message, so every message arrives exactly
// once and in order, however often that happens. Holds one message in memory.
//
//   while (true) {
//     absl::StatusOr<const v1::StreamDrawsResponse*> message = stream->Next();
//     if (!message.ok()) return message.status();
//     if (*message == nullptr) break;  // the end; see outcome()
//     Use((*message)->chunk());
//   }
//
// One thread reads; Cancel() may come from any thread.
template <typename Request, typename Response>
class ResumingStream {
 public:
  // Nothing is sent before the first call of Next.
  ResumingStream(std::shared_ptr<Connection> connection, Request request);
  ~ResumingStream();

  ResumingStream(const ResumingStream&) = delete;
  ResumingStream& operator=(const ResumingStream&) = delete;

  // Waits for the next message; null at the end. The message is valid until the next call. After
  // an error a further call tries again from the last cursor.
  // Errors: CANCELLED after Cancel(); UNAVAILABLE when the server was never reached or stayed away
  // for longer than ClientOptions::reconnect_timeout; else what the server said.
  absl::StatusOr<const Response*> Next();

  // The request that continues after the last message.
  const Request& request() const { return request_; }

  // State of the job when the stream ended. REQUIRES: Next() returned null.
  v1::Job::State outcome() const { return outcome_; }

  // Makes a Next() that waits, and every later one, return CANCELLED.
  void Cancel();

 private:
  using Reader = grpc::ClientReaderInterface<Response>;

  // Starts a call that continues after the last message. False when cancelled.
  bool Open();
  // Ends the call and returns its status.
  absl::Status Close();
  // False when cancelled.
  bool Wait(absl::Duration duration);

  const std::shared_ptr<Connection> connection_;

  // Used by the reading thread.
  Request request_;
  Response response_;
  std::unique_ptr<Reader> reader_;
  Backoff backoff_;
  absl::Time lost_since_ = absl::InfiniteFuture();  // first failure since the last message
  bool ended_ = false;
  v1::Job::State outcome_ = v1::Job::STATE_UNSPECIFIED;

  std::mutex mutex_;
  std::condition_variable cancelled_changed_;
  bool cancelled_ = false;                        // guarded by mutex_
  std::unique_ptr<grpc::ClientContext> context_;  // guarded by mutex_
};

// Draws. The last message, a StreamEnd, is not handed out: it makes outcome().
using DrawStream = ResumingStream<v1::StreamDrawsRequest, v1::StreamDrawsResponse>;

// Trace points and diagnostics; the end as for draws.
using TraceStream = ResumingStream<v1::StreamTraceRequest, v1::StreamTraceResponse>;

// Snapshots of a job, the newest one first; ends after one in a final state. A broken connection
// may repeat a snapshot.
using JobWatch = ResumingStream<v1::WatchJobRequest, v1::WatchJobResponse>;

extern template class ResumingStream<v1::StreamDrawsRequest, v1::StreamDrawsResponse>;
extern template class ResumingStream<v1::StreamTraceRequest, v1::StreamTraceResponse>;
extern template class ResumingStream<v1::WatchJobRequest, v1::WatchJobResponse>;

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORD_RESUMING_STREAM_H_
