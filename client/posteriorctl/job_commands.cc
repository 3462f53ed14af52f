#include "client/posteriorctl/job_commands.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/posteriorctl/export.h"
#include "client/posteriorctl/job_facts.h"
#include "client/posteriorctl/job_file.h"
#include "client/posteriorctl/probe_command.h"
#include "client/posteriorctl/statistics.h"
#include "client/posteriorctl/summary.h"
#include "client/posteriorctl/table.h"
#include "client/posteriorctl/text.h"
#include "client/posteriorctl/watch.h"
#include "posteriord/names.h"

namespace posteriord::client {
namespace {

constexpr char kNameHelp[] = "Job, such as jobs/k3x9 or k3x9";

// "key=value" arguments. False when one has no "=".
template <typename Map>
bool ParseLabels(const std::vector<std::string>& arguments, Map& labels) {
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos) return false;
    labels[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
  return true;
}

ExitCode LabelMisuse(Session& session) { return session.Misuse("a label is written key=value"); }

// ----- submit -----

struct SubmitArguments {
  std::string path;
  std::string display_name;
  std::vector<std::string> labels;
  std::string dataset;
  bool validate_only = false;
  bool watch = false;
};

// The text of a file, or of standard input when `path` is "-".
absl::StatusOr<std::string> ReadText(Session& session, const std::string& path) {
  const auto all = [](std::istream& in) {
    return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  };
  if (path == "-") return all(session.console().in);
  // A directory opens like a file and fails only when it is read.
  std::error_code error;
  const bool directory = std::filesystem::is_directory(path, error);
  std::ifstream file(path, std::ios::binary);
  if (directory || !file.is_open()) {
    return absl::ErrnoToStatus(directory ? EISDIR : errno, absl::StrCat("cannot read ", path));
  }
  return all(file);
}

ExitCode Watch(Session& session, const std::string& name) {
  const absl::StatusOr<v1::Job> job = WatchUntilEnd(session, name);
  if (!job.ok()) {
    if (session.console().interrupts.happened()) NoteThatJobGoesOn(session, name);
    return session.Report(job.status());
  }
  if (!session.json()) {
    session.console().out << Summary(*job, session.command(), session.console().zone);
  }
  return Outcome(*job);
}

ExitCode Submit(Session& session, const SubmitArguments& arguments) {
  const absl::StatusOr<std::string> text = ReadText(session, arguments.path);
  if (!text.ok()) return session.Misuse(std::string(text.status().message()));
  absl::StatusOr<v1::Job> job =
      ParseJobFile(arguments.path == "-" ? "standard input" : arguments.path, *text);
  if (!job.ok()) return session.Misuse(std::string(job.status().message()));

  v1::CreateJobRequest request;
  *request.mutable_job() = *std::move(job);
  v1::Job& wanted = *request.mutable_job();
  if (!arguments.display_name.empty()) wanted.set_display_name(arguments.display_name);
  if (!ParseLabels(arguments.labels, *wanted.mutable_labels())) return LabelMisuse(session);
  if (!arguments.dataset.empty()) {
    if (wanted.spec().data().has_gaussian()) {
      return session.Misuse("--dataset does not go with the Gaussian inputs of the job file");
    }
    wanted.mutable_spec()->mutable_data()->mutable_dataset()->set_dataset(
        DatasetName(arguments.dataset));
  }
  request.set_validate_only(arguments.validate_only);

  const absl::StatusOr<v1::Job> created = session.client().CreateJob(std::move(request));
  if (!created.ok()) return session.Report(created.status());
  const std::string needs =
      absl::StrCat("predicted needs: ", Bytes(created->estimate().memory_bytes()), " of memory, ",
                   Bytes(created->estimate().disk_bytes()), " of disk");
  if (session.json()) {
    // One line when the lines of the watch follow.
    session.PrintJson(*created, arguments.watch && !arguments.validate_only);
  } else if (arguments.validate_only) {
    session.console().out << "the job is valid; " << needs << "\n";
  } else {
    session.console().out << created->name() << "\n" << std::flush;
  }
  if (arguments.validate_only) return kSuccess;
  if (arguments.watch) return Watch(session, created->name());
  if (!session.json()) {
    session.Note(
        absl::StrCat("  ", needs, "\n  ", session.command(), " job watch ", created->name()));
  }
  return kSuccess;
}

void AddSubmit(CLI::App& group, Command& command) {
  const auto arguments = std::make_shared<SubmitArguments>();
  CLI::App* submit = group.add_subcommand("submit", "Submit a job; prints its name");
  submit
      ->add_option("file", arguments->path,
                   "Job file, or - for standard input: a posteriord.v1.Job with display_name, "
                   "labels and spec, as protobuf JSON (.json) or text (.textproto)")
      ->required();
  submit->add_option("--display-name", arguments->display_name,
                     "Name for people, in place of the file's");
  submit->add_option("--label", arguments->labels, "Label to add or replace; repeatable")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  submit->add_option("--dataset", arguments->dataset,
                     "Data set to read, in place of the file's (spec.data.dataset.dataset)");
  submit->add_flag("--validate-only", arguments->validate_only,
                   "Only have the server check the job; create nothing");
  submit->add_flag("--watch", arguments->watch,
                   "Then follow the job to its end, as job watch does");
  submit->callback([&command, arguments] {
    command = [arguments](Session& session) { return Submit(session, *arguments); };
  });
}

// ----- list -----

struct ListArguments {
  std::vector<std::string> states;
  std::vector<std::string> labels;
};

ExitCode List(Session& session, const ListArguments& arguments) {
  v1::ListJobsRequest filter;
  for (const std::string& state : arguments.states) {
    v1::Job::State value = v1::Job::STATE_UNSPECIFIED;
    v1::Job::State_Parse(absl::StrCat("STATE_", absl::AsciiStrToUpper(state)), &value);
    filter.add_states(value);
  }
  if (!ParseLabels(arguments.labels, *filter.mutable_labels())) return LabelMisuse(session);
  const absl::StatusOr<std::vector<v1::Job>> jobs = session.client().ListJobs(filter);
  if (!jobs.ok()) return session.Report(jobs.status());
  if (session.json()) {
    v1::ListJobsResponse all;
    for (const v1::Job& job : *jobs) *all.add_jobs() = job;
    session.PrintJson(all);
    return kSuccess;
  }
  using Align = Table::Align;
  Table table({{"NAME"},
               {"STATE"},
               {"SWEEPS", Align::kRight},
               {"CHAINS", Align::kRight},
               {"DRAWS", Align::kRight},
               {"CREATED"},
               {"DISPLAY NAME"},
               {"LABELS"}});
  for (const v1::Job& job : *jobs) {
    const std::int64_t total = SweepsToMake(job);
    const double share =
        total > 0 ? static_cast<double>(SweepsMade(job)) / static_cast<double>(total) : 0;
    const std::map<std::string, std::string> labels(job.labels().begin(), job.labels().end());
    table.Add({job.name(), StateName(job.state()), Percent(share), absl::StrCat(job.chains_size()),
               Grouped(DrawsStored(job)), LocalTime(job.create_time(), session.console().zone),
               Printable(job.display_name()),
               Printable(absl::StrJoin(labels, ",", absl::PairFormatter("=")))});
  }
  session.console().out << table.ToString();
  return kSuccess;
}

void AddList(CLI::App& group, Command& command) {
  const auto arguments = std::make_shared<ListArguments>();
  CLI::App* list = group.add_subcommand("list", "List jobs, newest first");
  list->add_option("--state", arguments->states, "Only jobs in one of these states; repeatable")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"queued", "running", "succeeded", "failed", "cancelled"}));
  list->add_option("--label", arguments->labels, "Only jobs that carry all of these; repeatable")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  list->callback([&command, arguments] {
    command = [arguments](Session& session) { return List(session, *arguments); };
  });
}

