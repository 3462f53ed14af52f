#include "server/services/trace_source.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/sampling/schedule.h"
#include "server/base/field_violation.h"
#include "server/base/status_macros.h"
#include "server/services/chain_selection.h"
#include "server/services/cursor.h"

namespace posteriord::server {
namespace {

constexpr int kMessageBytes = 65'536;

class TraceSource final : public StreamSource<v1::StreamTraceResponse> {
 public:
  TraceSource(JobStore& store, std::string id, const v1::Job& job,
              const v1::StreamTraceRequest& request, std::vector<int> chains)
      : store_(store),
        id_(std::move(id)),
        chains_(std::move(chains)),
        points_(request.points()),
        diagnostics_(request.include_diagnostics()),
        follow_(request.follow()),
        observation_{.initial_stride = job.spec().observation().initial_stride(),
                     .max_points = job.spec().observation().max_points()},
        points_per_message_(
            std::clamp(kMessageBytes / (8 * std::max(1, job.observables_size())), 1, 1024)),
        scope_(absl::StrCat("trace/", id_, "/", absl::StrJoin(chains_, ","), "/", points_, "/",
                            diagnostics_)),
        next_point_(chains_.size(), 0) {}

  // Positions: the next point of every chain, the next evaluation, the chain to go on with.
  absl::Status GoTo(std::string_view cursor) {
    const std::size_t chains = chains_.size();
    ASSIGN_OR_RETURN(const std::vector<std::int64_t> positions,
                     DecodeCursor(scope_, cursor, chains + 2));
    if (positions[chains + 1] >= static_cast<std::int64_t>(chains)) {
      return FieldViolation("cursor", "is out of range");
    }
    std::copy_n(positions.begin(), chains, next_point_.begin());
    next_evaluation_ = positions[chains];
    current_ = static_cast<std::size_t>(positions[chains + 1]);
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<v1::StreamTraceResponse>> Next() override {
    // The state first: what a final job has stored is all there will be.
    ASSIGN_OR_RETURN(const JobRecord record, store_.GetJob(id_));
    v1::StreamTraceResponse response;
    ASSIGN_OR_RETURN(bool found, NextChunk(*response.mutable_chunk()));
    if (!found && diagnostics_) {
      ASSIGN_OR_RETURN(found, NextEvaluation(*response.mutable_diagnostics()));
    }
    if (!found) {
      if (follow_ && !IsFinal(record.state)) return std::nullopt;
      response.mutable_end()->set_state(static_cast<v1::Job::State>(record.state));
      finished_ = true;
    }
    std::vector<std::int64_t> positions = next_point_;
    positions.push_back(next_evaluation_);
    positions.push_back(static_cast<std::int64_t>(current_));
    response.set_cursor(EncodeCursor(scope_, positions));
    return response;
  }

  bool finished() const override { return finished_; }

 private:
  // Fills `chunk` from the first chain, from the current one on, that has points to send.
  absl::StatusOr<bool> NextChunk(v1::TraceChunk& chunk) {
    ASSIGN_OR_RETURN(const std::vector<ChainPosition> reached, store_.Positions(id_));
    for (std::size_t tried = 0; tried < chains_.size(); ++tried) {
      const int chain = chains_[current_];
      chunk.set_chain(chain);
      const std::int64_t stride =
          core::EvenStride(observation_, reached[static_cast<std::size_t>(chain)].sweeps);
      while (chunk.sweeps().empty()) {
        std::int64_t& next = next_point_[current_];
        ASSIGN_OR_RETURN(const std::vector<TraceRecord> records,
                         store_.ReadTrace(id_, chain, next, points_per_message_));
        if (records.empty()) break;
        for (const TraceRecord& record : records) {
          if (!Wanted(record, stride)) continue;
          chunk.add_sweeps(record.sweep);
          chunk.mutable_values()->Add(record.values.begin(), record.values.end());
        }
        next += static_cast<std::int64_t>(records.size());
      }
      current_ = (current_ + 1) % chains_.size();
      if (!chunk.sweeps().empty()) return true;
    }
    return false;
  }

  absl::StatusOr<bool> NextEvaluation(v1::Diagnostics& diagnostics) {
    ASSIGN_OR_RETURN(const std::vector<DiagnosticsRecord> records,
                     store_.ReadDiagnostics(id_, next_evaluation_, 1));
    if (records.empty()) return false;
    if (!diagnostics.ParseFromString(records.front().body)) {
      return absl::DataLossError(
          absl::StrCat("evaluation ", next_evaluation_, " is not a Diagnostics message"));
    }
    ++next_evaluation_;
    return true;
  }

  bool Wanted(const TraceRecord& record, std::int64_t stride) const {
    const bool even = record.even && record.sweep % stride == 0;
    switch (points_) {
      case v1::StreamTraceRequest::POINTS_EVEN:
        return even;
      case v1::StreamTraceRequest::POINTS_LOGARITHMIC:
        return record.logarithmic;
      default:
        return even || record.logarithmic;
    }
  }

  JobStore& store_;
  const std::string id_;
  const std::vector<int> chains_;
  const v1::StreamTraceRequest::Points points_;
  const bool diagnostics_;
  const bool follow_;
  const core::ObservationSpec observation_;
  const int points_per_message_;
  const std::string scope_;

  std::vector<std::int64_t> next_point_;  // by selected chain
  std::int64_t next_evaluation_ = 0;
  std::size_t current_ = 0;  // index into the selected chains
  bool finished_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StreamSource<v1::StreamTraceResponse>>> MakeTraceSource(
    JobStore& store, std::string id, const v1::Job& job, const v1::StreamTraceRequest& request) {
  ASSIGN_OR_RETURN(std::vector<int> chains, SelectChains(request.chains(), job.chains_size()));
  if (!v1::StreamTraceRequest::Points_IsValid(request.points())) {
    return FieldViolation("points", "is unknown");
  }
  auto source =
      std::make_unique<TraceSource>(store, std::move(id), job, request, std::move(chains));
  if (!request.cursor().empty()) RETURN_IF_ERROR(source->GoTo(request.cursor()));
  return source;
}

}  // namespace posteriord::server
