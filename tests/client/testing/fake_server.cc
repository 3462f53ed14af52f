#include "tests/client/testing/fake_server.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/server_builder.h"

namespace posteriord::testing {
namespace {

// Takes the first element; `otherwise` of an empty queue.
template <typename T>
T Pop(std::deque<T>& queue, T otherwise) {
  if (queue.empty()) return otherwise;
  T first = std::move(queue.front());
  queue.pop_front();
  return first;
}

void Count(const grpc::ServerContext& context, Script& script) {
  ++script.calls;
  if (context.deadline() < std::chrono::system_clock::now() + std::chrono::hours(1)) {
    ++script.deadlines;
  }
}

grpc::Status NotFound(const std::string& name) {
  return {grpc::StatusCode::NOT_FOUND, absl::StrCat(name, " does not exist")};
}

template <typename Chains>
bool Wanted(const Chains& chains, int chain) {
  return chains.empty() || std::find(chains.begin(), chains.end(), chain) != chains.end();
}

bool Wanted(const v1::StreamDrawsRequest& request, const v1::StreamDrawsResponse& message) {
  return message.has_end() || Wanted(request.chains(), message.chunk().chain());
}

bool Wanted(const v1::StreamTraceRequest& request, const v1::StreamTraceResponse& message) {
  return !message.has_chunk() || Wanted(request.chains(), message.chunk().chain());
}

bool Wanted(const v1::WatchJobRequest&, const v1::WatchJobResponse&) { return true; }

template <typename Request, typename Response>
std::size_t Start(const Request& request, const Response*) {
  return request.cursor().empty() ? 0
                                  : static_cast<std::size_t>(std::atoi(request.cursor().c_str()));
}

std::size_t Start(const v1::WatchJobRequest&, const v1::WatchJobResponse*) { return 0; }

template <typename Response>
void SetCursor(std::size_t next, Response& message) {
  message.set_cursor(absl::StrCat(next));
}

void SetCursor(std::size_t, v1::WatchJobResponse&) {}

// Pages of `all`, tokens being positions.
template <typename Map, typename Request, typename Add, typename Response>
void Page(const Map& all, const Request& request, int page_size, Add add, Response& response) {
  int position = 0;
  const int start = std::atoi(request.page_token().c_str());
  for (const auto& [name, item] : all) {
    if (position >= start && position < start + page_size) *add() = item;
    ++position;
  }
  if (start + page_size < position) {
    response.set_next_page_token(absl::StrCat(start + page_size));
  }
}

}  // namespace

class FakeServer::Jobs : public v1::JobService::Service {
 public:
  Jobs(std::mutex& mutex, Script& script) : mutex_(mutex), script_(script) {}

  grpc::Status CreateJob(grpc::ServerContext* context, const v1::CreateJobRequest* request,
                         v1::Job* response) override {
    std::lock_guard lock(mutex_);
    Count(*context, script_);
    if (grpc::Status status = Pop(script_.answers, grpc::Status::OK); !status.ok()) return status;
    script_.created.push_back(*request);
    *response = request->job();
    response->set_name(absl::StrCat("jobs/", request->request_id()));
    response->mutable_estimate()->set_memory_bytes(1000);
    if (!request->validate_only()) script_.jobs[response->name()] = *response;
    return Pop(script_.lost_answers, grpc::Status::OK);
  }

  // The companion is a queued copy of the job.
  grpc::Status ProbeJob(grpc::ServerContext* context, const v1::ProbeJobRequest* request,
                        v1::Job* response) override {
    std::lock_guard lock(mutex_);
    Count(*context, script_);
    if (grpc::Status status = Pop(script_.answers, grpc::Status::OK); !status.ok()) return status;
    script_.probed.push_back(*request);
    const auto found = script_.jobs.find(request->name());
    if (found == script_.jobs.end()) return NotFound(request->name());
    *response = found->second;
    response->set_name(absl::StrCat("jobs/", request->request_id()));
    response->set_state(v1::Job::STATE_QUEUED);
    response->clear_diagnostics();
    if (!request->validate_only()) script_.jobs[response->name()] = *response;
    return Pop(script_.lost_answers, grpc::Status::OK);
  }

  grpc::Status GetJob(grpc::ServerContext* context, const v1::GetJobRequest* request,
                      v1::Job* response) override {
    std::lock_guard lock(mutex_);
    Count(*context, script_);
    if (grpc::Status status = Pop(script_.answers, grpc::Status::OK); !status.ok()) return status;
    const auto found = script_.jobs.find(request->name());
    if (found == script_.jobs.end()) return NotFound(request->name());
    *response = found->second;
    return grpc::Status::OK;
  }

