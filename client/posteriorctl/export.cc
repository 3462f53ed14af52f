#include "client/posteriorctl/export.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "client/posteriorctl/chain_arrays.h"
#include "client/posteriorctl/job_facts.h"
#include "client/posteriorctl/lines.h"
#include "client/posteriorctl/live_display.h"
#include "client/posteriorctl/npz_writer.h"
#include "client/posteriorctl/resumable_output.h"
#include "client/posteriorctl/status_macros.h"
#include "client/posteriorctl/text.h"
#include "google/protobuf/util/json_util.h"

namespace posteriord::client {
namespace {

// The largest messages that a server sends: an archive takes everything, so size is speed.
constexpr int kNpzChunkBytes = 1 << 20;
constexpr absl::Duration kRedrawInterval = absl::Milliseconds(100);

// Reads a stream to its end; `accept` takes every message. Errors: those of the stream and of
// `accept`, CANCELLED when interrupted.
template <typename Stream, typename Accept>
absl::Status ReadAll(Session& session, Stream& stream, Accept accept) {
  const Interrupts::Scope interrupt(session.console().interrupts, [&] { stream.Cancel(); });
  while (true) {
    const auto message = stream.Next();
    if (!message.ok()) return message.status();
    if (*message == nullptr) return absl::OkStatus();
    RETURN_IF_ERROR(accept(**message));
  }
}

// What a cursor of this request belongs to.
template <typename Request>
std::string Selection(Request request) {
  request.clear_cursor();
  request.clear_follow();  // following changes when a stream ends, not what it holds
  std::string text = request.GetTypeName();
  const auto status = google::protobuf::util::MessageToJsonString(request, &text);
  return status.ok() ? text : request.SerializeAsString();
}

template <typename Request>
absl::StatusOr<ResumableOutput> OpenOutput(Session& session, const ExportOptions& options,
                                           Request& request) {
  absl::StatusOr<ResumableOutput> output = ResumableOutput::Open(
      {options.path, options.cursor_file, Selection(request)}, session.console().out);
  if (output.ok() && !output->cursor().empty()) request.set_cursor(output->cursor());
  return output;
}

// The arrays that a request selects, in the order of the layout; all when it names none.
std::vector<v1::ParameterArray> SelectedArrays(const v1::Job& job,
                                               const v1::StreamDrawsRequest& request) {
  std::vector<v1::ParameterArray> arrays;
  for (const v1::ParameterArray& array : job.parameters()) {
    const auto& names = request.parameters();
    if (names.empty() || std::find(names.begin(), names.end(), array.name()) != names.end()) {
      arrays.push_back(array);
    }
  }
  return arrays;
}

// Puts the wanted names in the order of the layout, in which values are read, each once. Names that
// the job does not have stay, for the server to refuse.
void SortParameters(const std::vector<v1::ParameterArray>& arrays,
                    v1::StreamDrawsRequest& request) {
  const auto place = [&](const std::string& name) {
    return std::find_if(arrays.begin(), arrays.end(),
                        [&](const v1::ParameterArray& array) { return array.name() == name; }) -
           arrays.begin();
  };
  auto& names = *request.mutable_parameters();
  std::sort(names.begin(), names.end(),
            [&](const std::string& a, const std::string& b) { return place(a) < place(b); });
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

std::vector<std::string> ObservableNames(const v1::Job& job) {
  std::vector<std::string> names;
  for (const v1::Observable& observable : job.observables()) names.push_back(observable.name());
  return names;
}

// The chains that a request selects; all when it names none.
template <typename Request>
std::vector<int> SelectedChains(const v1::Job& job, const Request& request) {
  if (request.chains_size() > 0) return {request.chains().begin(), request.chains().end()};
  std::vector<int> chains;
  for (const v1::ChainProgress& chain : job.chains()) chains.push_back(chain.chain());
  return chains;
}

// Directory of the file to make, for the temporary files beside it.
std::string DirectoryOf(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

// Tells on a terminal how much has been read.
class ReadingView {
 public:
  explicit ReadingView(Console& console) : console_(console), display_(console.err) {}
  ~ReadingView() {
    if (shown_) display_.Clear();
  }
  ReadingView(const ReadingView&) = delete;
  ReadingView& operator=(const ReadingView&) = delete;

  void Add(std::size_t bytes, std::size_t chain, std::size_t chains) {
    bytes_ += static_cast<std::int64_t>(bytes);
    const absl::Time now = absl::Now();
    if (now - last_ < kRedrawInterval || !console_.screen().live) return;
    display_.Show(
        {absl::StrCat("  reading chain ", chain + 1, " of ", chains, ": ", Bytes(bytes_))});
    last_ = now;
    shown_ = true;
  }

 private:
  Console& console_;
  LiveDisplay display_;
  std::int64_t bytes_ = 0;
  absl::Time last_ = absl::InfinitePast();
  bool shown_ = false;
};

// Finishes the arrays, writes the archive and tells what is in it. Groups come with what their rows
// are.
absl::Status FinishNpz(Session& session, const std::string& path, const std::vector<int>& chains,
                       std::vector<std::pair<std::string, ChainArrays>> groups) {
  std::vector<NpySpool> arrays;
  ASSIGN_OR_RETURN(NpySpool indices, NpySpool::Create(DirectoryOf(path), "chain", "<i4"));
  const std::vector<std::int32_t> numbers(chains.begin(), chains.end());
  const std::string_view bytes(reinterpret_cast<const char*>(numbers.data()),
                               numbers.size() * sizeof(numbers[0]));
  RETURN_IF_ERROR(indices.Append(bytes));
  RETURN_IF_ERROR(indices.Finish({static_cast<std::int64_t>(chains.size())}));
  arrays.push_back(std::move(indices));
  std::vector<std::string> found;
  for (auto& [kind, group] : groups) {
    const std::vector<std::int64_t>& rows = group.rows();
    const std::int64_t common = group.CommonRows();
    found.push_back(absl::StrCat(Grouped(common), " ", kind));
    if (std::any_of(rows.begin(), rows.end(), [&](std::int64_t n) { return n != common; })) {
      session.Note(absl::StrCat("note: the chains hold ", absl::StrJoin(rows, ", "), " ", kind,
                                "; the arrays are cut to the shortest, ", common,
                                " (take a chain whole with --chains)"));
    }
    RETURN_IF_ERROR(group.Finish(arrays));
  }
  const std::size_t count = arrays.size();
  {
    const Interrupts::Scope interrupt(session.console().interrupts, [] {});
    RETURN_IF_ERROR(WriteNpz(path, std::move(arrays), session.console().interrupts.happened()));
  }
  session.Note(absl::StrCat("wrote ", path, ": ", count, " arrays, ", absl::StrJoin(found, " and "),
                            " in each of ", chains.size(),
                            chains.size() == 1 ? " chain" : " chains"));
  return absl::OkStatus();
}

absl::Status ExportDrawLines(Session& session, const v1::Job& job, v1::StreamDrawsRequest request,
                             const ExportOptions& options) {
  const std::vector<v1::ParameterArray> arrays = SelectedArrays(job, request);
  std::int64_t parameters = 0;
  for (const v1::ParameterArray& array : arrays) parameters += Size(array);
  ASSIGN_OR_RETURN(ResumableOutput output, OpenOutput(session, options, request));
  DrawLines formatter(arrays);
  std::string lines;
  const std::unique_ptr<DrawStream> stream = session.client().StreamDraws(std::move(request));
  return ReadAll(session, *stream, [&](const v1::StreamDrawsResponse& message) -> absl::Status {
    RETURN_IF_ERROR(CheckDrawChunk(message.chunk(), parameters));
    RETURN_IF_ERROR(formatter.Append(message.chunk(), lines));
    // A cursor within a draw would lose the part that is held.
    if (!formatter.complete()) return absl::OkStatus();
    absl::Status status = output.Commit(lines, message.cursor());
    lines.clear();
    return status;
  });
}

absl::Status ExportDrawsNpz(Session& session, const v1::Job& job, v1::StreamDrawsRequest request,
                            const std::string& path) {
  if (request.precision() == v1::PRECISION_UNSPECIFIED) {
    request.set_precision(StoragePrecision(job));
  }
  request.set_chunk_bytes(kNpzChunkBytes);
  const int bytes = ByteSize(request.precision());
  const std::string type = absl::StrCat("<f", bytes);
  std::vector<ChainArrays::Item> items;
  std::int64_t parameters = 0;
  for (const v1::ParameterArray& array : SelectedArrays(job, request)) {
    items.push_back({array.name(), {array.shape().begin(), array.shape().end()}});
    parameters += Size(array);
  }
  std::vector<std::pair<std::string, ChainArrays>> groups;
  const auto add_group = [&](const char* kind, const char* prefix) -> absl::Status {
    ASSIGN_OR_RETURN(ChainArrays group,
                     ChainArrays::Create(DirectoryOf(path), prefix, items, type, bytes));
    groups.emplace_back(kind, std::move(group));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(add_group("draws", ""));
  if (request.include_warmup()) {
    RETURN_IF_ERROR(add_group("warm-up draws", "warmup/"));
  }

  const std::vector<int> chains = SelectedChains(job, request);
  {
    ReadingView view(session.console());
    for (std::size_t i = 0; i < chains.size(); ++i) {
      request.clear_chains();
      request.add_chains(chains[i]);
      const std::unique_ptr<DrawStream> stream = session.client().StreamDraws(request);
      const auto accept = [&](const v1::StreamDrawsResponse& message) -> absl::Status {
        const v1::DrawChunk& chunk = message.chunk();
        RETURN_IF_ERROR(CheckDrawChunk(chunk, parameters));
        if (chunk.precision() != request.precision() || chunk.chain() != chains[i] ||
            (chunk.warmup_draws() > 0 && !request.include_warmup())) {
          return absl::InternalError("the server sent other draws than asked for");
        }
        const auto row_bytes = static_cast<std::size_t>(chunk.parameter_count() * bytes);
        const std::string_view values = chunk.values();
        for (int row = 0; row < chunk.draws_size(); ++row) {
          ChainArrays& group = groups[row < chunk.warmup_draws() ? 1 : 0].second;
          RETURN_IF_ERROR(
              group.Append(chunk.sweeps(row), chunk.first_parameter(),
                           values.substr(static_cast<std::size_t>(row) * row_bytes, row_bytes)));
        }
        view.Add(values.size(), i, chains.size());
        return absl::OkStatus();
      };
      RETURN_IF_ERROR(ReadAll(session, *stream, accept));
      for (auto& [kind, group] : groups) {
        RETURN_IF_ERROR(group.EndChain());
      }
    }
  }
  return FinishNpz(session, path, chains, std::move(groups));
}

absl::Status ExportTraceLines(Session& session, const v1::Job& job, v1::StreamTraceRequest request,
                              const ExportOptions& options) {
  const std::vector<std::string> observables = ObservableNames(job);
  ASSIGN_OR_RETURN(ResumableOutput output, OpenOutput(session, options, request));
  const bool csv = options.format == ExportFormat::kCsv;
  if (csv && request.cursor().empty()) {
    RETURN_IF_ERROR(output.Commit(TraceCsvHeader(observables), ""));
  }
  const std::unique_ptr<TraceStream> stream = session.client().StreamTrace(std::move(request));
  return ReadAll(session, *stream, [&](const v1::StreamTraceResponse& message) -> absl::Status {
    std::string lines;
    if (message.has_diagnostics()) {
      std::string json;
      google::protobuf::util::JsonPrintOptions json_options;
      json_options.preserve_proto_field_names = true;
      const auto status =
          google::protobuf::util::MessageToJsonString(message.diagnostics(), &json, json_options);
      if (!status.ok()) return absl::InternalError(status.ToString());
      absl::StrAppend(&lines, "{\"diagnostics\":", json, "}\n");
    } else {
      const v1::TraceChunk& chunk = message.chunk();
      RETURN_IF_ERROR(CheckTraceChunk(chunk, job.observables_size()));
      if (csv) {
        AppendTraceCsv(chunk, lines);
      } else {
        AppendTraceJson(chunk, observables, lines);
      }
    }
    return output.Commit(lines, message.cursor());
  });
}

absl::Status ExportTraceNpz(Session& session, const v1::Job& job, v1::StreamTraceRequest request,
                            const std::string& path) {
  std::vector<ChainArrays::Item> items;
  for (const v1::Observable& observable : job.observables())
    items.push_back({observable.name(), {}});
  ASSIGN_OR_RETURN(ChainArrays group, ChainArrays::Create(DirectoryOf(path), "", std::move(items),
                                                          "<f8", sizeof(double)));
  const std::vector<int> chains = SelectedChains(job, request);
  const std::size_t row_bytes = static_cast<std::size_t>(job.observables_size()) * sizeof(double);
  for (const int chain : chains) {
    request.clear_chains();
    request.add_chains(chain);
    const std::unique_ptr<TraceStream> stream = session.client().StreamTrace(request);
    const auto accept = [&](const v1::StreamTraceResponse& message) -> absl::Status {
      const v1::TraceChunk& chunk = message.chunk();
      RETURN_IF_ERROR(CheckTraceChunk(chunk, job.observables_size()));
      const std::string_view values(reinterpret_cast<const char*>(chunk.values().data()),
                                    static_cast<std::size_t>(chunk.values_size()) * sizeof(double));
      for (int row = 0; row < chunk.sweeps_size(); ++row) {
        RETURN_IF_ERROR(
            group.Append(chunk.sweeps(row), 0,
                         values.substr(static_cast<std::size_t>(row) * row_bytes, row_bytes)));
      }
      return absl::OkStatus();
    };
    RETURN_IF_ERROR(ReadAll(session, *stream, accept));
    RETURN_IF_ERROR(group.EndChain());
  }
  std::vector<std::pair<std::string, ChainArrays>> groups;
  groups.emplace_back("points", std::move(group));
  return FinishNpz(session, path, chains, std::move(groups));
}

}  // namespace

absl::Status ExportDraws(Session& session, const v1::Job& job, v1::StreamDrawsRequest request,
                         const ExportOptions& options) {
  SortParameters(SelectedArrays(job, request), request);
  return options.format == ExportFormat::kNpz
             ? ExportDrawsNpz(session, job, std::move(request), options.path)
             : ExportDrawLines(session, job, std::move(request), options);
}

absl::Status ExportTrace(Session& session, const v1::Job& job, v1::StreamTraceRequest request,
                         const ExportOptions& options) {
  return options.format == ExportFormat::kNpz
             ? ExportTraceNpz(session, job, std::move(request), options.path)
             : ExportTraceLines(session, job, std::move(request), options);
}

}  // namespace posteriord::client
