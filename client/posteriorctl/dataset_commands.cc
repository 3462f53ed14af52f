#include "client/posteriorctl/dataset_commands.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/posteriorctl/live_display.h"
#include "client/posteriorctl/table.h"
#include "client/posteriorctl/text.h"

namespace posteriord::client {
namespace {

struct UploadArguments {
  std::string path;
  std::string display_name;
  std::string format;
  std::vector<std::string> targets;
  std::vector<std::string> ignored;
  std::optional<double> test_fraction;
  std::optional<std::int64_t> test_last_rows;
  std::uint64_t split_seed = 0;
  std::string standardize = "none";
};

int CountColumns(const v1::Dataset& dataset, v1::ColumnRole role) {
  return static_cast<int>(
      std::count_if(dataset.columns().begin(), dataset.columns().end(),
                    [role](const v1::Dataset::Column& column) { return column.role() == role; }));
}

std::string SplitText(const v1::Split& split) {
  switch (split.kind_case()) {
    case v1::Split::kTestFraction:
      return absl::StrCat(Percent(split.test_fraction()), " of the rows at random, seed ",
                          split.seed());
    case v1::Split::kLastRows:
      return absl::StrCat("the last ", Grouped(split.last_rows()), " rows");
    case v1::Split::KIND_NOT_SET:
      break;
  }
  return "no rows";
}

std::string StandardizationText(v1::Standardization standardization) {
  switch (standardization) {
    case v1::STANDARDIZATION_INPUTS:
      return "each input column";
    case v1::STANDARDIZATION_INPUTS_AND_TARGETS:
      return "each input and target column";
    case v1::STANDARDIZATION_INPUTS_JOINTLY:
      return "all input columns together";
    default:
      return "none";
  }
}

v1::Standardization ParseStandardization(const std::string& text) {
  if (text == "inputs") return v1::STANDARDIZATION_INPUTS;
  if (text == "inputs-and-targets") return v1::STANDARDIZATION_INPUTS_AND_TARGETS;
  if (text == "jointly") return v1::STANDARDIZATION_INPUTS_JOINTLY;
  return v1::STANDARDIZATION_NONE;
}

v1::DatasetFormat ParseFormat(const std::string& text) {
  if (text == "csv") return v1::DATASET_FORMAT_CSV;
  if (text == "npy") return v1::DATASET_FORMAT_NPY;
  if (text == "npz") return v1::DATASET_FORMAT_NPZ;
  return v1::DATASET_FORMAT_UNSPECIFIED;
}

// Names of the columns in the given role: all of a few, the ends of many.
std::string ColumnsText(const v1::Dataset& dataset, v1::ColumnRole role) {
  std::vector<std::string> names;
  for (const v1::Dataset::Column& column : dataset.columns()) {
    if (column.role() == role) names.push_back(Printable(column.name()));
  }
  constexpr std::size_t kShown = 8;
  std::string text = absl::StrCat(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names.size() > kShown && i == kShown - 1) {
      absl::StrAppend(&text, ", ...");
      i = names.size() - 1;
    }
    absl::StrAppend(&text, i == 0 ? ": " : ", ", names[i]);
  }
  return text;
}

std::string Describe(const v1::Dataset& dataset, absl::TimeZone zone) {
  std::string text = dataset.name();
  if (!dataset.display_name().empty()) {
    absl::StrAppend(&text, "  \"", Printable(dataset.display_name()), "\"");
  }
  absl::StrAppend(&text, "\n  rows         ", Grouped(dataset.row_count()), " (",
                  Bytes(dataset.size_bytes()), ")\n  inputs       ",
                  ColumnsText(dataset, v1::COLUMN_ROLE_INPUT), "\n  targets      ",
                  ColumnsText(dataset, v1::COLUMN_ROLE_TARGET), "\n");
  if (CountColumns(dataset, v1::COLUMN_ROLE_IGNORED) > 0) {
    absl::StrAppend(&text, "  ignored      ", ColumnsText(dataset, v1::COLUMN_ROLE_IGNORED), "\n");
  }
  absl::StrAppend(&text, "  test rows    ", SplitText(dataset.split()), "\n  standardize  ",
                  StandardizationText(dataset.standardization()), "\n  created      ",
                  LocalTime(dataset.create_time(), zone), "\n");
  return text;
}

ExitCode Upload(Session& session, const UploadArguments& arguments) {
  const std::filesystem::path path(arguments.path);
  std::string format = arguments.format;
  if (format.empty()) format = path.extension().string().substr(path.has_extension() ? 1 : 0);
  v1::UploadDatasetHeader header;
  header.set_format(ParseFormat(format));
  if (header.format() == v1::DATASET_FORMAT_UNSPECIFIED) {
    return session.Misuse(absl::StrCat("the extension of ", arguments.path,
                                       " does not tell its format; name it with --format"));
  }
  header.set_display_name(arguments.display_name.empty() ? path.stem().string()
                                                         : arguments.display_name);
  for (const std::string& name : arguments.targets) header.add_target_columns(name);
  for (const std::string& name : arguments.ignored) header.add_ignored_columns(name);
  if (arguments.test_fraction.has_value()) {
    header.mutable_split()->set_test_fraction(*arguments.test_fraction);
  }
  if (arguments.test_last_rows.has_value()) {
    header.mutable_split()->set_last_rows(*arguments.test_last_rows);
  }
  if (arguments.split_seed != 0) header.mutable_split()->set_seed(arguments.split_seed);
  header.set_standardization(ParseStandardization(arguments.standardize));

  Console& console = session.console();
  LiveDisplay display(console.err);
  absl::Time last_frame = absl::InfinitePast();
  bool shown = false;
  const auto progress = [&](std::int64_t sent, std::int64_t total) {
    const Screen screen = console.screen();
    const absl::Time now = absl::Now();
    if (!screen.live || (sent < total && now - last_frame < absl::Milliseconds(100))) return;
    const double share = total > 0 ? static_cast<double>(sent) / static_cast<double>(total) : 1;
    display.Show(
        {Truncated(absl::StrCat("  ", Bar(share, 30, screen.unicode), "  ", Bytes(sent), " of ",
                                Bytes(total), sent == total ? ", the server is checking it" : ""),
                   screen.width - 1)});
    last_frame = now;
    shown = true;
  };
  const absl::StatusOr<v1::Dataset> dataset =
      session.client().UploadDataset(header, arguments.path, progress);
  if (shown) display.Clear();
  if (!dataset.ok()) return session.Report(dataset.status());
  if (session.json()) {
    session.PrintJson(*dataset);
    return kSuccess;
  }
  console.out << dataset->name() << "\n";
  session.Note(absl::StrCat("  ", Grouped(dataset->row_count()), " rows, ",
                            CountColumns(*dataset, v1::COLUMN_ROLE_INPUT), " inputs, ",
                            CountColumns(*dataset, v1::COLUMN_ROLE_TARGET),
                            " targets; test: ", SplitText(dataset->split())));
  return kSuccess;
}

ExitCode Get(Session& session, const std::string& name) {
  const absl::StatusOr<v1::Dataset> dataset = session.client().GetDataset(name);
  if (!dataset.ok()) return session.Report(dataset.status());
  if (session.json()) {
    session.PrintJson(*dataset);
  } else {
    session.console().out << Describe(*dataset, session.console().zone);
  }
  return kSuccess;
}

ExitCode List(Session& session) {
  const absl::StatusOr<std::vector<v1::Dataset>> datasets = session.client().ListDatasets();
  if (!datasets.ok()) return session.Report(datasets.status());
  if (session.json()) {
    v1::ListDatasetsResponse all;
    for (const v1::Dataset& dataset : *datasets) *all.add_datasets() = dataset;
    session.PrintJson(all);
    return kSuccess;
  }
  using Align = Table::Align;
  Table table({{"NAME"},
               {"ROWS", Align::kRight},
               {"INPUTS", Align::kRight},
               {"TARGETS", Align::kRight},
               {"SIZE", Align::kRight},
               {"CREATED"},
               {"DISPLAY NAME"}});
  for (const v1::Dataset& dataset : *datasets) {
    table.Add({dataset.name(), Grouped(dataset.row_count()),
               absl::StrCat(CountColumns(dataset, v1::COLUMN_ROLE_INPUT)),
               absl::StrCat(CountColumns(dataset, v1::COLUMN_ROLE_TARGET)),
               Bytes(dataset.size_bytes()),
               LocalTime(dataset.create_time(), session.console().zone),
               Printable(dataset.display_name())});
  }
  session.console().out << table.ToString();
  return kSuccess;
}

ExitCode Delete(Session& session, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (absl::Status status = session.client().DeleteDataset(name); !status.ok()) {
      return session.Report(status);
    }
  }
  return kSuccess;
}

