#include "posteriord/resuming_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "posteriord/error.h"

namespace posteriord::client {
namespace {

// What a message is to its stream.
enum class Kind {
  kItem,      // hand it out
  kLastItem,  // hand it out; the stream ends after it
  kEnd,       // the stream ends here
};

bool IsFinal(v1::Job::State state) {
  return state == v1::Job::STATE_SUCCEEDED || state == v1::Job::STATE_FAILED ||
         state == v1::Job::STATE_CANCELLED;
}

// Per kind of stream: how to start it, and what a message means for what follows.

std::unique_ptr<grpc::ClientReaderInterface<v1::StreamDrawsResponse>> Start(
    v1::JobService::Stub& stub, grpc::ClientContext* context,
    const v1::StreamDrawsRequest& request) {
  return stub.StreamDraws(context, request);
}

std::unique_ptr<grpc::ClientReaderInterface<v1::StreamTraceResponse>> Start(
    v1::JobService::Stub& stub, grpc::ClientContext* context,
    const v1::StreamTraceRequest& request) {
  return stub.StreamTrace(context, request);
}

std::unique_ptr<grpc::ClientReaderInterface<v1::WatchJobResponse>> Start(
    v1::JobService::Stub& stub, grpc::ClientContext* context, const v1::WatchJobRequest& request) {
  return stub.WatchJob(context, request);
}

template <typename Request, typename Response>
Kind Accept(const Response& response, Request& request, v1::Job::State& outcome) {
  request.set_cursor(response.cursor());
  if (!response.has_end()) return Kind::kItem;
  outcome = response.end().state();
  return Kind::kEnd;
}

Kind Accept(const v1::WatchJobResponse& response, v1::WatchJobRequest&, v1::Job::State& outcome) {
  outcome = response.job().state();
  return IsFinal(outcome) ? Kind::kLastItem : Kind::kItem;
}

}  // namespace

template <typename Request, typename Response>
ResumingStream<Request, Response>::ResumingStream(std::shared_ptr<Connection> connection,
                                                  Request request)
    : connection_(std::move(connection)),
      request_(std::move(request)),
      backoff_(connection_->options.backoff) {}

template <typename Request, typename Response>
ResumingStream<Request, Response>::~ResumingStream() {
  Cancel();
  if (reader_ != nullptr) (void)Close();
}

template <typename Request, typename Response>
absl::StatusOr<const Response*> ResumingStream<Request, Response>::Next() {
  const ClientOptions& options = connection_->options;
  while (!ended_) {
    if (reader_ == nullptr && !Open()) return absl::CancelledError("the stream was cancelled");
    if (reader_->Read(&response_)) {
      connection_->reached = true;
      backoff_.Reset();
      lost_since_ = absl::InfiniteFuture();
      const Kind kind = Accept(response_, request_, outcome_);
      if (kind != Kind::kItem) {
        ended_ = true;
        (void)Close();  // everything has arrived; how the call itself ends changes nothing
      }
      if (kind != Kind::kEnd) return &response_;
      break;
    }
    const absl::Status status = Close();
    {
      std::lock_guard lock(mutex_);
      if (cancelled_) return absl::CancelledError("the stream was cancelled");
    }
    if (status.ok()) {
      return absl::InternalError("the server ended the stream without saying how the job stands");
    }
    if (!connection_->ShouldRetry(status)) return status;
    const absl::Time now = absl::Now();
    lost_since_ = std::min(lost_since_, now);
    const absl::Duration wait = backoff_.Next();
    if (now + wait - lost_since_ > options.reconnect_timeout) {
      lost_since_ = absl::InfiniteFuture();
      return absl::UnavailableError(absl::StrCat("the server stayed away for ",
                                                 absl::FormatDuration(options.reconnect_timeout),
                                                 ": ", status.message()));
    }
    if (options.on_retry) options.on_retry(status, wait);
    if (!Wait(wait)) return absl::CancelledError("the stream was cancelled");
  }
  return nullptr;
}

template <typename Request, typename Response>
void ResumingStream<Request, Response>::Cancel() {
  std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (context_ != nullptr) context_->TryCancel();
  cancelled_changed_.notify_all();
}

template <typename Request, typename Response>
bool ResumingStream<Request, Response>::Open() {
  std::lock_guard lock(mutex_);
  if (cancelled_) return false;
  context_ = std::make_unique<grpc::ClientContext>();
  reader_ = Start(*connection_->jobs, context_.get(), request_);
  return true;
}

template <typename Request, typename Response>
absl::Status ResumingStream<Request, Response>::Close() {
  const absl::Status status = ToAbslStatus(reader_->Finish());
  std::lock_guard lock(mutex_);
  reader_.reset();
  context_.reset();
  return status;
}

template <typename Request, typename Response>
bool ResumingStream<Request, Response>::Wait(absl::Duration duration) {
  std::unique_lock lock(mutex_);
  return !cancelled_changed_.wait_for(lock, absl::ToChronoMicroseconds(duration),
                                      [this] { return cancelled_; });
}

template class ResumingStream<v1::StreamDrawsRequest, v1::StreamDrawsResponse>;
template class ResumingStream<v1::StreamTraceRequest, v1::StreamTraceResponse>;
template class ResumingStream<v1::WatchJobRequest, v1::WatchJobResponse>;

}  // namespace posteriord::client
