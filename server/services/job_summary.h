// The statistics of a job's traces.
#ifndef POSTERIORD_SERVER_SERVICES_JOB_SUMMARY_H_
#define POSTERIORD_SERVER_SERVICES_JOB_SUMMARY_H_

#include <string>

#include "absl/status/statusor.h"
#include "posteriord/v1/job_service.pb.h"
#include "server/store/job_store.h"

namespace posteriord::server {

// See JobService.GetJobSummary. `job` is the job as it is now, `id` its id. Reads and keeps the
// traces of the chains asked for, so its memory is that of the even traces.
absl::StatusOr<v1::JobSummary> SummarizeJob(JobStore& store, const std::string& id,
                                            const v1::Job& job,
                                            const v1::GetJobSummaryRequest& request);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_JOB_SUMMARY_H_
