// A client of a posteriord server.
//
//   std::unique_ptr<Client> client = Client::Connect("127.0.0.1:7741");
//   absl::StatusOr<v1::Job> job = client->CreateJob(request);
//   std::unique_ptr<DrawStream> draws = client->StreamDraws(selection);
//
// Link posteriord::client.
#ifndef POSTERIORD_CLIENT_POSTERIORD_CLIENT_H_
#define POSTERIORD_CLIENT_POSTERIORD_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "posteriord/connection.h"
#include "posteriord/resuming_stream.h"
#include "posteriord/v1/dataset_service.pb.h"
#include "posteriord/v1/job_service.pb.h"

namespace posteriord::client {

// Calls a server. Every call is repeated while the server answers UNAVAILABLE, and is safe to
// repeat. Errors are the server's, with their details (posteriord/error.h); UNAVAILABLE also when
// the server cannot be reached, DEADLINE_EXCEEDED when it did not answer in time. Names may be bare
// ids (posteriord/names.h). Thread-safe. Streams may outlive the client.
class Client {
 public:
  // A client of the server at `address` ("host:port" or any gRPC target), without encryption.
  // Connects at the first call.
  static std::unique_ptr<Client> Connect(const std::string& address, ClientOptions options = {});

  // A client over a channel made elsewhere, with the credentials and limits that it has.
  explicit Client(const std::shared_ptr<grpc::ChannelInterface>& channel,
                  ClientOptions options = {});

  // ----- Data sets -----

  // Bytes of the file sent so far, and in all.
  using UploadProgress = std::function<void(std::int64_t sent, std::int64_t total)>;

  // Uploads a file. Chooses a request_id when the header has none.
  absl::StatusOr<v1::Dataset> UploadDataset(v1::UploadDatasetHeader header, const std::string& path,
                                            const UploadProgress& progress = nullptr);
  absl::StatusOr<v1::Dataset> GetDataset(const std::string& name);
  // All data sets, newest first.
  absl::StatusOr<std::vector<v1::Dataset>> ListDatasets();
  absl::Status DeleteDataset(const std::string& name);

  // ----- Jobs -----

  // Chooses a request_id when the request has none.
  absl::StatusOr<v1::Job> CreateJob(v1::CreateJobRequest request);
  // Creates the companion of the job that the request names, and returns it. Chooses a request_id
  // when the request has none.
  absl::StatusOr<v1::Job> ProbeJob(v1::ProbeJobRequest request);
  absl::StatusOr<v1::Job> GetJob(const std::string& name);
  // Statistics over the chains given, or all.
  absl::StatusOr<v1::JobSummary> GetJobSummary(const std::string& name,
                                               const std::vector<int>& chains = {});
  // All jobs that match the states and labels of `filter`, newest first.
  absl::StatusOr<std::vector<v1::Job>> ListJobs(v1::ListJobsRequest filter = {});
  absl::StatusOr<v1::Job> CancelJob(const std::string& name);
  absl::Status DeleteJob(const std::string& name);

  // ----- Streams -----

  std::unique_ptr<JobWatch> WatchJob(v1::WatchJobRequest request);
  std::unique_ptr<DrawStream> StreamDraws(v1::StreamDrawsRequest request);
  std::unique_ptr<TraceStream> StreamTrace(v1::StreamTraceRequest request);

 private:
  std::shared_ptr<Connection> connection_;
};

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORD_CLIENT_H_
