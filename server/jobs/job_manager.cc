#include "server/jobs/job_manager.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "server/base/field_violation.h"
#include "server/base/random_id.h"
#include "server/base/status_macros.h"
#include "server/convert/companion.h"
#include "server/convert/job.h"
#include "server/convert/resource_name.h"
#include "server/convert/status.h"
#include "server/jobs/job_plan.h"
#include "server/jobs/job_view.h"
#include "spdlog/spdlog.h"

namespace posteriord::server {
namespace {

constexpr std::size_t kMaxRequestIdBytes = 64;
constexpr int kJobsPerRead = 100;
constexpr char kJobType[] = "posteriord.v1.Job";

std::string InGibibytes(std::int64_t bytes) {
  return absl::StrFormat("%.3g GiB", static_cast<double>(bytes) / (std::int64_t{1} << 30));
}

absl::Status CheckRequest(const v1::CreateJobRequest& request) {
  FieldViolations violations;
  if (!request.has_job()) violations.Add("job", "is required");
  const std::string& id = request.request_id();
  if (id.size() > kMaxRequestIdBytes ||
      !std::all_of(id.begin(), id.end(), [](unsigned char c) { return absl::ascii_isprint(c); })) {
    violations.Add("request_id", absl::StrCat("must be at most ", kMaxRequestIdBytes,
                                              " printable ASCII characters"));
  }
  return violations.ToStatus();
}

// What the store keeps of an outcome besides the state; see JobRecord::outcome.
std::string StoredOutcome(const JobOutcome& outcome) {
  switch (outcome.state) {
    case JobState::kFailed:
      return ToProto(outcome.error).SerializeAsString();
    case JobState::kSucceeded:
      return outcome.stop_reason;
    default:
      return "";
  }
}

// For the log.
std::string Describe(const JobOutcome& outcome) {
  if (outcome.state == JobState::kFailed) return outcome.error.ToString();
  const std::string state =
      v1::Job::State_Name(static_cast<v1::Job::State>(outcome.state)).substr(6);
  return outcome.stop_reason.empty() ? state : absl::StrCat(state, ": ", outcome.stop_reason);
}

// The same bytes for the same wishes.
std::string Fingerprint(const v1::Job& job) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream output(&stream);
  output.SetSerializationDeterministic(true);
  InputFields(job).SerializeToCodedStream(&output);
  output.Trim();
  return bytes;
}

absl::Status NotFoundOrOther(const absl::Status& status, std::string_view id) {
  return WithResource(status, kJobType, JobName(id));
}

}  // namespace

JobManager::JobManager(JobEnvironment environment, std::int64_t memory_limit_bytes)
    : environment_(std::move(environment)), memory_limit_bytes_(memory_limit_bytes) {}

absl::Status JobManager::Resume() {
  JobStore::ListQuery query{.states = {JobState::kQueued, JobState::kRunning},
                            .limit = kJobsPerRead};
  std::vector<JobRecord> records;  // newest first
  for (;;) {
    ASSIGN_OR_RETURN(std::vector<JobRecord> page, environment_.store.ListJobs(query));
    if (page.empty()) break;
    query.after_id = page.back().id;
    std::move(page.begin(), page.end(), std::back_inserter(records));
  }
  std::reverse(records.begin(), records.end());
  std::stable_partition(records.begin(), records.end(),
                        [](const JobRecord& record) { return record.state == JobState::kRunning; });
  for (const JobRecord& record : records) {
    const absl::StatusOr<v1::Job> job = ParseAcceptedJob(record);
    const std::int64_t memory_bytes = job.ok() ? job->estimate().memory_bytes() : 0;
    if (memory_bytes > memory_limit_bytes_) {
      spdlog::warn(
          "{} needs about {} of memory, more than the limit of {}: it waits until the "
          "server is started with a larger one",
          JobName(record.id), InGibibytes(memory_bytes), InGibibytes(memory_limit_bytes_));
    }
    Reserve(record.id, memory_bytes);
    Enqueue(record.id);
  }
  if (!records.empty()) spdlog::info("took up {} unfinished jobs", records.size());
  return absl::OkStatus();
}

