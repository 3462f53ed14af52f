#include "server/jobs/chain_recorder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/status_macros.h"
#include "server/convert/status.h"

namespace posteriord::server {
namespace {

constexpr std::size_t kMaxGatheredBytes = 1 << 20;
constexpr std::size_t kWantedRecordBytes = 64 << 10;
constexpr int kReplayedPoints = 256;

absl::Status NotRepeated(int chain, std::string_view what, std::int64_t sweep) {
  return WithReason(absl::DataLossError(absl::StrCat("chain ", chain,
                                                     " went on from its checkpoint but did not "
                                                     "repeat the ",
                                                     ToAbsl(what), " stored at sweep ", sweep)),
                    "REPLAY_MISMATCH");
}

bool SameBits(absl::Span<const double> a, absl::Span<const double> b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

}  // namespace

ChainRecorder::ChainRecorder(JobStore& store, Options options, const ChainPosition& stored)
    : store_(store),
      options_(std::move(options)),
      replay_until_(stored.points == 0 ? -1 : stored.sweeps),
      stored_(stored),
      last_sweep_(stored.sweeps),
      busy_seconds_(stored.busy_seconds) {}

absl::Status ChainRecorder::AppendDraw(const core::Draw& draw) {
  if (IsReplay(draw.sweep)) return CompareDraw(draw);
  RETURN_IF_ERROR(MakeRoom(draw.sweep));
  std::int64_t expected = stored_.draws;
  if (!gathered_.draws.empty()) {
    const DrawRecord& last = gathered_.draws.back();
    expected = last.first_draw + static_cast<std::int64_t>(last.sweeps.size());
  }
  if (draw.index != expected) return NotRepeated(options_.chain, "number of draws", draw.sweep);
  Gather(draw);
  return absl::OkStatus();
}

void ChainRecorder::Gather(const core::Draw& draw) {
  const std::string_view bytes = Stored(draw.values);
  if (gathered_.draws.empty() ||
      gathered_.draws.back().values.size() + bytes.size() > kWantedRecordBytes) {
    gathered_.draws.emplace_back().first_draw = draw.index;
  }
  DrawRecord& record = gathered_.draws.back();
  record.sweeps.push_back(draw.sweep);
  if (draw.warmup) ++record.warmup_draws;
  record.values.append(bytes);
  gathered_bytes_ += bytes.size() + sizeof(std::int64_t);
}

absl::Status ChainRecorder::AppendTrace(const core::TracePoint& point) {
  if (IsReplay(point.sweep)) return CompareTrace(point);
  RETURN_IF_ERROR(MakeRoom(point.sweep));
  TraceRecord& record = gathered_.points.emplace_back();
  record.index = next_point_++;
  record.sweep = point.sweep;
  record.even = point.even;
  record.logarithmic = point.logarithmic;
  record.values.assign(point.values.begin(), point.values.end());
  gathered_bytes_ += sizeof record + record.values.size() * sizeof(double);
  return absl::OkStatus();
}

absl::Status ChainRecorder::AppendPredictive(const core::PredictiveSum& sum) {
  if (IsReplay(sum.sweep)) return ComparePredictive(sum);
  RETURN_IF_ERROR(MakeRoom(sum.sweep));
  PredictiveRecord& record = gathered_.predictive.emplace_back();
  record.sweep = sum.sweep;
  record.draws = sum.draws;
  record.values.assign(sum.values.begin(), sum.values.end());
  gathered_bytes_ += sizeof record + record.values.size() * sizeof(double);
  return absl::OkStatus();
}

absl::Status ChainRecorder::MakeRoom(std::int64_t sweep) {
  if (sweep != last_sweep_ && gathered_bytes_ >= kMaxGatheredBytes) {
    RETURN_IF_ERROR(Commit(last_sweep_, std::nullopt));
  }
  last_sweep_ = sweep;
  return absl::OkStatus();
}

absl::Status ChainRecorder::Commit(std::int64_t sweeps, std::optional<std::string> checkpoint) {
  gathered_.chain = options_.chain;
  gathered_.expected_draws = stored_.draws;
  gathered_.expected_points = stored_.points;
  gathered_.checkpoint = std::move(checkpoint);
  gathered_.sweeps = std::max(sweeps, stored_.sweeps);
  gathered_.busy_seconds = busy_seconds_;
  if (gathered_.draws.empty() && gathered_.points.empty() && gathered_.predictive.empty() &&
      !gathered_.checkpoint.has_value() && gathered_.sweeps == stored_.sweeps) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(store_.Commit(options_.job, gathered_));
  for (const DrawRecord& record : gathered_.draws) {
    stored_.draws += static_cast<std::int64_t>(record.sweeps.size());
  }
  stored_.points += static_cast<std::int64_t>(gathered_.points.size());
  stored_.sweeps = gathered_.sweeps;
  options_.on_commit(gathered_);
  gathered_ = {};
  gathered_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status ChainRecorder::CompareDraw(const core::Draw& draw) {
  const auto past = [this](std::int64_t index) {
    return index >=
           replayed_draws_.first_draw + static_cast<std::int64_t>(replayed_draws_.sweeps.size());
  };
  if (draw.index >= stored_.draws) return NotRepeated(options_.chain, "draws", draw.sweep);
  if (draw.index < replayed_draws_.first_draw || past(draw.index)) {
    ASSIGN_OR_RETURN(replayed_draws_, store_.ReadDraws(options_.job, options_.chain, draw.index));
  }
  const DrawRecord& record = replayed_draws_;
  const auto place = static_cast<std::size_t>(draw.index - record.first_draw);
  const std::string_view bytes = Stored(draw.values);
  const bool same =
      record.sweeps[place] == draw.sweep &&
      (draw.index - record.first_draw < record.warmup_draws) == draw.warmup &&
      record.values.size() == record.sweeps.size() * bytes.size() &&
      std::string_view(record.values).substr(place * bytes.size(), bytes.size()) == bytes;
  return same ? absl::OkStatus() : NotRepeated(options_.chain, "draw", draw.sweep);
}

absl::Status ChainRecorder::CompareTrace(const core::TracePoint& point) {
  const std::int64_t index = next_point_++;
  if (replayed_points_.empty() || index > replayed_points_.back().index) {
    ASSIGN_OR_RETURN(replayed_points_,
                     store_.ReadTrace(options_.job, options_.chain, index, kReplayedPoints));
  }
  if (replayed_points_.empty() || index < replayed_points_.front().index) {
    return NotRepeated(options_.chain, "trace points", point.sweep);
  }
  const TraceRecord& record =
      replayed_points_[static_cast<std::size_t>(index - replayed_points_.front().index)];
  const bool same = record.sweep == point.sweep && record.even == point.even &&
                    record.logarithmic == point.logarithmic &&
                    SameBits(record.values, point.values);
  return same ? absl::OkStatus() : NotRepeated(options_.chain, "trace point", point.sweep);
}

absl::Status ChainRecorder::ComparePredictive(const core::PredictiveSum& sum) {
  ASSIGN_OR_RETURN(const std::optional<PredictiveRecord> record,
                   store_.ReadPredictive(options_.job, options_.chain, sum.sweep));
  // Sums that no evaluation needs any more are not kept.
  const bool same =
      !record.has_value() || (record->sweep == sum.sweep && record->draws == sum.draws &&
                              SameBits(record->values, sum.values));
  return same ? absl::OkStatus() : NotRepeated(options_.chain, "predictive sum", sum.sweep);
}

std::string_view ChainRecorder::Stored(absl::Span<const double> values) {
  if (options_.storage_bytes == sizeof(double)) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)};
  }
  narrowed_.assign(values.begin(), values.end());
  return {reinterpret_cast<const char*>(narrowed_.data()), narrowed_.size() * sizeof(float)};
}

}  // namespace posteriord::server
