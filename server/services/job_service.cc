#include "server/services/job_service.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/field_violation.h"
#include "server/base/status_macros.h"
#include "server/convert/resource_name.h"
#include "server/services/draw_source.h"
#include "server/services/job_summary.h"
#include "server/services/paging.h"
#include "server/services/stream_reactor.h"
#include "server/services/trace_source.h"
#include "server/services/unary_call.h"
#include "server/services/watch_source.h"

namespace posteriord::server {
namespace {

absl::StatusOr<JobStore::ListQuery> ToQuery(const v1::ListJobsRequest& request) {
  JobStore::ListQuery query;
  for (int i = 0; i < request.states_size(); ++i) {
    const int state = request.states(i);
    if (state == v1::Job::STATE_UNSPECIFIED || !v1::Job::State_IsValid(state)) {
      return FieldViolation(absl::StrCat("states[", i, "]"), "is not a state of jobs");
    }
    query.states.push_back(static_cast<JobState>(state));
  }
  query.labels = {request.labels().begin(), request.labels().end()};
  if (query.labels.size() > 32) return FieldViolation("labels", "has more than 32 entries");
  return query;
}

// What a page token is bound to: the filter it continues.
std::string ScopeOf(const JobStore::ListQuery& query) {
  std::string scope = "jobs";
  for (const JobState state : query.states) absl::StrAppend(&scope, "/", static_cast<int>(state));
  for (const auto& [key, value] : query.labels) absl::StrAppend(&scope, "/", key, "=", value);
  return scope;
}

absl::StatusOr<v1::ListJobsResponse> List(JobManager& jobs, const v1::ListJobsRequest& request) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(JobStore::ListQuery query, ToQuery(request));
  const std::string scope = ScopeOf(query);
  ASSIGN_OR_RETURN(query.after_id, DecodePageToken(scope, request.page_token()));
  query.limit = size;
  ASSIGN_OR_RETURN(JobManager::Page found, jobs.ListJobs(std::move(query), kMaxPageBytes));
  v1::ListJobsResponse page;
  for (v1::Job& job : found.jobs) *page.add_jobs() = std::move(job);
  if (found.more) {
    ASSIGN_OR_RETURN(const std::string last, ParseJobName(page.jobs().rbegin()->name(), "name"));
    page.set_next_page_token(EncodePageToken(scope, last));
  }
  return page;
}

// Starts a stream about the job that the request names. `open(id)` makes its source; a name that
// cannot be read ends the stream when it is opened.
template <typename Response, typename Open>
grpc::ServerWriteReactor<Response>* StartStream(JobStore& store, IoExecutor& executor,
                                                StreamRegistry& streams, const std::string& name,
                                                Open open) {
  absl::StatusOr<std::string> id = ParseJobName(name, "name");
  typename StreamReactor<Response>::Options options;
  options.job_id = id.value_or("");
  options.open =
      [id = std::move(id),
       open = std::move(open)]() -> absl::StatusOr<std::unique_ptr<StreamSource<Response>>> {
    if (!id.ok()) return id.status();
    return open(*id);
  };
  return StreamReactor<Response>::Start(store, executor, streams, std::move(options));
}

}  // namespace

grpc::ServerUnaryReactor* JobService::CreateJob(grpc::CallbackServerContext* context,
                                                const v1::CreateJobRequest* request,
                                                v1::Job* response) {
  return RunUnary(context, commands_, response, [this, request]() -> absl::StatusOr<v1::Job> {
    return jobs_.CreateJob(*request);
  });
}

grpc::ServerUnaryReactor* JobService::ProbeJob(grpc::CallbackServerContext* context,
                                               const v1::ProbeJobRequest* request,
                                               v1::Job* response) {
  return RunUnary(context, commands_, response, [this, request]() -> absl::StatusOr<v1::Job> {
    ASSIGN_OR_RETURN(const std::string id, ParseJobName(request->name(), "name"));
    return jobs_.ProbeJob(id, *request);
  });
}