absl::StatusOr<v1::Job> JobManager::CreateJob(const v1::CreateJobRequest& request) {
  RETURN_IF_ERROR(CheckRequest(request));
  ASSIGN_OR_RETURN(JobPlan plan, PlanJob(request.job(), environment_.datasets));
  RETURN_IF_ERROR(CheckMemory(plan.job.estimate()));
  ASSIGN_OR_RETURN(*plan.job.mutable_data_summary(), Summarize(plan));
  if (request.validate_only()) return plan.job;

  JobRecord record;
  record.id = RandomId();
  record.labels.insert(plan.job.labels().begin(), plan.job.labels().end());
  record.dataset_id = plan.dataset_id;
  record.body = plan.job.SerializeAsString();
  record.create_time_us = environment_.time_of_day_us();
  Reserve(record.id, plan.job.estimate().memory_bytes());
  const absl::StatusOr<std::string> id =
      environment_.store.CreateJob(record, plan.spec.chain_count(), request.request_id(),
                                   request.request_id().empty() ? "" : Fingerprint(request.job()));
  if (!id.ok()) {
    Release(record.id);
    return absl::IsAlreadyExists(id.status()) ? WithReason(id.status(), "REQUEST_ID_REUSED")
                                              : id.status();
  }
  if (*id == record.id) {
    spdlog::info("{} accepted", JobName(*id));
    Enqueue(*id);
  } else {
    Release(record.id);
  }
  return GetJob(*id);
}

absl::StatusOr<v1::Job> JobManager::ProbeJob(std::string_view id,
                                             const v1::ProbeJobRequest& request) {
  const absl::StatusOr<JobRecord> record = environment_.store.GetJob(id);
  if (!record.ok()) return NotFoundOrOther(record.status(), id);
  ASSIGN_OR_RETURN(v1::Job job, ParseAcceptedJob(*record));
  job.set_name(JobName(id));
  v1::CreateJobRequest create;
  ASSIGN_OR_RETURN(*create.mutable_job(), MakeCompanion(job, request));
  create.set_request_id(request.request_id());
  create.set_validate_only(request.validate_only());
  absl::StatusOr<v1::Job> companion = CreateJob(create);
  if (!companion.ok()) return WithCompanionFields(companion.status());
  return companion;
}

absl::Status JobManager::CheckMemory(const v1::ResourceEstimate& estimate) const {
  if (estimate.memory_bytes() <= memory_limit_bytes_) return absl::OkStatus();
  return WithReason(
      absl::ResourceExhaustedError(absl::StrCat(
          "the job needs about ", InGibibytes(estimate.memory_bytes()), " (",
          estimate.memory_bytes(), " bytes) of memory, more than this server's limit of ",
          InGibibytes(memory_limit_bytes_), " (", memory_limit_bytes_, " bytes)")),
      "MEMORY_LIMIT_EXCEEDED",
      {{"jobMemoryBytes", absl::StrCat(estimate.memory_bytes())},
       {"memoryLimitBytes", absl::StrCat(memory_limit_bytes_)}});
}

absl::StatusOr<v1::DataSummary> JobManager::Summarize(const JobPlan& plan) {
  if (!plan.data.has_value()) {
    v1::DataSummary summary;
    summary.set_train_samples(plan.shape.train_samples);
    summary.set_test_samples(plan.shape.test_samples);
    return summary;
  }
  MutexLock lock(load_mutex_);
  ASSIGN_OR_RETURN(PlannedData planned, LoadPlannedData(plan, environment_.datasets));
  return std::move(planned.summary);
}

absl::StatusOr<v1::Job> JobManager::GetJob(std::string_view id) {
  return ViewJob(environment_.store, id);
}

absl::StatusOr<JobManager::Page> JobManager::ListJobs(JobStore::ListQuery query,
                                                      std::int64_t max_bytes) {
  const auto limit = static_cast<std::size_t>(query.limit);
  ++query.limit;  // to see whether there are more
  ASSIGN_OR_RETURN(const std::vector<JobRecord> records, environment_.store.ListJobs(query));
  Page page;
  std::int64_t bytes = 0;
  for (const JobRecord& record : records) {
    page.more = page.jobs.size() == limit || (!page.jobs.empty() && bytes >= max_bytes);
    if (page.more) break;
    absl::StatusOr<v1::Job> job =
        ViewJob(environment_.store, record, JobDetail::kWithoutDiagnostics);
    if (absl::IsNotFound(job.status())) continue;  // deleted meanwhile
    if (!job.ok()) return job.status();
    bytes += static_cast<std::int64_t>(job->ByteSizeLong());
    page.jobs.push_back(*std::move(job));
  }
  return page;
}

absl::StatusOr<v1::Job> JobManager::CancelJob(std::string_view id) {
  StopAndWait(std::string(id));
  const absl::StatusOr<JobRecord> record = environment_.store.GetJob(id);
  if (!record.ok()) return NotFoundOrOther(record.status(), id);
  if (record->state == JobState::kCancelled) return GetJob(id);
  if (IsFinal(record->state)) {
    return WithReason(
        absl::FailedPreconditionError(absl::StrCat(
            JobName(id), " has already ended as ",
            v1::Job::State_Name(static_cast<v1::Job::State>(record->state)).substr(6))),
        "JOB_HAS_ENDED", {{"job", JobName(id)}});
  }
  // Nobody works on it: its end could not be stored before.
  RETURN_IF_ERROR(environment_.store.SetState(id, {JobState::kQueued, JobState::kRunning},
                                              JobState::kCancelled, environment_.time_of_day_us(),
                                              ""));
  return GetJob(id);
}

