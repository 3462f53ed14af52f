#include "client/posteriorctl/lines.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/posteriorctl/job_facts.h"
#include "nlohmann/json.hpp"

namespace posteriord::client {
namespace {

static_assert(std::endian::native == std::endian::little, "values arrive in little-endian order");

template <typename Float>
void AppendNumber(Float number, const char* not_finite, std::string& text) {
  if (!std::isfinite(number)) {
    text += not_finite;
    return;
  }
  std::array<char, 32> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  text.append(buffer.data(), result.ptr);
}

std::string Quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

const char* CsvNotFinite(double number) {
  if (std::isnan(number)) return "nan";
  return number > 0 ? "inf" : "-inf";
}

}  // namespace

absl::Status CheckDrawChunk(const v1::DrawChunk& chunk, std::int64_t parameters) {
  const std::int64_t draws = chunk.draws_size();
  const std::int64_t first = chunk.first_parameter();
  const std::int64_t count = chunk.parameter_count();
  const bool known =
      chunk.precision() == v1::PRECISION_FLOAT32 || chunk.precision() == v1::PRECISION_FLOAT64;
  if (!known || draws != chunk.sweeps_size() || chunk.warmup_draws() < 0 ||
      chunk.warmup_draws() > draws || first < 0 || count <= 0 || first > parameters ||
      count > parameters - first ||
      static_cast<std::int64_t>(chunk.values().size()) !=
          draws * count * ByteSize(chunk.precision())) {
    return absl::InternalError("the server sent draws whose sizes do not fit each other");
  }
  return absl::OkStatus();
}

absl::Status CheckTraceChunk(const v1::TraceChunk& chunk, int observables) {
  if (chunk.values_size() != static_cast<std::int64_t>(chunk.sweeps_size()) * observables) {
    return absl::InternalError("the server sent a trace whose sizes do not fit each other");
  }
  return absl::OkStatus();
}

DrawLines::DrawLines(std::vector<v1::ParameterArray> arrays) : arrays_(std::move(arrays)) {
  for (const v1::ParameterArray& array : arrays_) total_ += Size(array);
}

absl::Status DrawLines::Append(const v1::DrawChunk& chunk, std::string& lines) {
  const std::int64_t count = chunk.parameter_count();
  const std::int64_t stride = count * ByteSize(chunk.precision());
  for (int i = 0; i < chunk.draws_size(); ++i) {
    const auto [at, fresh] = parts_.try_emplace(chunk.chain());
    Part& part = at->second;
    if (fresh) {
      part.draw = chunk.draws(i);
      absl::StrAppend(&part.text, "{\"chain\":", chunk.chain(), ",\"draw\":", chunk.draws(i),
                      ",\"sweep\":", chunk.sweeps(i),
                      ",\"warmup\":", i < chunk.warmup_draws() ? "true" : "false",
                      ",\"parameters\":{");
    }
    if (part.draw != chunk.draws(i) || part.next != chunk.first_parameter()) {
      return absl::InternalError(absl::StrCat("the server left a gap before draw ", chunk.draws(i),
                                              " of chain ", chunk.chain()));
    }
    const char* values = chunk.values().data() + i * stride;
    if (chunk.precision() == v1::PRECISION_FLOAT32) {
      AppendValues<float>(values, count, part);
    } else {
      AppendValues<double>(values, count, part);
    }
    if (part.next == total_) {
      absl::StrAppend(&lines, part.text, "}}\n");
      parts_.erase(at);
    }
  }
  return absl::OkStatus();
}

template <typename Float>
void DrawLines::AppendValues(const char* values, std::int64_t count, Part& part) const {
  for (std::int64_t i = 0; i < count; ++i) {
    const v1::ParameterArray& array = arrays_[part.array];
    if (part.entry == 0) {
      absl::StrAppend(&part.text, part.array > 0 ? "," : "", Quoted(array.name()), ":");
    } else {
      part.text += ',';
    }
    // An axis opens where its first entry stands and closes after its last.
    std::int64_t block = 1;
    for (int axis = array.shape_size() - 1; axis >= 0; --axis) {
      block *= array.shape(axis);
      if (part.entry % block != 0) break;
      part.text += '[';
    }
    Float number;
    std::memcpy(&number, values + static_cast<std::size_t>(i) * sizeof(Float), sizeof(Float));
    AppendNumber(number, "null", part.text);
    ++part.entry;
    block = 1;
    for (int axis = array.shape_size() - 1; axis >= 0; --axis) {
      block *= array.shape(axis);
      if (part.entry % block != 0) break;
      part.text += ']';
    }
    if (part.entry == Size(array)) {
      part.entry = 0;
      ++part.array;
    }
  }
  part.next += count;
}

void AppendTraceJson(const v1::TraceChunk& chunk, const std::vector<std::string>& observables,
                     std::string& lines) {
  const int columns = static_cast<int>(observables.size());
  for (int i = 0; i < chunk.sweeps_size(); ++i) {
    absl::StrAppend(&lines, "{\"chain\":", chunk.chain(), ",\"sweep\":", chunk.sweeps(i),
                    ",\"values\":{");
    for (int j = 0; j < columns; ++j) {
      absl::StrAppend(&lines, j > 0 ? "," : "", Quoted(observables[static_cast<std::size_t>(j)]),
                      ":");
      AppendNumber(chunk.values(i * columns + j), "null", lines);
    }
    lines += "}}\n";
  }
}

std::string TraceCsvHeader(const std::vector<std::string>& observables) {
  return absl::StrCat("chain,sweep,", absl::StrJoin(observables, ","), "\n");
}

void AppendTraceCsv(const v1::TraceChunk& chunk, std::string& lines) {
  const int columns = chunk.sweeps_size() == 0 ? 0 : chunk.values_size() / chunk.sweeps_size();
  for (int i = 0; i < chunk.sweeps_size(); ++i) {
    absl::StrAppend(&lines, chunk.chain(), ",", chunk.sweeps(i));
    for (int j = 0; j < columns; ++j) {
      const double value = chunk.values(i * columns + j);
      lines += ',';
      AppendNumber(value, CsvNotFinite(value), lines);
    }
    lines += '\n';
  }
}

}  // namespace posteriord::client
