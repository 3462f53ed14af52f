// A job as clients see it, from what is stored of it.
#ifndef POSTERIORD_SERVER_JOBS_JOB_VIEW_H_
#define POSTERIORD_SERVER_JOBS_JOB_VIEW_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "posteriord/v1/job.pb.h"
#include "server/store/job_store.h"

namespace posteriord::server {

// The job that a record was made of, as it was accepted. Errors: DATA_LOSS.
absl::StatusOr<v1::Job> ParseAcceptedJob(const JobRecord& record);

enum class JobDetail { kWithoutDiagnostics, kFull };

// The job with its state, progress and, when asked for, latest diagnostics. A final state is never
// told together with less than the final progress. Of a damaged job (DATA_LOSS) that has failed, or
// that is asked for without its diagnostics, everything is told but the progress.
absl::StatusOr<v1::Job> ViewJob(JobStore& store, const JobRecord& record, JobDetail detail);

// The same by id. Errors: NOT_FOUND.
absl::StatusOr<v1::Job> ViewJob(JobStore& store, std::string_view id);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_JOB_VIEW_H_
