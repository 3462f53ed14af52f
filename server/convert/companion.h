// The companion of a job on real labels: the same job on labels of a known teacher, whose verdict
// tells whether the sampler thermalizes, and after how many sweeps.
#ifndef POSTERIORD_SERVER_CONVERT_COMPANION_H_
#define POSTERIORD_SERVER_CONVERT_COMPANION_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "posteriord/v1/job.pb.h"
#include "posteriord/v1/job_service.pb.h"

namespace posteriord::server {

// The label of a companion that holds the id of its job.
inline constexpr char kCompanionLabel[] = "companion_of";

// What to ask of CreateJob for the companion that ProbeJobRequest describes: display_name, labels
// and spec. The same job and request always give the same companion. REQUIRES: `job` is a job as it
// was accepted, complete, with its name and data summary. Errors: INVALID_ARGUMENT naming the
// request's fields at fault; FAILED_PRECONDITION when the job has a teacher, or cannot have one
// that is a draw from its posterior.
absl::StatusOr<v1::Job> MakeCompanion(const v1::Job& job, const v1::ProbeJobRequest& request);

// What was wrong with a companion, in a status for the caller of ProbeJob, who did not write it:
// its fields are named "companion.spec..." and so on. Other statuses are left as they are.
absl::Status WithCompanionFields(const absl::Status& status);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_COMPANION_H_
