// A posteriord server that does as it is told.
#ifndef POSTERIORD_TESTS_CLIENT_TESTING_FAKE_SERVER_H_
#define POSTERIORD_TESTS_CLIENT_TESTING_FAKE_SERVER_H_

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "grpcpp/server.h"
#include "posteriord/v1/dataset_service.grpc.pb.h"
#include "posteriord/v1/job_service.grpc.pb.h"

namespace posteriord::testing {

// What a fake server answers, and what it was asked. Set everything before the calls that need it;
// tests read the records after the calls they are interested in.
struct Script {
  // The next calls, of whatever method, are answered by these instead; OK means "as usual".
  std::deque<grpc::Status> answers;
  // As `answers`, but the call takes effect, and only its answer is lost.
  std::deque<grpc::Status> lost_answers;

  std::map<std::string, v1::Job> jobs;
  std::map<std::string, v1::Dataset> datasets;
  int page_size = 2;

  // Messages of the streams. Their cursors are their positions. Only messages of the chains that a
  // request names are sent; `watch` messages are not filtered.
  std::vector<v1::StreamDrawsResponse> draws;
  std::vector<v1::StreamTraceResponse> trace;
  std::vector<v1::WatchJobResponse> watch;
  // Streams end as UNAVAILABLE after so many messages, the first stream after the first number, and
  // so on; then whole.
  std::deque<int> breaks;
  // A stream without further messages waits until it is cancelled instead of ending.
  bool hang = false;

  // ----- Records -----
  std::vector<v1::CreateJobRequest> created;
  std::vector<v1::ProbeJobRequest> probed;
  std::vector<v1::ListJobsRequest> listed;
  std::vector<v1::StreamDrawsRequest> draw_requests;
  std::vector<v1::StreamTraceRequest> trace_requests;
  std::vector<v1::UploadDatasetHeader> headers;
  std::string uploaded;
  // An upload is broken off once it has sent so many bytes; the first upload by the first number.
  std::deque<std::size_t> upload_breaks;
  int deadlines = 0;  // calls that had a deadline
  int calls = 0;
};

class FakeServer {
 public:
  // Serves on `port`, 0 for a free one.
  explicit FakeServer(int port = 0);
  ~FakeServer();

  std::string address() const;
  int port() const { return port_; }
  Script& script() { return script_; }

  // Ends the server and all its calls at once.
  void Stop();

 private:
  class Jobs;
  class Datasets;

  std::mutex mutex_;  // of script_, against calls
  Script script_;
  int port_ = 0;
  std::unique_ptr<Jobs> jobs_;
  std::unique_ptr<Datasets> datasets_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CLIENT_TESTING_FAKE_SERVER_H_