absl::Status JobManager::DeleteJob(std::string_view id) {
  const absl::Status status = environment_.store.DeleteJob(id);
  if (status.ok()) {
    spdlog::info("{} deleted", JobName(id));
  } else if (absl::IsFailedPrecondition(status)) {
    return WithReason(
        absl::FailedPreconditionError(absl::StrCat(JobName(id), " has not ended: cancel it first")),
        "JOB_NOT_ENDED", {{"job", JobName(id)}});
  }
  return status.ok() ? status : NotFoundOrOther(status, id);
}

void JobManager::Shutdown(std::chrono::steady_clock::duration patience,
                          std::chrono::steady_clock::time_point deadline) {
  {
    MutexLock lock(mutex_);
    shut_down_ = true;
  }
  environment_.scheduler.Drain(patience);
  std::vector<std::pair<std::string, std::shared_ptr<JobRun>>> runs;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, entry] : entries_) {
      if (entry.run != nullptr) runs.emplace_back(id, entry.run);
    }
  }
  for (const auto& [id, run] : runs) {
    const absl::Status status = run->SaveCheckpoints(deadline);
    if (!status.ok()) {
      spdlog::warn("{}: no checkpoint, it will repeat some sweeps: {}", JobName(id),
                   status.ToString());
    }
  }
}

void JobManager::Reserve(const std::string& id, std::int64_t memory_bytes) {
  MutexLock lock(mutex_);
  entries_[id].memory_bytes = memory_bytes;
}

void JobManager::Release(const std::string& id) {
  MutexLock lock(mutex_);
  entries_.erase(id);
  changed_.NotifyAll();
}

void JobManager::Enqueue(const std::string& id) {
  MutexLock lock(mutex_);
  entries_[id].phase = Phase::kWaiting;
  waiting_.push_back(id);
  StartWaiting();
  changed_.NotifyAll();
}

void JobManager::StartWaiting() {
  for (auto next = waiting_.begin(); next != waiting_.end() && !shut_down_;) {
    Entry& entry = entries_[*next];
    if (entry.memory_bytes > memory_limit_bytes_) {  // waits for a server with more
      ++next;
      continue;
    }
    if (memory_in_use_ + entry.memory_bytes > memory_limit_bytes_) return;
    memory_in_use_ += entry.memory_bytes;
    entry.phase = Phase::kRunning;
    entry.run = std::make_shared<JobRun>(
        environment_, *next,
        [this, id = *next](const JobOutcome& outcome) { Finish(id, outcome); });
    entry.run->Start();
    next = waiting_.erase(next);
  }
}

void JobManager::Finish(const std::string& id, const JobOutcome& outcome) {
  const absl::Status stored =
      environment_.store.SetState(id, {JobState::kQueued, JobState::kRunning}, outcome.state,
                                  environment_.time_of_day_us(), StoredOutcome(outcome));
  if (!stored.ok()) {
    spdlog::error("{}: cannot store its end; the next server goes on with it: {}", JobName(id),
                  stored.ToString());
  } else {
    spdlog::info("{} ended: {}", JobName(id), Describe(outcome));
    const absl::Status sealed = environment_.store.Seal(id);
    if (!sealed.ok()) spdlog::warn("{}: cannot fold its file: {}", JobName(id), sealed.ToString());
  }
  MutexLock lock(mutex_);
  const auto entry = entries_.find(id);
  if (entry->second.run != nullptr) memory_in_use_ -= entry->second.memory_bytes;
  entries_.erase(entry);
  StartWaiting();
  changed_.NotifyAll();
}

void JobManager::StopAndWait(const std::string& id) {
  std::shared_ptr<JobRun> run;
  {
    MutexLock lock(mutex_);
    auto entry = entries_.find(id);
    while (entry != entries_.end() && entry->second.phase == Phase::kCreating) {
      changed_.Wait(mutex_);
      entry = entries_.find(id);
    }
    if (entry == entries_.end()) return;
    run = entry->second.run;
    if (entry->second.phase == Phase::kWaiting) {
      waiting_.erase(std::find(waiting_.begin(), waiting_.end(), id));
      entry->second.phase = Phase::kEnding;
    } else if (run == nullptr) {
      // Somebody else is ending it.
      while (entries_.contains(id)) changed_.Wait(mutex_);
      return;
    }
  }
  if (run == nullptr) {
    Finish(id, {.state = JobState::kCancelled});
    return;
  }
  run->End({.state = JobState::kCancelled});
  MutexLock lock(mutex_);
  while (entries_.contains(id)) changed_.Wait(mutex_);
}

}  // namespace posteriord::server