// ----- get, cancel, delete -----

ExitCode Get(Session& session, const std::string& name) {
  const absl::StatusOr<v1::Job> job = session.client().GetJob(name);
  if (!job.ok()) return session.Report(job.status());
  if (session.json()) {
    session.PrintJson(*job);
  } else {
    session.console().out << Summary(*job, session.command(), session.console().zone);
  }
  return kSuccess;
}

struct SummaryArguments {
  std::string name;
  std::vector<int> chains;
};

ExitCode SummarizeChains(Session& session, const SummaryArguments& arguments) {
  const absl::StatusOr<v1::JobSummary> summary =
      session.client().GetJobSummary(arguments.name, arguments.chains);
  if (!summary.ok()) return session.Report(summary.status());
  if (session.json()) {
    session.PrintJson(*summary);
  } else {
    session.console().out << Statistics(*summary);
  }
  return kSuccess;
}

ExitCode Cancel(Session& session, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const absl::StatusOr<v1::Job> job = session.client().CancelJob(name);
    if (!job.ok()) return session.Report(job.status());
    if (session.json()) {
      session.PrintJson(*job, names.size() > 1);
    } else {
      session.console().out << job->name() << "  " << StateName(job->state()) << ", "
                            << Grouped(DrawsStored(*job)) << " draws kept\n";
    }
  }
  return kSuccess;
}

