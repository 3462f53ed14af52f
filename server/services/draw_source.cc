#include "server/services/draw_source.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/field_violation.h"
#include "server/base/status_macros.h"
#include "server/services/chain_selection.h"
#include "server/services/cursor.h"

namespace posteriord::server {
namespace {

constexpr std::int64_t kMaxThinning = 1'000'000'000;
constexpr int kDefaultChunkBytes = 65'536;
constexpr int kMinChunkBytes = 1'024;
constexpr int kMaxChunkBytes = 1'048'576;

// A run of consecutive parameters in a stored draw.
struct Run {
  std::int64_t offset = 0;
  std::int64_t size = 0;
};

// What the request asks for, checked.
struct Selection {
  std::vector<int> chains;
  std::vector<Run> runs;
  std::int64_t parameters = 0;  // number of selected parameters
  std::int64_t thinning = 1;
  bool include_warmup = false;
  v1::Precision stored = v1::PRECISION_FLOAT64;
  v1::Precision sent = v1::PRECISION_FLOAT64;
  std::int64_t chunk_values = 0;  // most values of a message
};

std::int64_t BytesOf(v1::Precision precision) { return precision == v1::PRECISION_FLOAT32 ? 4 : 8; }

absl::Status SelectParameters(const v1::Job& job, const v1::StreamDrawsRequest& request,
                              Selection& selection) {
  const auto size = [](const v1::ParameterArray& array) {
    std::int64_t product = 1;
    for (const std::int64_t axis : array.shape()) product *= axis;
    return product;
  };
  std::vector<bool> found(request.parameters_size(), false);
  for (const v1::ParameterArray& array : job.parameters()) {
    bool wanted = request.parameters().empty();
    for (int i = 0; i < request.parameters_size(); ++i) {
      if (request.parameters(i) != array.name()) continue;
      if (wanted) {
        return FieldViolation(absl::StrCat("parameters[", i, "]"),
                              absl::StrCat("names \"", array.name(), "\" again"));
      }
      wanted = true;
      found[i] = true;
    }
    if (!wanted) continue;
    selection.runs.push_back({array.offset(), size(array)});
    selection.parameters += selection.runs.back().size;
  }
  const auto missing = std::find(found.begin(), found.end(), false);
  if (missing == found.end()) return absl::OkStatus();
  return FieldViolation(
      absl::StrCat("parameters[", missing - found.begin(), "]"),
      absl::StrCat("is none of the job's parameter arrays: ",
                   absl::StrJoin(job.parameters(), ", ",
                                 [](std::string* out, const v1::ParameterArray& array) {
                                   out->append(array.name());
                                 })));
}

absl::StatusOr<Selection> Select(const v1::Job& job, const v1::StreamDrawsRequest& request) {
  Selection selection;
  ASSIGN_OR_RETURN(selection.chains, SelectChains(request.chains(), job.chains_size()));
  RETURN_IF_ERROR(SelectParameters(job, request, selection));
  if (request.thinning() < 0 || request.thinning() > kMaxThinning) {
    return FieldViolation("thinning", absl::StrCat("must be from 1 to ", kMaxThinning));
  }
  selection.thinning = std::max<std::int64_t>(1, request.thinning());
  selection.include_warmup = request.include_warmup();
  if (!v1::Precision_IsValid(request.precision())) {
    return FieldViolation("precision", "is unknown");
  }
  selection.stored = job.spec().schedule().storage();
  selection.sent =
      request.precision() == v1::PRECISION_UNSPECIFIED ? selection.stored : request.precision();
  const int bytes = request.chunk_bytes() == 0 ? kDefaultChunkBytes : request.chunk_bytes();
  if (bytes < kMinChunkBytes || bytes > kMaxChunkBytes) {
    return FieldViolation("chunk_bytes",
                          absl::StrCat("must be from ", kMinChunkBytes, " to ", kMaxChunkBytes));
  }
  selection.chunk_values = bytes / BytesOf(selection.sent);
  return selection;
}

// What a cursor is bound to: the job and whatever changes the meaning of a position.
std::string ScopeOf(const std::string& id, const Selection& selection) {
  return absl::StrCat(
      "draws/", id, "/", absl::StrJoin(selection.chains, ","), "/",
      absl::StrJoin(selection.runs, ",",
                    [](std::string* out, const Run& run) { absl::StrAppend(out, run.offset); }),
      "/", selection.thinning, "/", selection.include_warmup);
}

template <typename From, typename To>
void AppendConverted(std::string_view values, std::string& out) {
  for (std::size_t at = 0; at < values.size(); at += sizeof(From)) {
    From from;
    std::memcpy(&from, values.data() + at, sizeof(From));
    const To to = static_cast<To>(from);
    out.append(reinterpret_cast<const char*>(&to), sizeof(To));
  }
}

class DrawSource final : public StreamSource<v1::StreamDrawsResponse> {
 public:
  DrawSource(JobStore& store, std::string id, std::int64_t job_parameters, Selection selection,
             bool follow)
      : store_(store),
        id_(std::move(id)),
        job_parameters_(job_parameters),
        selection_(std::move(selection)),
        follow_(follow),
        scope_(ScopeOf(id_, selection_)),
        next_draw_(selection_.chains.size(), 0) {}

