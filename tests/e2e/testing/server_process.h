// The real daemon as a process of its own.
#ifndef POSTERIORD_TESTS_E2E_TESTING_SERVER_PROCESS_H_
#define POSTERIORD_TESTS_E2E_TESTING_SERVER_PROCESS_H_

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/mutex.h"

namespace posteriord::testing {

// Runs a program and gathers what it says on its standard output and error. Killed on destruction.
class ChildProcess {
 public:
  ChildProcess(const std::string& program, std::vector<std::string> arguments) {
    int pipe_ends[2];
    EXPECT_EQ(pipe(pipe_ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
    posix_spawn_file_actions_addclose(&actions, pipe_ends[1]);
    arguments.insert(arguments.begin(), program);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ), 0)
        << program;
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[1]);
    reader_ = std::thread([this, output = pipe_ends[0]] { Gather(output); });
  }

  ~ChildProcess() {
    if (!exit_.has_value()) {
      kill(pid_, SIGKILL);
      Wait();
    }
    reader_.join();
  }

  void Signal(int signal) { EXPECT_EQ(kill(pid_, signal), 0); }

  // Waits for the end: the exit code, or minus the signal that ended it.
  int Wait() {
    if (!exit_.has_value()) {
      int status = 0;
      EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
      exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    return *exit_;
  }

  // Waits until `text` was said, and returns the rest of its line; empty when the program has
  // closed its output before.
  std::string AwaitOutput(const std::string& text) {
    MutexLock lock(mutex_);
    for (;;) {
      const std::size_t found = output_.find(text);
      const std::size_t end = found == std::string::npos ? found : output_.find('\n', found);
      if (end != std::string::npos) {
        return output_.substr(found + text.size(), end - found - text.size());
      }
      if (closed_) return "";
      changed_.Wait(mutex_);
    }
  }

  // All it said. REQUIRES: it has ended.
  std::string Output() {
    MutexLock lock(mutex_);
    while (!closed_) changed_.Wait(mutex_);
    return output_;
  }

 private:
  void Gather(int output) {
    char buffer[4096];
    for (;;) {
      const ssize_t size = read(output, buffer, sizeof buffer);
      MutexLock lock(mutex_);
      if (size > 0) output_.append(buffer, static_cast<std::size_t>(size));
      if (size <= 0) closed_ = true;
      changed_.NotifyAll();
      if (closed_) break;
    }
    close(output);
  }

  pid_t pid_ = 0;
  std::optional<int> exit_;
  std::thread reader_;
  Mutex mutex_;
  CondVar changed_;
  std::string output_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

// posteriord on a data directory, listening on a free port.
class ServerProcess : public ChildProcess {
 public:
  explicit ServerProcess(const std::string& data_dir, std::vector<std::string> more = {})
      : ChildProcess(POSTERIORD_PROGRAM, Arguments(data_dir, std::move(more))) {}

  // "host:port", once it listens.
  std::string AwaitAddress() {
    const std::string line = AwaitOutput("listening on ");
    EXPECT_FALSE(line.empty());
    return line.substr(0, line.find(' '));
  }

 private:
  static std::vector<std::string> Arguments(const std::string& data_dir,
                                            std::vector<std::string> more) {
    std::vector<std::string> arguments = {"--listen", "127.0.0.1:0", "--data-dir", data_dir};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_E2E_TESTING_SERVER_PROCESS_H_