ExitCode Delete(Session& session, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (absl::Status status = session.client().DeleteJob(name); !status.ok()) {
      return session.Report(status);
    }
  }
  return kSuccess;
}

// Adds a subcommand that takes one job, or several.
template <typename Names>
void AddNamed(CLI::App& group, Command& command, const char* verb, const char* help,
              ExitCode (*run)(Session&, const Names&)) {
  const auto names = std::make_shared<Names>();
  CLI::App* app = group.add_subcommand(verb, help);
  app->add_option(std::is_same_v<Names, std::string> ? "name" : "names", *names, kNameHelp)
      ->required();
  app->callback([&command, names, run] {
    command = [names, run](Session& session) { return run(session, *names); };
  });
}

constexpr char kChainsHelp[] = "Chain indices, such as 0,2 (default: all)";

void AddSummary(CLI::App& group, Command& command) {
  const auto arguments = std::make_shared<SummaryArguments>();
  CLI::App* summary =
      group.add_subcommand("summary",
                           "Statistics of the observables after warm-up: means, quantiles, R-hat, "
                           "effective sample sizes");
  summary->add_option("name", arguments->name, kNameHelp)->required();
  summary->add_option("--chains", arguments->chains, kChainsHelp)
      ->delimiter(',')
      ->allow_extra_args(false);
  summary->callback([&command, arguments] {
    command = [arguments](Session& session) { return SummarizeChains(session, *arguments); };
  });
}

// ----- draws, trace -----

struct ExportArguments {
  std::string name;
  std::string path;
  std::string format;
  std::string cursor;
  std::string cursor_file;
  std::vector<int> chains;
  bool follow = false;
  // Draws only.
  std::vector<std::string> parameters;
  std::int64_t thinning = 1;
  bool warmup = false;
  std::string precision = "stored";
  // Trace only.
  std::string points = "even";
  bool diagnostics = false;
};

// The format asked for, else that of the file's extension, else `standard`.
absl::StatusOr<ExportOptions> ParseExport(const ExportArguments& arguments, const char* standard) {
  std::string format = arguments.format;
  if (format.empty()) {
    const std::string extension = std::filesystem::path(arguments.path).extension().string();
    if (arguments.path.empty()) {
      format = standard;
    } else if (extension == ".npz" || extension == ".csv") {
      format = extension.substr(1);
    } else if (extension == ".ndjson" || extension == ".jsonl") {
      format = "ndjson";
    }
  }
  ExportOptions options;
  options.path = arguments.path;
  options.cursor_file = arguments.cursor_file;
  if (format == "ndjson") {
    options.format = ExportFormat::kNdjson;
  } else if (format == "csv") {
    options.format = ExportFormat::kCsv;
  } else if (format == "npz") {
    options.format = ExportFormat::kNpz;
    if (options.path.empty()) {
      return absl::InvalidArgumentError("an NPZ file needs a place: --out FILE.npz");
    }
    if (!arguments.cursor.empty() || !arguments.cursor_file.empty()) {
      return absl::InvalidArgumentError(
          "an NPZ file is always written whole; --cursor and --cursor-file go with lines of text");
    }
  } else {
    return absl::InvalidArgumentError(absl::StrCat("the extension of ", arguments.path,
                                                   " does not tell a format; name it with "
                                                   "--format"));
  }
  return options;
}