  grpc::Status ListJobs(grpc::ServerContext* context, const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override {
    std::lock_guard lock(mutex_);
    Count(*context, script_);
    if (grpc::Status status = Pop(script_.answers, grpc::Status::OK); !status.ok()) return status;
    script_.listed.push_back(*request);
    Page(
        script_.jobs, *request, script_.page_size, [&] { return response->add_jobs(); }, *response);
    return grpc::Status::OK;
  }

  grpc::Status CancelJob(grpc::ServerContext* context, const v1::CancelJobRequest* request,
                         v1::Job* response) override {
    std::lock_guard lock(mutex_);
    Count(*context, script_);
    if (grpc::Status status = Pop(script_.answers, grpc::Status::OK); !status.ok()) return status;
    const auto found = script_.jobs.find(request->name());
    if (found == script_.jobs.end()) return NotFound(request->name());
    found->second.set_state(v1::Job::STATE_CANCELLED);
    *response = found->second;
    return grpc::Status::OK;
  }

  grpc::Status DeleteJob(grpc::ServerContext* context, const v1::DeleteJobRequest* request,
                         google::protobuf::Empty*) override {
    std::lock_guard lock(mutex_);
    Count(*context, script_);
    if (grpc::Status status = Pop(script_.answers, grpc::Status::OK); !status.ok()) return status;
    if (script_.jobs.erase(request->name()) == 0) return NotFound(request->name());
    return Pop(script_.lost_answers, grpc::Status::OK);
  }

  grpc::Status WatchJob(grpc::ServerContext* context, const v1::WatchJobRequest* request,
                        grpc::ServerWriter<v1::WatchJobResponse>* writer) override {
    return Stream(context, *request, &Script::watch, writer);
  }

  grpc::Status StreamDraws(grpc::ServerContext* context, const v1::StreamDrawsRequest* request,
                           grpc::ServerWriter<v1::StreamDrawsResponse>* writer) override {
    {
      std::lock_guard lock(mutex_);
      script_.draw_requests.push_back(*request);
    }
    return Stream(context, *request, &Script::draws, writer);
  }

  grpc::Status StreamTrace(grpc::ServerContext* context, const v1::StreamTraceRequest* request,
                           grpc::ServerWriter<v1::StreamTraceResponse>* writer) override {
    {
      std::lock_guard lock(mutex_);
      script_.trace_requests.push_back(*request);
    }
    return Stream(context, *request, &Script::trace, writer);
  }

 private:
  template <typename Request, typename Response>
  grpc::Status Stream(grpc::ServerContext* context, const Request& request,
                      std::vector<Response> Script::*messages,
                      grpc::ServerWriter<Response>* writer) {
    std::vector<Response> all;
    int left = 0;
    bool hang = false;
    {
      std::lock_guard lock(mutex_);
      Count(*context, script_);
      if (grpc::Status status = Pop(script_.answers, grpc::Status::OK); !status.ok()) return status;
      all = script_.*messages;
      left = Pop(script_.breaks, -1);
      hang = script_.hang;
    }
    for (std::size_t i = Start(request, static_cast<Response*>(nullptr)); i < all.size(); ++i) {
      if (!Wanted(request, all[i])) continue;
      if (left-- == 0) return {grpc::StatusCode::UNAVAILABLE, "told to break"};
      SetCursor(i + 1, all[i]);
      writer->Write(all[i]);
    }
    if (left == 0) return {grpc::StatusCode::UNAVAILABLE, "told to break"};
    while (hang && !context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::OK;
  }

  std::mutex& mutex_;
  Script& script_;
};

class FakeServer::Datasets : public v1::DatasetService::Service {
 public:
  Datasets(std::mutex& mutex, Script& script) : mutex_(mutex), script_(script) {}

  grpc::Status UploadDataset(grpc::ServerContext* context,
                             grpc::ServerReader<v1::UploadDatasetRequest>* reader,
                             v1::Dataset* response) override {
    std::size_t limit = std::string::npos;
    {
      std::lock_guard lock(mutex_);
      Count(*context, script_);
      if (grpc::Status status = Pop(script_.answers, grpc::Status::OK); !status.ok()) return status;
      limit = Pop(script_.upload_breaks, limit);
      script_.uploaded.clear();
    }
    v1::UploadDatasetRequest request;
    while (reader->Read(&request)) {
      std::lock_guard lock(mutex_);
      if (request.has_header()) script_.headers.push_back(request.header());
      script_.uploaded += request.chunk();
      if (script_.uploaded.size() >= limit) {
        return {grpc::StatusCode::UNAVAILABLE, "told to break"};
      }
    }
    std::lock_guard lock(mutex_);
    response->set_name(absl::StrCat("datasets/", script_.headers.back().request_id()));
    response->set_display_name(script_.headers.back().display_name());
    response->set_row_count(3);
    script_.datasets[response->name()] = *response;
    return Pop(script_.lost_answers, grpc::Status::OK);
  }

  grpc::Status GetDataset(grpc::ServerContext* context, const v1::GetDatasetRequest* request,
                          v1::Dataset* response) override {
    std::lock_guard lock(mutex_);
    Count(*context, script_);
    const auto found = script_.datasets.find(request->name());
    if (found == script_.datasets.end()) return NotFound(request->name());
    *response = found->second;
    return grpc::Status::OK;
  }

  grpc::Status ListDatasets(grpc::ServerContext* context, const v1::ListDatasetsRequest* request,
                            v1::ListDatasetsResponse* response) override {
    std::lock_guard lock(mutex_);
    Count(*context, script_);
    Page(
        script_.datasets, *request, script_.page_size, [&] { return response->add_datasets(); },
        *response);
    return grpc::Status::OK;
  }

  grpc::Status DeleteDataset(grpc::ServerContext* context, const v1::DeleteDatasetRequest* request,
                             google::protobuf::Empty*) override {
    std::lock_guard lock(mutex_);
    Count(*context, script_);
    if (script_.datasets.erase(request->name()) == 0) return NotFound(request->name());
    return Pop(script_.lost_answers, grpc::Status::OK);
  }

 private:
  std::mutex& mutex_;
  Script& script_;
};

FakeServer::FakeServer(int port)
    : jobs_(std::make_unique<Jobs>(mutex_, script_)),
      datasets_(std::make_unique<Datasets>(mutex_, script_)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(),
                           &port_);
  builder.RegisterService(jobs_.get());
  builder.RegisterService(datasets_.get());
  server_ = builder.BuildAndStart();
}

FakeServer::~FakeServer() { Stop(); }

std::string FakeServer::address() const { return absl::StrCat("127.0.0.1:", port_); }

void FakeServer::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_.reset();
}

}  // namespace posteriord::testing
