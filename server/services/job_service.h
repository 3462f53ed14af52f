// The gRPC face of the jobs.
#ifndef POSTERIORD_SERVER_SERVICES_JOB_SERVICE_H_
#define POSTERIORD_SERVER_SERVICES_JOB_SERVICE_H_

#include "posteriord/v1/job_service.grpc.pb.h"
#include "server/base/io_executor.h"
#include "server/jobs/job_manager.h"
#include "server/services/stream_registry.h"
#include "server/store/job_store.h"

namespace posteriord::server {

// See posteriord/v1/job_service.proto. REQUIRES: all that it is given outlives all calls.
class JobService final : public v1::JobService::CallbackService {
 public:
  struct Executors {
    IoExecutor& reads;     // streams, and calls that look something up
    IoExecutor& commands;  // calls that read much or wait for a job to stop
  };

  JobService(JobManager& jobs, JobStore& store, const Executors& executors, StreamRegistry& streams)
      : jobs_(jobs),
        store_(store),
        executor_(executors.reads),
        commands_(executors.commands),
        streams_(streams) {}

  grpc::ServerUnaryReactor* CreateJob(grpc::CallbackServerContext* context,
                                      const v1::CreateJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerUnaryReactor* ProbeJob(grpc::CallbackServerContext* context,
                                     const v1::ProbeJobRequest* request,
                                     v1::Job* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
                                   const v1::GetJobRequest* request, v1::Job* response) override;
  grpc::ServerUnaryReactor* GetJobSummary(grpc::CallbackServerContext* context,
                                          const v1::GetJobSummaryRequest* request,
                                          v1::JobSummary* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context,
                                      const v1::CancelJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerUnaryReactor* DeleteJob(grpc::CallbackServerContext* context,
                                      const v1::DeleteJobRequest* request,
                                      google::protobuf::Empty* response) override;
  grpc::ServerWriteReactor<v1::WatchJobResponse>* WatchJob(
      grpc::CallbackServerContext* context, const v1::WatchJobRequest* request) override;
  grpc::ServerWriteReactor<v1::StreamDrawsResponse>* StreamDraws(
      grpc::CallbackServerContext* context, const v1::StreamDrawsRequest* request) override;
  grpc::ServerWriteReactor<v1::StreamTraceResponse>* StreamTrace(
      grpc::CallbackServerContext* context, const v1::StreamTraceRequest* request) override;

 private:
  JobManager& jobs_;
  JobStore& store_;
  IoExecutor& executor_;
  IoExecutor& commands_;
  StreamRegistry& streams_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_JOB_SERVICE_H_