// Prints what came of an export.
ExitCode ReportExport(Session& session, const absl::Status& status,
                      const ExportArguments& arguments) {
  if (status.ok()) return kSuccess;
  if (session.console().interrupts.happened() && !arguments.cursor_file.empty()) {
    session.Note("interrupted; the same command continues where it stopped");
  }
  return session.Report(status);
}

// The job to export, after it has ended when that is asked for and the format cannot grow.
absl::StatusOr<v1::Job> JobToExport(Session& session, const ExportArguments& arguments,
                                    const ExportOptions& options) {
  if (options.format == ExportFormat::kNpz && arguments.follow) {
    return WatchUntilEnd(session, arguments.name);
  }
  return session.client().GetJob(arguments.name);
}

ExitCode Draws(Session& session, const ExportArguments& arguments) {
  const absl::StatusOr<ExportOptions> options = ParseExport(arguments, "ndjson");
  if (!options.ok()) return session.Misuse(std::string(options.status().message()));
  const absl::StatusOr<v1::Job> job = JobToExport(session, arguments, *options);
  if (!job.ok()) return session.Report(job.status());
  v1::StreamDrawsRequest request;
  request.set_name(job->name());
  request.set_cursor(arguments.cursor);
  request.set_follow(arguments.follow);
  for (const int chain : arguments.chains) request.add_chains(chain);
  for (const std::string& parameter : arguments.parameters) request.add_parameters(parameter);
  request.set_thinning(arguments.thinning);
  request.set_include_warmup(arguments.warmup);
  if (arguments.precision == "float32") request.set_precision(v1::PRECISION_FLOAT32);
  if (arguments.precision == "float64") request.set_precision(v1::PRECISION_FLOAT64);
  return ReportExport(session, ExportDraws(session, *job, std::move(request), *options), arguments);
}

ExitCode Trace(Session& session, const ExportArguments& arguments) {
  const absl::StatusOr<ExportOptions> options = ParseExport(arguments, "csv");
  if (!options.ok()) return session.Misuse(std::string(options.status().message()));
  if (arguments.diagnostics && options->format != ExportFormat::kNdjson) {
    return session.Misuse("diagnostics do not fit a table; ask for --format ndjson");
  }
  const absl::StatusOr<v1::Job> job = JobToExport(session, arguments, *options);
  if (!job.ok()) return session.Report(job.status());
  v1::StreamTraceRequest request;
  request.set_name(job->name());
  request.set_cursor(arguments.cursor);
  request.set_follow(arguments.follow);
  for (const int chain : arguments.chains) request.add_chains(chain);
  request.set_include_diagnostics(arguments.diagnostics);
  if (arguments.points == "even") request.set_points(v1::StreamTraceRequest::POINTS_EVEN);
  if (arguments.points == "log") request.set_points(v1::StreamTraceRequest::POINTS_LOGARITHMIC);
  return ReportExport(session, ExportTrace(session, *job, std::move(request), *options), arguments);
}

// The options that draws and traces share.
void AddExportOptions(CLI::App& app, ExportArguments& arguments,
                      const std::vector<std::string>& formats, const std::string& standard) {
  app.add_option("name", arguments.name, kNameHelp)->required();
  app.add_option("-o,--out", arguments.path, "File to write (default: standard output)");
  app.add_option("--format", arguments.format,
                 absl::StrCat("Format (default: from the extension of --out; ", standard,
                              " on standard output)"))
      ->check(CLI::IsMember(formats));
  app.add_option("--chains", arguments.chains, kChainsHelp)
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_flag("--follow", arguments.follow,
               "Wait for what is not yet made, until the job has ended");
  CLI::Option* cursor = app.add_option("--cursor", arguments.cursor,
                                       "Continue after the message that carried this cursor");
  app.add_option("--cursor-file", arguments.cursor_file,
                 "Keep the position in this file and continue from it: an export that was "
                 "interrupted, by whatever, goes on without a gap or a repetition")
      ->excludes(cursor);
}

