#include "posteriord/client.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/support/channel_arguments.h"
#include "posteriord/error.h"
#include "posteriord/names.h"

namespace posteriord::client {
namespace {

constexpr std::size_t kUploadChunkBytes = 256 << 10;

// 128 random bits in hexadecimal.
std::string RandomId() {
  std::random_device random;
  return absl::StrFormat("%08x%08x%08x%08x", random(), random(), random(), random());
}

// Whether a proxy for outgoing connections makes no sense for this address.
bool IsLocal(const std::string& address) {
  return absl::StartsWith(address, "127.") || absl::StartsWith(address, "localhost") ||
         absl::StartsWith(address, "[::1]") || absl::StartsWith(address, "unix:");
}

template <typename Stub, typename Request, typename Response>
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

// Makes a call, again while the server is unavailable, within the time limit. `attempts`, unless
// null, becomes the number of attempts made.
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> Call(Connection& connection, Stub& stub,
                              Method<Stub, Request, Response> method, const Request& request,
                              int* attempts = nullptr) {
  const absl::Time deadline = absl::Now() + connection.options.timeout;
  Backoff backoff(connection.options.backoff);
  for (int attempt = 1;; ++attempt) {
    if (attempts != nullptr) *attempts = attempt;
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(deadline));
    context.set_wait_for_ready(connection.reached);
    Response response;
    const absl::Status status = ToAbslStatus((stub.*method)(&context, request, &response));
    const bool retry = connection.ShouldRetry(status);
    if (status.ok()) return response;
    const absl::Duration wait = backoff.Next();
    if (!retry || absl::Now() + wait > deadline) return status;
    if (connection.options.on_retry) connection.options.on_retry(status, wait);
    absl::SleepFor(wait);
  }
}

// As Call, for methods that delete: a repeated attempt that finds nothing means that an earlier one
// succeeded and only its answer was lost.
template <typename Stub, typename Request, typename Response>
absl::Status CallDelete(Connection& connection, Stub& stub, Method<Stub, Request, Response> method,
                        const Request& request) {
  int attempts = 0;
  const absl::Status status = Call(connection, stub, method, request, &attempts).status();
  return attempts > 1 && absl::IsNotFound(status) ? absl::OkStatus() : status;
}

// Collects the items of all pages.
template <typename Item, typename Stub, typename Request, typename Response, typename Items>
absl::StatusOr<std::vector<Item>> CallPages(Connection& connection, Stub& stub,
                                            Method<Stub, Request, Response> method, Request request,
                                            Items items_of) {
  std::vector<Item> items;
  do {
    absl::StatusOr<Response> page = Call(connection, stub, method, request);
    if (!page.ok()) return page.status();
    auto& found = *items_of(*page);
    std::move(found.begin(), found.end(), std::back_inserter(items));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return items;
}

// One attempt at an upload.
absl::StatusOr<v1::Dataset> TryUpload(Connection& connection, const v1::UploadDatasetHeader& header,
                                      std::ifstream& file, std::int64_t total,
                                      const Client::UploadProgress& progress) {
  file.clear();
  file.seekg(0);
  grpc::ClientContext context;
  v1::Dataset dataset;
  const auto writer = connection.datasets->UploadDataset(&context, &dataset);
  v1::UploadDatasetRequest request;
  *request.mutable_header() = header;
  bool open = writer->Write(request);
  std::int64_t sent = 0;
  while (open && file.good()) {
    std::string& chunk = *request.mutable_chunk();
    chunk.resize(kUploadChunkBytes);
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    chunk.resize(static_cast<std::size_t>(file.gcount()));
    if (chunk.empty()) break;
    open = writer->Write(request);
    sent += static_cast<std::int64_t>(chunk.size());
    if (open && progress) progress(sent, total);
  }
  if (file.bad()) {
    context.TryCancel();
    (void)writer->Finish();
    return absl::UnknownError("reading the file failed");
  }
  // A closed stream is the server's way to refuse early; it says why in Finish.
  if (open) writer->WritesDone();
  const absl::Status status = ToAbslStatus(writer->Finish());
  if (!status.ok()) return status;
  return dataset;
}

}  // namespace

std::unique_ptr<Client> Client::Connect(const std::string& address, ClientOptions options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(options.keepalive_interval)));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(options.keepalive_timeout)));
  // Probes go on for as long as a silent stream is followed.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // The channel must not sleep longer between attempts to connect than the calls that wait for it.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(options.backoff.initial)));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(options.backoff.maximum)));
  arguments.SetMaxReceiveMessageSize(-1);
  if (IsLocal(address)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return std::make_unique<Client>(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments),
      std::move(options));
}

Client::Client(const std::shared_ptr<grpc::ChannelInterface>& channel, ClientOptions options)
    : connection_(std::make_shared<Connection>(channel, std::move(options))) {}