grpc::ServerUnaryReactor* JobService::GetJob(grpc::CallbackServerContext* context,
                                             const v1::GetJobRequest* request, v1::Job* response) {
  return RunUnary(context, executor_, response, [this, request]() -> absl::StatusOr<v1::Job> {
    ASSIGN_OR_RETURN(const std::string id, ParseJobName(request->name(), "name"));
    return jobs_.GetJob(id);
  });
}

grpc::ServerUnaryReactor* JobService::GetJobSummary(grpc::CallbackServerContext* context,
                                                    const v1::GetJobSummaryRequest* request,
                                                    v1::JobSummary* response) {
  return RunUnary(context, commands_, response,
                  [this, request]() -> absl::StatusOr<v1::JobSummary> {
                    ASSIGN_OR_RETURN(const std::string id, ParseJobName(request->name(), "name"));
                    ASSIGN_OR_RETURN(const v1::Job job, jobs_.GetJob(id));
                    return SummarizeJob(store_, id, job, *request);
                  });
}

grpc::ServerUnaryReactor* JobService::ListJobs(grpc::CallbackServerContext* context,
                                               const v1::ListJobsRequest* request,
                                               v1::ListJobsResponse* response) {
  return RunUnary(context, executor_, response, [this, request] { return List(jobs_, *request); });
}

grpc::ServerUnaryReactor* JobService::CancelJob(grpc::CallbackServerContext* context,
                                                const v1::CancelJobRequest* request,
                                                v1::Job* response) {
  return RunUnary(context, commands_, response, [this, request]() -> absl::StatusOr<v1::Job> {
    ASSIGN_OR_RETURN(const std::string id, ParseJobName(request->name(), "name"));
    return jobs_.CancelJob(id);
  });
}

grpc::ServerUnaryReactor* JobService::DeleteJob(grpc::CallbackServerContext* context,
                                                const v1::DeleteJobRequest* request,
                                                google::protobuf::Empty* response) {
  return RunUnary(context, commands_, response,
                  [this, request]() -> absl::StatusOr<google::protobuf::Empty> {
                    ASSIGN_OR_RETURN(const std::string id, ParseJobName(request->name(), "name"));
                    RETURN_IF_ERROR(jobs_.DeleteJob(id));
                    return google::protobuf::Empty();
                  });
}

grpc::ServerWriteReactor<v1::WatchJobResponse>* JobService::WatchJob(
    grpc::CallbackServerContext* /*context*/, const v1::WatchJobRequest* request) {
  return StartStream<v1::WatchJobResponse>(store_, executor_, streams_, request->name(),
                                           [this, request = *request](const std::string& id) {
                                             return MakeWatchSource(
                                                 [this, id] { return jobs_.GetJob(id); }, request);
                                           });
}

grpc::ServerWriteReactor<v1::StreamDrawsResponse>* JobService::StreamDraws(
    grpc::CallbackServerContext* /*context*/, const v1::StreamDrawsRequest* request) {
  return StartStream<v1::StreamDrawsResponse>(
      store_, executor_, streams_, request->name(),
      [this, request = *request](const std::string& id)
          -> absl::StatusOr<std::unique_ptr<StreamSource<v1::StreamDrawsResponse>>> {
        ASSIGN_OR_RETURN(const v1::Job job, jobs_.GetJob(id));
        return MakeDrawSource(store_, id, job, request);
      });
}

grpc::ServerWriteReactor<v1::StreamTraceResponse>* JobService::StreamTrace(
    grpc::CallbackServerContext* /*context*/, const v1::StreamTraceRequest* request) {
  return StartStream<v1::StreamTraceResponse>(
      store_, executor_, streams_, request->name(),
      [this, request = *request](const std::string& id)
          -> absl::StatusOr<std::unique_ptr<StreamSource<v1::StreamTraceResponse>>> {
        ASSIGN_OR_RETURN(const v1::Job job, jobs_.GetJob(id));
        return MakeTraceSource(store_, id, job, request);
      });
}

}  // namespace posteriord::server
