// A store with a place to meddle.
#ifndef POSTERIORD_TESTS_SERVER_JOBS_TESTING_WRAPPED_JOB_STORE_H_
#define POSTERIORD_TESTS_SERVER_JOBS_TESTING_WRAPPED_JOB_STORE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/store/job_store.h"

namespace posteriord::testing {

// Passes everything on to another store.
class WrappedJobStore final : public server::JobStore {
 public:
  explicit WrappedJobStore(server::JobStore& store) : store_(store) {}

  // Asked before every commit and change of state; an error is returned instead. Set before use.
  std::function<absl::Status(const server::ChainCommit&)> before_commit =
      [](const server::ChainCommit&) { return absl::OkStatus(); };
  std::function<absl::Status(server::JobState to)> before_set_state = [](server::JobState) {
    return absl::OkStatus();
  };

  absl::StatusOr<std::string> CreateJob(const server::JobRecord& record, int chains,
                                        std::string_view request_id,
                                        std::string_view fingerprint) override {
    return store_.CreateJob(record, chains, request_id, fingerprint);
  }
  absl::StatusOr<server::JobRecord> GetJob(std::string_view id) override {
    return store_.GetJob(id);
  }
  absl::StatusOr<std::vector<server::JobRecord>> ListJobs(const ListQuery& query) override {
    return store_.ListJobs(query);
  }
  absl::Status SetState(std::string_view id, const std::vector<server::JobState>& from,
                        server::JobState to, std::int64_t time_us,
                        std::string_view outcome) override {
    if (absl::Status status = before_set_state(to); !status.ok()) return status;
    return store_.SetState(id, from, to, time_us, outcome);
  }
  absl::Status DeleteJob(std::string_view id) override { return store_.DeleteJob(id); }
  absl::StatusOr<bool> DatasetInUse(std::string_view dataset_id) override {
    return store_.DatasetInUse(dataset_id);
  }
  absl::Status Commit(std::string_view id, const server::ChainCommit& commit) override {
    if (absl::Status status = before_commit(commit); !status.ok()) return status;
    return store_.Commit(id, commit);
  }
  absl::StatusOr<std::vector<server::ChainPosition>> Positions(std::string_view id) override {
    return store_.Positions(id);
  }
  absl::StatusOr<server::DrawRecord> ReadDraws(std::string_view id, int chain,
                                               std::int64_t draw) override {
    return store_.ReadDraws(id, chain, draw);
  }
  absl::StatusOr<std::vector<server::TraceRecord>> ReadTrace(std::string_view id, int chain,
                                                             std::int64_t index,
                                                             int limit) override {
    return store_.ReadTrace(id, chain, index, limit);
  }
  absl::StatusOr<std::optional<server::PredictiveRecord>> ReadPredictive(
      std::string_view id, int chain, std::int64_t sweep) override {
    return store_.ReadPredictive(id, chain, sweep);
  }
  absl::StatusOr<std::optional<std::string>> ReadCheckpoint(std::string_view id,
                                                            int chain) override {
    return store_.ReadCheckpoint(id, chain);
  }
  absl::Status AppendDiagnostics(std::string_view id,
                                 const server::DiagnosticsRecord& record) override {
    return store_.AppendDiagnostics(id, record);
  }
  absl::StatusOr<std::vector<server::DiagnosticsRecord>> ReadDiagnostics(std::string_view id,
                                                                         std::int64_t index,
                                                                         int limit) override {
    return store_.ReadDiagnostics(id, index, limit);
  }
  absl::StatusOr<std::optional<server::DiagnosticsRecord>> LatestDiagnostics(
      std::string_view id) override {
    return store_.LatestDiagnostics(id);
  }
  std::unique_ptr<server::Subscription> Subscribe(std::string_view id,
                                                  std::function<void()> callback) override {
    return store_.Subscribe(id, std::move(callback));
  }
  absl::Status Seal(std::string_view id) override { return store_.Seal(id); }

 private:
  server::JobStore& store_;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_SERVER_JOBS_TESTING_WRAPPED_JOB_STORE_H_
