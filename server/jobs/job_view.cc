#include "server/jobs/job_view.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "server/base/absl_string.h"
#include "server/base/status_macros.h"
#include "server/convert/resource_name.h"
#include "server/convert/status.h"

namespace posteriord::server {
namespace {

using google::protobuf::util::TimeUtil;

// The schedule of a complete spec; see core::ScheduleSpec.
std::int64_t TotalSweeps(const v1::Schedule& schedule) {
  return schedule.warmup_sweeps() + schedule.draws() * schedule.thinning();
}
std::int64_t TotalDraws(const v1::Schedule& schedule) {
  return schedule.draws() +
         (schedule.keep_warmup() ? schedule.warmup_sweeps() / schedule.thinning() : 0);
}

void SetProgress(const std::vector<ChainPosition>& positions, v1::Job& job) {
  std::size_t chain = 0;
  for (int group = 0; group < job.spec().chain_groups_size(); ++group) {
    for (int i = 0; i < job.spec().chain_groups(group).chains() && chain < positions.size(); ++i) {
      const ChainPosition& position = positions[chain];
      v1::ChainProgress& progress = *job.add_chains();
      progress.set_chain(static_cast<int>(chain++));
      progress.set_group(group);
      progress.set_sweeps(position.sweeps);
      progress.set_total_sweeps(TotalSweeps(job.spec().schedule()));
      progress.set_draws(position.draws);
      progress.set_total_draws(TotalDraws(job.spec().schedule()));
      if (position.busy_seconds > 0) {
        progress.set_sweeps_per_second(static_cast<double>(position.sweeps) /
                                       position.busy_seconds);
      }
    }
  }
}

// Adds what the job's file knows: progress, diagnostics, version.
absl::Status AddProgress(JobStore& store, const JobRecord& record, JobDetail detail, v1::Job& job) {
  ASSIGN_OR_RETURN(const std::vector<ChainPosition> positions, store.Positions(record.id));
  ASSIGN_OR_RETURN(const std::optional<DiagnosticsRecord> diagnostics,
                   store.LatestDiagnostics(record.id));
  SetProgress(positions, job);
  if (diagnostics.has_value() && detail == JobDetail::kFull &&
      !job.mutable_diagnostics()->ParseFromString(diagnostics->body)) {
    return absl::DataLossError(
        absl::StrCat("the stored diagnostics of ", JobName(record.id), " cannot be read"));
  }
  // Each term grows only, also across restarts.
  std::int64_t version = static_cast<int>(record.state);
  for (const ChainPosition& position : positions) version += position.sweeps;
  if (diagnostics.has_value()) version += diagnostics->index + 1;
  job.set_version(version);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Job> ParseAcceptedJob(const JobRecord& record) {
  v1::Job job;
  if (!job.ParseFromString(record.body)) {
    return absl::DataLossError(
        absl::StrCat("the stored description of ", JobName(record.id), " cannot be read"));
  }
  return job;
}

absl::StatusOr<v1::Job> ViewJob(JobStore& store, const JobRecord& record, JobDetail detail) {
  ASSIGN_OR_RETURN(v1::Job job, ParseAcceptedJob(record));
  job.set_name(JobName(record.id));
  job.set_state(static_cast<v1::Job::State>(record.state));
  if (record.state == JobState::kFailed && !job.mutable_error()->ParseFromString(record.outcome)) {
    return absl::DataLossError(
        absl::StrCat("the stored outcome of ", JobName(record.id), " cannot be read"));
  }
  if (record.state == JobState::kSucceeded) job.set_stop_reason(record.outcome);
  const auto set_time = [](std::int64_t time_us, google::protobuf::Timestamp* time) {
    *time = TimeUtil::MicrosecondsToTimestamp(time_us);
  };
  set_time(record.create_time_us, job.mutable_create_time());
  if (record.start_time_us != 0) set_time(record.start_time_us, job.mutable_start_time());
  if (record.end_time_us != 0) set_time(record.end_time_us, job.mutable_end_time());

  const absl::Status status = AddProgress(store, record, detail, job);
  const bool may_be_damaged =
      record.state == JobState::kFailed || detail == JobDetail::kWithoutDiagnostics;
  if (!status.ok() && !(absl::IsDataLoss(status) && may_be_damaged)) return status;
  return job;
}

absl::StatusOr<v1::Job> ViewJob(JobStore& store, std::string_view id) {
  const absl::StatusOr<JobRecord> record = store.GetJob(id);
  if (!record.ok()) return WithResource(record.status(), "posteriord.v1.Job", JobName(id));
  return ViewJob(store, *record, JobDetail::kFull);
}

}  // namespace posteriord::server
