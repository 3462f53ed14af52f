// The wire contract, called the plain way.
#ifndef POSTERIORD_TESTS_E2E_TESTING_API_H_
#define POSTERIORD_TESTS_E2E_TESTING_API_H_

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "google/rpc/status.pb.h"
#include "posteriord/v1/dataset_service.grpc.pb.h"
#include "posteriord/v1/job_service.grpc.pb.h"

namespace posteriord::testing {

// A status with the details that came with it.
inline absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status message;
  if (message.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : message.details()) {
      result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return result;
}

// Everything a draw stream brought of one chain.
struct ChainDraws {
  std::vector<std::int64_t> draws;
  std::vector<std::int64_t> sweeps;
  std::string values;

  friend bool operator==(const ChainDraws&, const ChainDraws&) = default;
};

struct DrawStream {
  std::map<int, ChainDraws> chains;
  std::vector<std::string> cursors;  // one per message
  std::optional<v1::StreamEnd> end;
  absl::Status status;
};

// Adds a chunk; REQUIRES: it holds whole draws.
inline void AddChunk(const v1::DrawChunk& chunk, DrawStream& stream) {
  ChainDraws& chain = stream.chains[chunk.chain()];
  chain.draws.insert(chain.draws.end(), chunk.draws().begin(), chunk.draws().end());
  chain.sweeps.insert(chain.sweeps.end(), chunk.sweeps().begin(), chunk.sweeps().end());
  chain.values.append(chunk.values());
}

class Api {
 public:
  explicit Api(const std::string& address)
      : channel_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
        jobs_(v1::JobService::NewStub(channel_)),
        datasets_(v1::DatasetService::NewStub(channel_)) {}

  v1::JobService::Stub& jobs() { return *jobs_; }
  v1::DatasetService::Stub& datasets() { return *datasets_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  absl::StatusOr<v1::Job> CreateJob(const v1::CreateJobRequest& request) {
    return Call<v1::Job>(&v1::JobService::Stub::CreateJob, *jobs_, request);
  }
  absl::StatusOr<v1::Job> ProbeJob(const v1::ProbeJobRequest& request) {
    return Call<v1::Job>(&v1::JobService::Stub::ProbeJob, *jobs_, request);
  }
  absl::StatusOr<v1::Job> GetJob(const std::string& name) {
    v1::GetJobRequest request;
    request.set_name(name);
    return Call<v1::Job>(&v1::JobService::Stub::GetJob, *jobs_, request);
  }
  absl::StatusOr<v1::JobSummary> GetJobSummary(const std::string& name) {
    v1::GetJobSummaryRequest request;
    request.set_name(name);
    return Call<v1::JobSummary>(&v1::JobService::Stub::GetJobSummary, *jobs_, request);
  }
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request) {
    return Call<v1::ListJobsResponse>(&v1::JobService::Stub::ListJobs, *jobs_, request);
  }
  absl::StatusOr<v1::Job> CancelJob(const std::string& name) {
    v1::CancelJobRequest request;
    request.set_name(name);
    return Call<v1::Job>(&v1::JobService::Stub::CancelJob, *jobs_, request);
  }
  absl::Status DeleteJob(const std::string& name) {
    v1::DeleteJobRequest request;
    request.set_name(name);
    return Call<google::protobuf::Empty>(&v1::JobService::Stub::DeleteJob, *jobs_, request)
        .status();
  }
  absl::StatusOr<v1::Dataset> GetDataset(const std::string& name) {
    v1::GetDatasetRequest request;
    request.set_name(name);
    return Call<v1::Dataset>(&v1::DatasetService::Stub::GetDataset, *datasets_, request);
  }
  absl::StatusOr<v1::ListDatasetsResponse> ListDatasets(const v1::ListDatasetsRequest& request) {
    return Call<v1::ListDatasetsResponse>(&v1::DatasetService::Stub::ListDatasets, *datasets_,
                                          request);
  }
  absl::Status DeleteDataset(const std::string& name) {
    v1::DeleteDatasetRequest request;
    request.set_name(name);
    return Call<google::protobuf::Empty>(&v1::DatasetService::Stub::DeleteDataset, *datasets_,
                                         request)
        .status();
  }

  absl::StatusOr<v1::Dataset> Upload(const v1::UploadDatasetHeader& header,
                                     const std::string& bytes) {
    grpc::ClientContext context;
    v1::Dataset dataset;
    const auto writer = datasets_->UploadDataset(&context, &dataset);
    v1::UploadDatasetRequest request;
    *request.mutable_header() = header;
    bool open = writer->Write(request);
    for (std::size_t at = 0; open && at < bytes.size(); at += kUploadChunkBytes) {
      request.set_chunk(bytes.substr(at, kUploadChunkBytes));
      open = writer->Write(request);
    }
    writer->WritesDone();
    const absl::Status status = FromGrpc(writer->Finish());
    if (!status.ok()) return status;
    return dataset;
  }

  DrawStream ReadDraws(const v1::StreamDrawsRequest& request) {
    grpc::ClientContext context;
    const auto reader = jobs_->StreamDraws(&context, request);
    DrawStream stream;
    v1::StreamDrawsResponse response;
    while (reader->Read(&response)) {
      stream.cursors.push_back(response.cursor());
      if (response.has_chunk()) AddChunk(response.chunk(), stream);
      if (response.has_end()) stream.end = response.end();
    }
    stream.status = FromGrpc(reader->Finish());
    return stream;
  }

  // All messages of a trace stream, without their cursors.
  absl::StatusOr<std::vector<v1::StreamTraceResponse>> ReadTrace(
      const v1::StreamTraceRequest& request) {
    grpc::ClientContext context;
    const auto reader = jobs_->StreamTrace(&context, request);
    std::vector<v1::StreamTraceResponse> messages;
    v1::StreamTraceResponse response;
    while (reader->Read(&response)) {
      response.clear_cursor();
      messages.push_back(response);
    }
    const absl::Status status = FromGrpc(reader->Finish());
    if (!status.ok()) return status;
    return messages;
  }

  // Watches until the job has ended.
  absl::StatusOr<v1::Job> AwaitEnd(const std::string& name) {
    grpc::ClientContext context;
    v1::WatchJobRequest request;
    request.set_name(name);
    const auto reader = jobs_->WatchJob(&context, request);
    v1::WatchJobResponse response;
    while (reader->Read(&response)) {
    }
    const absl::Status status = FromGrpc(reader->Finish());
    if (!status.ok()) return status;
    return response.job();
  }

 private:
  static constexpr std::size_t kUploadChunkBytes = 64 << 10;

  template <typename Response, typename Stub, typename Method, typename Request>
  static absl::StatusOr<Response> Call(Method method, Stub& stub, const Request& request) {
    grpc::ClientContext context;
    Response response;
    const absl::Status status = FromGrpc((stub.*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::JobService::Stub> jobs_;
  const std::unique_ptr<v1::DatasetService::Stub> datasets_;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_E2E_TESTING_API_H_