  // Positions: the next draw of every chain, the chain to go on with, the next parameter of its
  // draw.
  absl::Status GoTo(std::string_view cursor) {
    const std::size_t chains = next_draw_.size();
    ASSIGN_OR_RETURN(const std::vector<std::int64_t> positions,
                     DecodeCursor(scope_, cursor, chains + 2));
    if (positions[chains] >= static_cast<std::int64_t>(chains) ||
        positions[chains + 1] >= std::max<std::int64_t>(1, selection_.parameters)) {
      return FieldViolation("cursor", "is out of range");
    }
    std::copy_n(positions.begin(), chains, next_draw_.begin());
    current_ = static_cast<std::size_t>(positions[chains]);
    next_parameter_ = positions[chains + 1];
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<v1::StreamDrawsResponse>> Next() override {
    // The state first: what a final job has stored is all there will be.
    ASSIGN_OR_RETURN(const JobRecord record, store_.GetJob(id_));
    ASSIGN_OR_RETURN(std::optional<v1::DrawChunk> chunk, NextChunk());
    v1::StreamDrawsResponse response;
    if (chunk.has_value()) {
      *response.mutable_chunk() = *std::move(chunk);
    } else if (IsFinal(record.state) || !follow_) {
      response.mutable_end()->set_state(static_cast<v1::Job::State>(record.state));
      finished_ = true;
    } else {
      return std::nullopt;
    }
    response.set_cursor(Cursor());
    return response;
  }

  bool finished() const override { return finished_; }

 private:
  std::string Cursor() const {
    std::vector<std::int64_t> positions = next_draw_;
    positions.push_back(static_cast<std::int64_t>(current_));
    positions.push_back(next_parameter_);
    return EncodeCursor(scope_, positions);
  }

  // A chunk of the first chain, from the current one on, that has a draw to send. A draw that was
  // begun is finished before another chain has its turn.
  absl::StatusOr<std::optional<v1::DrawChunk>> NextChunk() {
    for (std::size_t tried = 0; tried < selection_.chains.size(); ++tried) {
      v1::DrawChunk chunk;
      RETURN_IF_ERROR(Fill(chunk));
      if (next_parameter_ == 0) current_ = (current_ + 1) % selection_.chains.size();
      if (chunk.draws_size() > 0) return chunk;
    }
    return std::nullopt;
  }

  // Adds draws of the current chain to the chunk until it is full or no more are stored.
  absl::Status Fill(v1::DrawChunk& chunk) {
    chunk.set_chain(selection_.chains[current_]);
    chunk.set_first_parameter(next_parameter_);
    chunk.set_precision(selection_.sent);
    const std::int64_t parameters =
        std::min(selection_.parameters - next_parameter_, selection_.chunk_values);
    chunk.set_parameter_count(parameters);
    const std::int64_t most =
        std::max<std::int64_t>(1, selection_.chunk_values / std::max<std::int64_t>(1, parameters));
    std::int64_t& draw = next_draw_[current_];
    while (chunk.draws_size() < most) {
      draw += (selection_.thinning - draw % selection_.thinning) % selection_.thinning;
      ASSIGN_OR_RETURN(const DrawRecord* record, RecordWith(draw));
      if (record == nullptr) return absl::OkStatus();
      const std::int64_t row = draw - record->first_draw;
      const bool warmup = row < record->warmup_draws;
      if (warmup && !selection_.include_warmup) {
        draw = record->first_draw + record->warmup_draws;
        continue;
      }
      chunk.add_draws(draw);
      chunk.add_sweeps(record->sweeps[static_cast<std::size_t>(row)]);
      if (warmup) chunk.set_warmup_draws(chunk.warmup_draws() + 1);
      AppendValues(*record, row, next_parameter_, parameters, *chunk.mutable_values());
      if (next_parameter_ + parameters < selection_.parameters) {
        next_parameter_ += parameters;
        return absl::OkStatus();
      }
      const bool was_partial = next_parameter_ > 0;
      next_parameter_ = 0;
      ++draw;
      if (was_partial) return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  // The record of the current chain that holds the draw; null while it is not stored.
  absl::StatusOr<const DrawRecord*> RecordWith(std::int64_t draw) {
    const auto holds = [draw](const DrawRecord& record) {
      return draw >= record.first_draw &&
             draw < record.first_draw + static_cast<std::int64_t>(record.sweeps.size());
    };
    if (kept_.has_value() && kept_chain_ == current_ && holds(*kept_)) return &*kept_;
    kept_.reset();
    absl::StatusOr<DrawRecord> read = store_.ReadDraws(id_, selection_.chains[current_], draw);
    if (absl::IsNotFound(read.status())) return nullptr;
    if (!read.ok()) return read.status();
    const auto bytes = static_cast<std::int64_t>(read->values.size());
    if (!holds(*read) || bytes != static_cast<std::int64_t>(read->sweeps.size()) * job_parameters_ *
                                      BytesOf(selection_.stored)) {
      return absl::DataLossError(absl::StrCat("draw ", draw, " of chain ",
                                              selection_.chains[current_],
                                              " is stored in a record of the wrong shape"));
    }
    kept_ = *std::move(read);
    kept_chain_ = current_;
    return &*kept_;
  }

  // Appends `count` of the selected parameters of a stored draw, from the `first` on.
  void AppendValues(const DrawRecord& record, std::int64_t row, std::int64_t first,
                    std::int64_t count, std::string& out) const {
    const std::int64_t width = BytesOf(selection_.stored);
    for (const Run& run : selection_.runs) {
      if (count == 0) return;
      if (first >= run.size) {
        first -= run.size;
        continue;
      }
      const std::int64_t taken = std::min(count, run.size - first);
      const std::string_view values =
          std::string_view(record.values)
              .substr(
                  static_cast<std::size_t>((row * job_parameters_ + run.offset + first) * width),
                  static_cast<std::size_t>(taken * width));
      if (selection_.stored == selection_.sent) {
        out.append(values);
      } else if (selection_.sent == v1::PRECISION_FLOAT32) {
        AppendConverted<double, float>(values, out);
      } else {
        AppendConverted<float, double>(values, out);
      }
      count -= taken;
      first = 0;
    }
  }

  JobStore& store_;
  const std::string id_;
  const std::int64_t job_parameters_;
  const Selection selection_;
  const bool follow_;
  const std::string scope_;

  std::vector<std::int64_t> next_draw_;  // by selected chain
  std::size_t current_ = 0;              // index into the selected chains
  std::int64_t next_parameter_ = 0;      // of the current chain's next draw
  std::optional<DrawRecord> kept_;       // the record read last
  std::size_t kept_chain_ = 0;           // index of its chain
  bool finished_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StreamSource<v1::StreamDrawsResponse>>> MakeDrawSource(
    JobStore& store, std::string id, const v1::Job& job, const v1::StreamDrawsRequest& request) {
  ASSIGN_OR_RETURN(Selection selection, Select(job, request));
  std::int64_t job_parameters = 0;
  for (const v1::ParameterArray& array : job.parameters()) {
    std::int64_t size = 1;
    for (const std::int64_t axis : array.shape()) size *= axis;
    job_parameters += size;
  }
  auto source = std::make_unique<DrawSource>(store, std::move(id), job_parameters,
                                             std::move(selection), request.follow());
  if (!request.cursor().empty()) RETURN_IF_ERROR(source->GoTo(request.cursor()));
  return source;
}

}  // namespace posteriord::server
