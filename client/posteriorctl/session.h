// What every command has: the console, the server, and one way to report.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_SESSION_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_SESSION_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/posteriorctl/console.h"
#include "google/protobuf/message.h"
#include "posteriord/client.h"

namespace posteriord::client {

enum ExitCode {
  kSuccess = 0,
  kRefused = 1,       // the server, or the file system, said no
  kMisuse = 2,        // wrong arguments or an unreadable job file
  kJobFailed = 3,     // the job that was watched failed
  kJobCancelled = 4,  // the job that was watched was cancelled
  kUnreachable = 5,   // the server could not be reached
  kNotProven = 6,     // a probe did not show that the sampler thermalizes
  kInterrupted = 130,
};

// Flags that every command takes.
struct GlobalFlags {
  std::string server = "127.0.0.1:7741";
  double timeout_seconds = 30;
  double reconnect_seconds = 300;
  bool json = false;
};

class Session {
 public:
  Session(Console& console, const GlobalFlags& flags);

  Console& console() { return console_; }
  Client& client() { return *client_; }
  // Whether results are wanted as protobuf JSON.
  bool json() const { return flags_.json; }
  // "posteriorctl", with what it takes to reach the same server again.
  std::string command() const;

  // Prints the error with the next step, and returns the exit code for it.
  ExitCode Report(const absl::Status& error);
  // Prints what is wrong with the arguments; returns kMisuse.
  ExitCode Misuse(const std::string& problem);
  // Prints a message as JSON, with the field names of the .proto files.
  void PrintJson(const google::protobuf::Message& message, bool one_line = false);
  // Prints a remark to `err`.
  void Note(const std::string& text);

  // While it exists, a lost connection is told to `callback` instead of noted.
  class RetryScope {
   public:
    RetryScope(Session& session, std::function<void(const std::string&)> callback)
        : session_(session) {
      session_.on_retry_ = std::move(callback);
    }
    ~RetryScope() { session_.on_retry_ = nullptr; }
    RetryScope(const RetryScope&) = delete;
    RetryScope& operator=(const RetryScope&) = delete;

   private:
    Session& session_;
  };

 private:
  void OnRetry(const absl::Status& cause, absl::Duration wait);

  Console& console_;
  const GlobalFlags flags_;
  std::function<void(const std::string&)> on_retry_;
  absl::Time last_retry_note_ = absl::InfinitePast();
  std::unique_ptr<Client> client_;
};

// A command with its arguments, ready to run.
using Command = std::function<ExitCode(Session&)>;

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_SESSION_H_
