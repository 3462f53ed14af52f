// How to reach a server and how patiently; shared by a client and its streams.
#ifndef POSTERIORD_CLIENT_POSTERIORD_CONNECTION_H_
#define POSTERIORD_CLIENT_POSTERIORD_CONNECTION_H_

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "posteriord/backoff.h"
#include "posteriord/v1/dataset_service.grpc.pb.h"
#include "posteriord/v1/job_service.grpc.pb.h"

namespace posteriord::client {

struct ClientOptions {
  // Longest a call that is not a stream may take, retries included.
  absl::Duration timeout = absl::Seconds(30);

  // Longest a stream keeps trying to reach a lost server before it gives up; starts anew with every
  // message received. An upload, which starts over each time, gives up this long after it first
  // failed.
  absl::Duration reconnect_timeout = absl::Minutes(5);

  // Waits between attempts.
  BackoffOptions backoff;

  // A connection with a call in progress on which nothing arrives for this long is probed, ...
  absl::Duration keepalive_interval = absl::Seconds(30);
  // ... and given up when the probe is not answered for this long.
  absl::Duration keepalive_timeout = absl::Seconds(10);

  // When set, called with the cause and the wait before each further attempt, on the thread that
  // waits for the result.
  std::function<void(const absl::Status& cause, absl::Duration wait)> on_retry;
};

// The channel with its stubs. Thread-safe.
struct Connection {
  Connection(const std::shared_ptr<grpc::ChannelInterface>& channel, ClientOptions client_options)
      : options(std::move(client_options)),
        jobs(v1::JobService::NewStub(channel)),
        datasets(v1::DatasetService::NewStub(channel)) {}

  const ClientOptions options;
  const std::unique_ptr<v1::JobService::Stub> jobs;
  const std::unique_ptr<v1::DatasetService::Stub> datasets;

  // Whether the server ever answered. A server never reached is reported at once (a wrong address
  // must not look like a slow server); one that was reached is waited for.
  std::atomic<bool> reached{false};

  // Notes an answer, and tells whether the call is worth another attempt.
  bool ShouldRetry(const absl::Status& status) {
    // A server on its way down cancels calls that reach it late; callers that cancel never ask.
    const bool lost = absl::IsUnavailable(status) || absl::IsCancelled(status);
    if (!lost && !absl::IsDeadlineExceeded(status)) reached = true;
    return lost && reached;
  }
};

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORD_CONNECTION_H_