void AddDraws(CLI::App& group, Command& command) {
  const auto arguments = std::make_shared<ExportArguments>();
  CLI::App* draws = group.add_subcommand("draws", "Export draws as NDJSON lines or as an NPZ file");
  AddExportOptions(*draws, *arguments, {"ndjson", "npz"}, "ndjson");
  draws
      ->add_option("--parameters", arguments->parameters,
                   "Parameter arrays, such as dense1.weight,dense1.bias (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false);
  draws->add_option("--thinning", arguments->thinning, "Only every so many-th draw")
      ->capture_default_str();
  draws->add_flag("--warmup", arguments->warmup, "Also the warm-up draws that the job kept");
  draws->add_option("--precision", arguments->precision, "Format of the numbers")
      ->check(CLI::IsMember({"stored", "float32", "float64"}))
      ->capture_default_str();
  draws->footer(
      "NDJSON: one object per draw; the draws of a chain come in order, those of several in turn:\n"
      "  {\"chain\":0,\"draw\":12,\"sweep\":130,\"warmup\":false,\"parameters\":{\"dense1.bias\":"
      "[0.5,-1]}}\n"
      "NPZ: numpy.load(FILE) holds an array per parameter, shaped (chains, draws, *shape), with\n"
      "  \"sweep\" (chains, draws): the sweep after which each draw was taken, and\n"
      "  \"chain\" (chains,): the chain indices.\n"
      "  With --warmup, the warm-up draws are further arrays, \"warmup/<name>\".\n"
      "  When chains differ in length (a job that runs or was cancelled), all are cut to the\n"
      "  shortest, and a note says so; --chains 0 takes a chain whole. The file appears at the "
      "end,\n"
      "  whole; with --follow, once the job has ended.");
  draws->callback([&command, arguments] {
    command = [arguments](Session& session) { return Draws(session, *arguments); };
  });
}

void AddTrace(CLI::App& group, Command& command) {
  const auto arguments = std::make_shared<ExportArguments>();
  CLI::App* trace =
      group.add_subcommand("trace", "Export the traced observables as CSV, NDJSON or NPZ");
  AddExportOptions(*trace, *arguments, {"csv", "ndjson", "npz"}, "csv");
  trace
      ->add_option("--points", arguments->points,
                   "Evenly spaced points, those spaced by equal ratios (for plots), or both")
      ->check(CLI::IsMember({"even", "log", "both"}))
      ->capture_default_str();
  trace->add_flag("--diagnostics", arguments->diagnostics,
                  "Also the history of diagnostics (NDJSON only)");
  trace->footer(
      "CSV: chain, sweep and one column per observable; nan where one does not exist yet.\n"
      "NDJSON: {\"chain\":0,\"sweep\":130,\"values\":{\"test_error\":0.031}}, null for nan;\n"
      "  diagnostics are lines {\"diagnostics\":{...}}.\n"
      "NPZ: an array per observable and \"sweep\", shaped (chains, points), and \"chain\"\n"
      "  (chains,); chains are cut to the shortest.");
  trace->callback([&command, arguments] {
    command = [arguments](Session& session) { return Trace(session, *arguments); };
  });
}

}  // namespace

void AddJobCommands(CLI::App& app, Command& command) {
  CLI::App* group = app.add_subcommand("job", "Submit, follow and manage sampling jobs");
  group->require_subcommand(1);
  AddSubmit(*group, command);
  AddNamed<std::string>(*group, command, "get", "Describe a job: progress, diagnostics, draws",
                        Get);
  AddList(*group, command);
  AddNamed<std::string>(*group, command, "watch",
                        "Follow a job to its end with live progress, then describe it", Watch);
  AddSummary(*group, command);
  AddProbe(*group, command);
  AddNamed<std::vector<std::string>>(*group, command, "cancel", "Stop jobs and keep their draws",
                                     Cancel);
  AddNamed<std::vector<std::string>>(*group, command, "delete",
                                     "Delete jobs that have ended, with all they stored", Delete);
  AddDraws(*group, command);
  AddTrace(*group, command);
}

}  // namespace posteriord::client
