#include "server/store/sqlite_job_store.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/absl_string.h"
#include "server/base/status_macros.h"
#include "server/store/file.h"

namespace posteriord::server {
namespace {

bool IsValidId(std::string_view id) {
  return !id.empty() && id.size() <= 64 &&
         id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string_view::npos;
}

absl::Status NoSuchJob(std::string_view id) {
  return absl::NotFoundError(absl::StrCat("there is no job '", ToAbsl(id), "'"));
}

// What became of a job, according to its record.
JobStatus StatusOf(const JobRecord& record) {
  return {record.state, record.start_time_us, record.end_time_us, record.outcome};
}

// What a name in the directory of job files says.
struct FileName {
  std::string id;  // empty: not a name of ours
  bool unfinished = false;
  bool sidecar = false;
};

FileName ParseFileName(absl::string_view name) {
  FileName result;
  if (const auto unfinished = name.find(JobFile::kCreationSuffix); unfinished != name.npos) {
    result.id = std::string(name.substr(0, unfinished));
    result.unfinished = true;
  } else {
    for (const char* suffix : JobFile::kSidecars) {
      if (absl::ConsumeSuffix(&name, suffix)) result.sidecar = true;
    }
    if (absl::ConsumeSuffix(&name, JobFile::kSuffix)) result.id = std::string(name);
  }
  if (!IsValidId(result.id)) result.id.clear();
  return result;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteJobStore>> SqliteJobStore::Open(
    std::shared_ptr<CatalogDatabase> database, const Options& options) {
  ASSIGN_OR_RETURN(std::string directory, database->directory().Subdirectory("jobs"));
  std::unique_ptr<SqliteJobStore> store(
      new SqliteJobStore(std::move(database), std::move(directory), options));
  RETURN_IF_ERROR(store->Recover());
  return store;
}

SqliteJobStore::SqliteJobStore(std::shared_ptr<CatalogDatabase> database, std::string directory,
                               const Options& options)
    : database_(std::move(database)),
      catalog_(*database_),
      files_(std::move(directory), static_cast<std::size_t>(std::max(options.max_open_jobs, 1))),
      subscriptions_(std::make_shared<Subscriptions>()) {}

// ----- Recovery -----

absl::Status SqliteJobStore::Recover() {
  ASSIGN_OR_RETURN(auto jobs, catalog_.States());
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(files_.directory()));
  std::set<std::string> with_sidecar;
  std::vector<JobDescription> unknown;
  for (const std::string& name : names) {
    const FileName parsed = ParseFileName(name);
    if (parsed.id.empty()) {
      recovery_report_.unreadable.push_back(name);
      continue;
    }
    if (parsed.sidecar) with_sidecar.insert(parsed.id);
    if (jobs.contains(parsed.id) && !parsed.unfinished) continue;
    ASSIGN_OR_RETURN(const JobCatalog::Presence presence, catalog_.Find(parsed.id));
    if (parsed.unfinished || presence == JobCatalog::Presence::kDeleted) {
      RETURN_IF_ERROR(RemoveFile(absl::StrCat(files_.directory(), "/", name)));
      recovery_report_.removed.push_back(name);
    } else if (!parsed.sidecar) {
      absl::StatusOr<JobDescription> description = files_.Get(parsed.id)->Describe();
      if (description.ok() && description->record.id == parsed.id) {
        unknown.push_back(*std::move(description));
      } else {
        recovery_report_.unreadable.push_back(name);
      }
    }
  }
  RETURN_IF_ERROR(SyncDirectory(files_.directory()));
  RETURN_IF_ERROR(Adopt(std::move(unknown), jobs));
  for (const auto& [id, state] : jobs) {
    RETURN_IF_ERROR(IsFinal(state) ? SealLeftOpen(id, with_sidecar.contains(id))
                                   : UpdateEntry(id, state));
  }
  return absl::OkStatus();
}

absl::Status SqliteJobStore::Adopt(std::vector<JobDescription> unknown,
                                   std::map<std::string, JobState>& jobs) {
  std::stable_sort(unknown.begin(), unknown.end(), [](const auto& a, const auto& b) {
    return a.record.create_time_us < b.record.create_time_us;
  });
  for (const JobDescription& description : unknown) {
    const std::string& id = description.record.id;
    const absl::Status entered =
        catalog_.Insert(description.record, description.request, /*need_dataset=*/false);
    if (entered.ok()) {
      recovery_report_.adopted.push_back(id);
      jobs[id] = description.record.state;
    } else if (absl::IsAlreadyExists(entered)) {  // the catalog has another job of that request
      recovery_report_.unreadable.push_back(absl::StrCat(id, JobFile::kSuffix));
    } else {
      return entered;
    }
  }
  return absl::OkStatus();
}

absl::Status SqliteJobStore::UpdateEntry(const std::string& id, JobState state) {
  const absl::StatusOr<JobStatus> status = files_.Get(id)->ReadStatus();
  if (!status.ok()) {  // tells whoever reads the job; it can still be failed, and deleted
    recovery_report_.damaged.push_back(id);
    return absl::OkStatus();
  }
  if (status->state == state) return absl::OkStatus();
  recovery_report_.updated.push_back(id);
  RETURN_IF_ERROR(catalog_.SetStatus(id, *status));
  return IsFinal(status->state) ? SealLeftOpen(id, /*has_sidecar=*/true) : absl::OkStatus();
}

absl::Status SqliteJobStore::SealLeftOpen(const std::string& id, bool has_sidecar) {
  // A damaged file stays as it is.
  if (has_sidecar && files_.Get(id)->Seal().ok()) recovery_report_.sealed.push_back(id);
  return absl::OkStatus();
}

// ----- The catalog -----

absl::StatusOr<std::string> SqliteJobStore::CreateJob(const JobRecord& record, int chains,
                                                      std::string_view request_id,
                                                      std::string_view fingerprint) {
  if (!IsValidId(record.id)) {
    return absl::InvalidArgumentError(absl::StrCat("'", record.id, "' is not an id of a job"));
  }
  if (chains < 1 || IsFinal(record.state)) {
    return absl::InvalidArgumentError("a new job has chains and is not final");
  }
  const RequestKey request{std::string(request_id), std::string(fingerprint)};
  MutexLock lock(lifecycle_mutex_);
  ASSIGN_OR_RETURN(std::optional<std::string> earlier, catalog_.FindRequest(request));
  if (earlier.has_value()) return *std::move(earlier);
  RETURN_IF_ERROR(JobFile::Create(files_.directory(), {record, request}, chains));
  // From here on a crash leaves a job that the next start adopts, as if the answer had been lost.
  if (absl::Status entered = catalog_.Insert(record, request, /*need_dataset=*/true);
      !entered.ok()) {
    JobFile(files_.directory(), record.id).Remove().IgnoreError();
    return entered;
  }
  return record.id;
}

absl::StatusOr<JobRecord> SqliteJobStore::GetJob(std::string_view id) { return catalog_.Get(id); }

absl::StatusOr<std::vector<JobRecord>> SqliteJobStore::ListJobs(const ListQuery& query) {
  return catalog_.List(query);
}

absl::Status SqliteJobStore::SetState(std::string_view id, const std::vector<JobState>& from,
                                      JobState to, std::int64_t time_us, std::string_view outcome) {
  {
    MutexLock lock(lifecycle_mutex_);
    ASSIGN_OR_RETURN(const JobRecord record, catalog_.Get(id));
    const std::shared_ptr<JobFile> file = files_.Get(id);
    JobStatus status = StatusOf(record);
    bool file_is_usable = true;
    if (!IsFinal(status.state)) {
      // The file is ahead when entering a change in the catalog has failed.
      absl::StatusOr<JobStatus> in_file = file->ReadStatus();
      if (in_file.ok()) {
        if (*in_file != status) RETURN_IF_ERROR(catalog_.SetStatus(id, *in_file));
        status = *std::move(in_file);
      } else if (absl::IsDataLoss(in_file.status()) &&
                 (to == JobState::kFailed || to == JobState::kCancelled)) {
        file_is_usable = false;  // then the catalog alone says what became of the job
      } else {
        return in_file.status();
      }
    }
    if (std::find(from.begin(), from.end(), status.state) == from.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat("job '", ToAbsl(id), "' is in another state"));
    }
    status.state = to;
    if (to == JobState::kRunning && status.start_time_us == 0) status.start_time_us = time_us;
    if (IsFinal(to)) status.end_time_us = time_us;
    if (IsFinal(to)) status.outcome = outcome;
    if (file_is_usable) RETURN_IF_ERROR(file->WriteStatus(status));
    RETURN_IF_ERROR(catalog_.SetStatus(id, status));
  }
  subscriptions_->Notify(id);
  return absl::OkStatus();
}

absl::Status SqliteJobStore::DeleteJob(std::string_view id) {
  {
    MutexLock lock(lifecycle_mutex_);
    RETURN_IF_ERROR(catalog_.Delete(id));
    // The job is gone. A file that cannot be removed now is removed at the next start.
    files_.Get(id)->Remove().IgnoreError();
    files_.Drop(id);
  }
  subscriptions_->Notify(id);
  return absl::OkStatus();
}

absl::StatusOr<bool> SqliteJobStore::DatasetInUse(std::string_view dataset_id) {
  return catalog_.DatasetInUse(dataset_id);
}

// ----- What the chains make -----

absl::StatusOr<std::shared_ptr<JobFile>> SqliteJobStore::OpenJob(std::string_view id) {
  ASSIGN_OR_RETURN(const JobCatalog::Presence presence, catalog_.Find(id));
  if (presence != JobCatalog::Presence::kPresent) return NoSuchJob(id);
  return files_.Get(id);
}

absl::Status SqliteJobStore::Explain(std::string_view id, absl::Status status) {
  if (!absl::IsDataLoss(status)) return status;
  const absl::StatusOr<JobCatalog::Presence> presence = catalog_.Find(id);
  const bool deleted = presence.ok() && *presence != JobCatalog::Presence::kPresent;
  return deleted ? NoSuchJob(id) : status;
}

absl::Status SqliteJobStore::Commit(std::string_view id, const ChainCommit& commit) {
  RETURN_IF_ERROR(WithFile(id, [&](JobFile& file) { return file.Commit(commit); }));
  subscriptions_->Notify(id);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ChainPosition>> SqliteJobStore::Positions(std::string_view id) {
  return WithFile(id, [](JobFile& file) { return file.Positions(); });
}

absl::StatusOr<DrawRecord> SqliteJobStore::ReadDraws(std::string_view id, int chain,
                                                     std::int64_t draw) {
  return WithFile(id, [&](JobFile& file) { return file.ReadDraws(chain, draw); });
}

absl::StatusOr<std::vector<TraceRecord>> SqliteJobStore::ReadTrace(std::string_view id, int chain,
                                                                   std::int64_t index, int limit) {
  return WithFile(id, [&](JobFile& file) { return file.ReadTrace(chain, index, limit); });
}

absl::StatusOr<std::optional<PredictiveRecord>> SqliteJobStore::ReadPredictive(std::string_view id,
                                                                               int chain,
                                                                               std::int64_t sweep) {
  return WithFile(id, [&](JobFile& file) { return file.ReadPredictive(chain, sweep); });
}

absl::StatusOr<std::optional<std::string>> SqliteJobStore::ReadCheckpoint(std::string_view id,
                                                                          int chain) {
  return WithFile(id, [&](JobFile& file) { return file.ReadCheckpoint(chain); });
}

absl::Status SqliteJobStore::AppendDiagnostics(std::string_view id,
                                               const DiagnosticsRecord& record) {
  RETURN_IF_ERROR(WithFile(id, [&](JobFile& file) { return file.AppendDiagnostics(record); }));
  subscriptions_->Notify(id);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<DiagnosticsRecord>> SqliteJobStore::ReadDiagnostics(std::string_view id,
                                                                               std::int64_t index,
                                                                               int limit) {
  return WithFile(id, [&](JobFile& file) { return file.ReadDiagnostics(index, limit); });
}

absl::StatusOr<std::optional<DiagnosticsRecord>> SqliteJobStore::LatestDiagnostics(
    std::string_view id) {
  return WithFile(id, [](JobFile& file) { return file.LatestDiagnostics(); });
}

// ----- Waiting -----

std::unique_ptr<Subscription> SqliteJobStore::Subscribe(std::string_view id,
                                                        std::function<void()> callback) {
  return subscriptions_->Add(id, std::move(callback));
}

absl::Status SqliteJobStore::Seal(std::string_view id) {
  ASSIGN_OR_RETURN(const JobRecord record, catalog_.Get(id));
  if (!IsFinal(record.state)) {
    return absl::FailedPreconditionError(absl::StrCat("job '", ToAbsl(id), "' has not ended"));
  }
  return WithFile(id, [](JobFile& file) { return file.Seal(); });
}

}  // namespace posteriord::server