void AddUpload(CLI::App& group, Command& command) {
  const auto arguments = std::make_shared<UploadArguments>();
  CLI::App* upload = group.add_subcommand(
      "upload", "Upload a file: CSV with one header line, or NumPy arrays (NPY, NPZ)");
  upload->add_option("file", arguments->path, "File to upload")->required();
  upload->add_option("--display-name", arguments->display_name,
                     "Name for people (default: that of the file)");
  upload->add_option("--format", arguments->format, "Format (default: from the extension)")
      ->check(CLI::IsMember({"csv", "npy", "npz"}));
  upload
      ->add_option("--target", arguments->targets,
                   "Column, or array of an NPZ file, to predict; repeatable")
      ->allow_extra_args(false)
      ->type_name("COLUMN");
  upload->add_option("--ignore", arguments->ignored, "Column that is not used; repeatable")
      ->allow_extra_args(false)
      ->type_name("COLUMN");
  CLI::Option* fraction =
      upload->add_option("--test-fraction", arguments->test_fraction,
                         "Hold out this share of the rows, chosen at random, for testing");
  upload
      ->add_option("--test-last-rows", arguments->test_last_rows,
                   "Hold out the last so many rows for testing")
      ->excludes(fraction);
  upload->add_option("--split-seed", arguments->split_seed, "Seed of the random choice")
      ->needs(fraction)
      ->capture_default_str();
  upload
      ->add_option("--standardize", arguments->standardize,
                   "Rescale columns to mean 0 and standard deviation 1, by the training rows; "
                   "jointly: all inputs by one mean and deviation, as usual for images")
      ->check(CLI::IsMember({"none", "inputs", "inputs-and-targets", "jointly"}))
      ->capture_default_str();
  upload->callback([&command, arguments] {
    command = [arguments](Session& session) { return Upload(session, *arguments); };
  });
}

}  // namespace

void AddDatasetCommands(CLI::App& app, Command& command) {
  CLI::App* group = app.add_subcommand("dataset", "Upload, list and delete data sets");
  group->require_subcommand(1);
  AddUpload(*group, command);

  const auto name = std::make_shared<std::string>();
  CLI::App* get = group->add_subcommand("get", "Describe a data set");
  get->add_option("name", *name, "Data set, such as datasets/k3x9 or k3x9")->required();
  get->callback(
      [&command, name] { command = [name](Session& session) { return Get(session, *name); }; });

  CLI::App* list = group->add_subcommand("list", "List all data sets, newest first");
  list->callback([&command] { command = [](Session& session) { return List(session); }; });

  const auto names = std::make_shared<std::vector<std::string>>();
  CLI::App* remove = group->add_subcommand("delete", "Delete data sets that no running job uses");
  remove->add_option("names", *names, "Data sets")->required();
  remove->callback([&command, names] {
    command = [names](Session& session) { return Delete(session, *names); };
  });
}

}  // namespace posteriord::client