absl::StatusOr<v1::Dataset> Client::UploadDataset(v1::UploadDatasetHeader header,
                                                  const std::string& path,
                                                  const UploadProgress& progress) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot read ", path));
  if (header.request_id().empty()) header.set_request_id(RandomId());
  Backoff backoff(connection_->options.backoff);
  absl::Time lost_since = absl::InfiniteFuture();
  while (true) {
    absl::StatusOr<v1::Dataset> dataset =
        TryUpload(*connection_, header, file, static_cast<std::int64_t>(size), progress);
    if (!connection_->ShouldRetry(dataset.status())) return dataset;
    const absl::Time now = absl::Now();
    lost_since = std::min(lost_since, now);
    const absl::Duration wait = backoff.Next();
    if (now + wait - lost_since > connection_->options.reconnect_timeout) return dataset;
    if (connection_->options.on_retry) connection_->options.on_retry(dataset.status(), wait);
    absl::SleepFor(wait);
  }
}

absl::StatusOr<v1::Dataset> Client::GetDataset(const std::string& name) {
  v1::GetDatasetRequest request;
  request.set_name(DatasetName(name));
  return Call(*connection_, *connection_->datasets, &v1::DatasetService::Stub::GetDataset, request);
}

absl::StatusOr<std::vector<v1::Dataset>> Client::ListDatasets() {
  return CallPages<v1::Dataset>(
      *connection_, *connection_->datasets, &v1::DatasetService::Stub::ListDatasets,
      v1::ListDatasetsRequest(),
      [](v1::ListDatasetsResponse& page) { return page.mutable_datasets(); });
}

absl::Status Client::DeleteDataset(const std::string& name) {
  v1::DeleteDatasetRequest request;
  request.set_name(DatasetName(name));
  return CallDelete(*connection_, *connection_->datasets, &v1::DatasetService::Stub::DeleteDataset,
                    request);
}

absl::StatusOr<v1::Job> Client::CreateJob(v1::CreateJobRequest request) {
  if (request.request_id().empty()) request.set_request_id(RandomId());
  return Call(*connection_, *connection_->jobs, &v1::JobService::Stub::CreateJob, request);
}

absl::StatusOr<v1::Job> Client::ProbeJob(v1::ProbeJobRequest request) {
  request.set_name(JobName(request.name()));
  if (request.request_id().empty()) request.set_request_id(RandomId());
  return Call(*connection_, *connection_->jobs, &v1::JobService::Stub::ProbeJob, request);
}

absl::StatusOr<v1::Job> Client::GetJob(const std::string& name) {
  v1::GetJobRequest request;
  request.set_name(JobName(name));
  return Call(*connection_, *connection_->jobs, &v1::JobService::Stub::GetJob, request);
}

absl::StatusOr<v1::JobSummary> Client::GetJobSummary(const std::string& name,
                                                     const std::vector<int>& chains) {
  v1::GetJobSummaryRequest request;
  request.set_name(JobName(name));
  request.mutable_chains()->Assign(chains.begin(), chains.end());
  return Call(*connection_, *connection_->jobs, &v1::JobService::Stub::GetJobSummary, request);
}

absl::StatusOr<std::vector<v1::Job>> Client::ListJobs(v1::ListJobsRequest filter) {
  return CallPages<v1::Job>(*connection_, *connection_->jobs, &v1::JobService::Stub::ListJobs,
                            std::move(filter),
                            [](v1::ListJobsResponse& page) { return page.mutable_jobs(); });
}

absl::StatusOr<v1::Job> Client::CancelJob(const std::string& name) {
  v1::CancelJobRequest request;
  request.set_name(JobName(name));
  return Call(*connection_, *connection_->jobs, &v1::JobService::Stub::CancelJob, request);
}

absl::Status Client::DeleteJob(const std::string& name) {
  v1::DeleteJobRequest request;
  request.set_name(JobName(name));
  return CallDelete(*connection_, *connection_->jobs, &v1::JobService::Stub::DeleteJob, request);
}

std::unique_ptr<JobWatch> Client::WatchJob(v1::WatchJobRequest request) {
  request.set_name(JobName(request.name()));
  return std::make_unique<JobWatch>(connection_, std::move(request));
}

std::unique_ptr<DrawStream> Client::StreamDraws(v1::StreamDrawsRequest request) {
  request.set_name(JobName(request.name()));
  return std::make_unique<DrawStream>(connection_, std::move(request));
}

std::unique_ptr<TraceStream> Client::StreamTrace(v1::StreamTraceRequest request) {
  request.set_name(JobName(request.name()));
  return std::make_unique<TraceStream>(connection_, std::move(request));
}

}  // namespace posteriord::client
