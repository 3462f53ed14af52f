#include "client/posteriorctl/posteriorctl.h"

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/posteriorctl/dataset_commands.h"
#include "client/posteriorctl/job_commands.h"

namespace posteriord::client {
namespace {

constexpr char kFooter[] =
    "First steps:\n"
    "  posteriorctl dataset upload digits.csv --target digit --test-fraction 0.2\n"
    "  posteriorctl job submit job.textproto --dataset NAME --watch\n"
    "  posteriorctl job draws NAME --out draws.npz\n"
    "\n"
    "Exit codes: 0 done; 1 refused by the server or the file system; 2 wrong use; 3 the watched\n"
    "job failed; 4 it was cancelled; 5 the server cannot be reached; 6 a probe did not show that "
    "the\n"
    "sampler thermalizes; 130 interrupted.";

// The subcommand that the arguments named last, such as "posteriorctl job submit".
std::string NamedCommand(const CLI::App& app) {
  std::string name = app.get_name();
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  return name;
}

// What is wrong with the arguments. Of a mistyped command CLI11 says only that there is none.
std::string Describe(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  const std::vector<const CLI::App*> commands =
      at->get_subcommands([](const CLI::App*) { return true; });
  if (unknown.empty() || commands.empty()) return error.what();
  return absl::StrCat("'", unknown.front(), "' is not a command of ", NamedCommand(app), ": ",
                      absl::StrJoin(commands, ", ", [](std::string* out, const CLI::App* command) {
                        absl::StrAppend(out, command->get_name());
                      }));
}

// What is wrong with the address of a server; empty when nothing is.
std::string CheckAddress(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  int port = 0;
  if (colon != std::string::npos && colon > 0 &&
      absl::SimpleAtoi(address.substr(colon + 1), &port) && port >= 1 && port <= 65535) {
    return "";
  }
  return "must be HOST:PORT with a port from 1 to 65535, unlike " + address;
}

}  // namespace

ExitCode RunPosteriorctl(int argc, const char* const* argv, Console& console) {
  GlobalFlags flags;
  std::string output = "table";
  Command command;

  CLI::App app("Samples neural-network posteriors on a posteriord server.", "posteriorctl");
  app.footer(kFooter);
  app.set_version_flag("--version", "posteriorctl " POSTERIORD_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // global flags may follow the subcommand
  app.add_option("--server", flags.server, "Address of the server, HOST:PORT")
      ->check(CLI::Validator(CheckAddress, ""))
      ->envname("POSTERIORD_SERVER")
      ->capture_default_str();
  app.add_option("--timeout", flags.timeout_seconds,
                 "Longest wait for the answer to one call, in seconds")
      ->check(CLI::Range(1e-3, 1e9).description(""))
      ->capture_default_str();
  app.add_option("--reconnect-timeout", flags.reconnect_seconds,
                 "Longest wait for a lost server to come back while following, in seconds")
      ->check(CLI::Range(0.0, 1e9).description(""))
      ->capture_default_str();
  app.add_option("--output", output, "Results for people, or as protobuf JSON for programs")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app.add_flag_callback(
      "--json", [&output] { output = "json"; }, "Same as --output json");
  AddDatasetCommands(app, command);
  AddJobCommands(app, command);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    app.exit(help, console.out, console.err);
    return kSuccess;
  } catch (const CLI::ParseError& error) {
    console.err << "posteriorctl: " << Describe(app, error) << "\n"
                << "  see " << NamedCommand(app) << " --help\n";
    return kMisuse;
  }
  flags.json = output == "json";
  Session session(console, flags);
  return command(session);
}

}  // namespace posteriord::client
