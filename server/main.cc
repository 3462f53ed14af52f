// posteriord: the daemon's command line.
#include <pthread.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>
#include <thread>

#include "core/base/numeric_profile.h"
#include "server/server.h"

namespace posteriord::server {
namespace {

// Leaves time for the process to end within ten seconds of the signal.
constexpr std::chrono::milliseconds kShutdownPatience{5000};
constexpr std::uint64_t kLeastMemory = 1 << 20;

constexpr char kFooter[] =
    "Then, from another terminal:\n"
    "  posteriorctl dataset upload table.csv --target y   # keep a data set on the server\n"
    "  posteriorctl job submit job.textproto --watch      # sample and watch\n"
    "  posteriorctl --help                                # everything else\n\n"
    "SIGTERM or Ctrl-C stops the server: chains are checkpointed, streams end so that clients can\n"
    "resume, and unfinished jobs go on when a server is started on the same data directory.\n"
    "There is no authentication: listen on a loopback address, or where only friends can reach.";

// Most memory for jobs unless told otherwise: four fifths of the machine's.
std::uint64_t DefaultMemoryLimit() {
  const auto pages = static_cast<std::uint64_t>(std::max(0L, sysconf(_SC_PHYS_PAGES)));
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE)) / 5 * 4;
}

struct CommandLine {
  ServerOptions server;
  std::uint64_t memory_limit = DefaultMemoryLimit();
  int slice_ms = 200;
  std::string port_file;
  std::string log_level = "info";
};

void Declare(CLI::App& app, CommandLine& line) {
  app.set_version_flag("--version", "posteriord " POSTERIORD_VERSION "\n" + core::NumericProfile());
  app.footer(kFooter);
  app.add_option("--data-dir", line.server.data_dir,
                 "Directory for jobs, draws and data sets; made if missing")
      ->required()
      ->envname("POSTERIORD_DATA_DIR");
  app.add_option("--listen", line.server.listen, "Address to serve on; port 0 takes a free one")
      ->capture_default_str()
      ->envname("POSTERIORD_LISTEN");
  app.add_option("--threads", line.server.threads, "Threads that sample; default: one per core")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->envname("POSTERIORD_THREADS");
  app.add_option("--memory-limit", line.memory_limit,
                 "Memory for running jobs, such as 8GB; jobs beyond it wait, larger ones are "
                 "refused. Default: 4/5 of the machine's")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str()
      ->envname("POSTERIORD_MEMORY_LIMIT");
  app.add_option("--slice", line.slice_ms,
                 "Turn of a chain on a thread before others have theirs, in milliseconds")
      ->check(CLI::Range(1, 60'000))
      ->capture_default_str();
  app.add_option("--port-file", line.port_file,
                 "Write the port here, once the server is ready to be called");
  app.add_option("--log-level", line.log_level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
}

bool WritePortFile(const std::string& path, int port) {
  const std::string temporary = path + ".tmp";
  {
    std::ofstream file(temporary);
    file << port << "\n";
    if (!file.flush()) return false;
  }
  return std::rename(temporary.c_str(), path.c_str()) == 0;
}

int Run(int argc, char** argv) {
  CLI::App app("posteriord samples posteriors of neural networks for its clients.", "posteriord");
  CommandLine line;
  line.server.threads = std::max(1U, std::thread::hardware_concurrency());
  Declare(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (line.memory_limit < kLeastMemory ||
      line.memory_limit > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    std::cerr << "--memory-limit: must be from 1MB to the memory of a machine, such as 8GB\n";
    return 2;
  }
  line.server.memory_limit_bytes = static_cast<std::int64_t>(line.memory_limit);
  line.server.slice = std::chrono::milliseconds(line.slice_ms);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("posteriord"));
  spdlog::set_level(spdlog::level::from_str(line.log_level));

  // Before any thread exists, so that all of them leave the signals to this one.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  auto server = Server::Start(line.server);
  if (!server.ok()) {
    spdlog::critical("cannot start: {}", std::string(server.status().message()));
    return 1;
  }
  spdlog::info("listening on {} with {} sampling threads; data in {}", (*server)->address(),
               line.server.threads, line.server.data_dir);
  if (!line.port_file.empty() && !WritePortFile(line.port_file, (*server)->port())) {
    spdlog::critical("cannot write --port-file {}", line.port_file);
    (*server)->Shutdown(kShutdownPatience);
    return 1;
  }

  int received = 0;
  sigwait(&signals, &received);
  spdlog::info("{}: storing checkpoints and ending streams", strsignal(received));
  (*server)->Shutdown(kShutdownPatience);
  server->reset();
  spdlog::info("stopped");
  return 0;
}

}  // namespace
}  // namespace posteriord::server

int main(int argc, char** argv) { return posteriord::server::Run(argc, argv); }
