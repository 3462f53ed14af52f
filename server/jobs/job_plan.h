// From a request to a job that can be run.
#ifndef POSTERIORD_SERVER_JOBS_JOB_PLAN_H_
#define POSTERIORD_SERVER_JOBS_JOB_PLAN_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/data/data.h"
#include "core/sampling/problem.h"
#include "core/spec.h"
#include "posteriord/v1/job.pb.h"
#include "server/data/dataset_store.h"
#include "server/data/job_data.h"

namespace posteriord::server {

struct JobPlan {
  v1::Job job;      // complete and described, but for its name, state, progress and data summary
  core::Spec spec;  // the same for core
  core::DataShape shape;
  std::string dataset_id;        // empty for Gaussian inputs
  std::optional<DataPlan> data;  // what to read of the data set
};

// Checks a new job and fills in all that follows from it and from the description of its data set;
// planning what was planned before gives the same plan. Reads no data. Errors: INVALID_ARGUMENT,
// naming all fields at fault; NOT_FOUND when there is no such data set.
absl::StatusOr<JobPlan> PlanJob(const v1::Job& request, DatasetStore& datasets);

struct PlannedData {
  core::Data data;
  v1::DataSummary summary;
};

// Reads or makes the data of a job. Errors: INVALID_ARGUMENT when they do not suit it, such as
// labels that are no classes; those of DatasetStore.
absl::StatusOr<PlannedData> LoadPlannedData(const JobPlan& plan, DatasetStore& datasets);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_JOB_PLAN_H_
