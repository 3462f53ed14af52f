#include "client/posteriorctl/session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/posteriorctl/text.h"
#include "google/protobuf/util/json_util.h"
#include "posteriord/error.h"

namespace posteriord::client {
namespace {

constexpr absl::Duration kRetryNoteInterval = absl::Seconds(10);

}  // namespace

Session::Session(Console& console, const GlobalFlags& flags) : console_(console), flags_(flags) {
  ClientOptions options;
  options.timeout = absl::Seconds(flags.timeout_seconds);
  options.reconnect_timeout = absl::Seconds(flags.reconnect_seconds);
  options.on_retry = [this](const absl::Status& cause, absl::Duration wait) {
    OnRetry(cause, wait);
  };
  client_ = Client::Connect(flags.server, std::move(options));
}

std::string Session::command() const {
  return flags_.server == GlobalFlags().server
             ? "posteriorctl"
             : absl::StrCat("posteriorctl --server ", flags_.server);
}

ExitCode Session::Report(const absl::Status& error) {
  if (console_.interrupts.happened()) return kInterrupted;
  if (absl::IsUnavailable(error)) {
    console_.err << "posteriorctl: cannot reach the server at " << flags_.server << ": "
                 << error.message() << "\n"
                 << "  start it:               posteriord --data-dir DIRECTORY"
                 << (flags_.server == GlobalFlags().server ? "" : " --listen " + flags_.server)
                 << "\n"
                 << "  or name a running one:  posteriorctl --server HOST:PORT ..., or set "
                    "POSTERIORD_SERVER\n";
    return kUnreachable;
  }
  console_.err << "posteriorctl: " << DescribeError(error) << "\n";
  if (absl::IsDeadlineExceeded(error)) {
    console_.err << "  no answer within " << ShortDuration(absl::Seconds(flags_.timeout_seconds))
                 << "; wait longer with --timeout SECONDS\n";
  }
  return kRefused;
}

ExitCode Session::Misuse(const std::string& problem) {
  console_.err << "posteriorctl: " << problem << "\n";
  return kMisuse;
}

void Session::PrintJson(const google::protobuf::Message& message, bool one_line) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = !one_line;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  console_.out << (status.ok() ? json : status.ToString()) << (one_line ? "\n" : "");
}

void Session::Note(const std::string& text) { console_.err << text << "\n" << std::flush; }

void Session::OnRetry(const absl::Status& cause, absl::Duration wait) {
  const std::string text = absl::StrCat("connection lost, trying again in ", ShortDuration(wait),
                                        " (", Printable(std::string(cause.message())), ")");
  if (on_retry_) {
    on_retry_(text);
    return;
  }
  const absl::Time now = absl::Now();
  if (now - last_retry_note_ < kRetryNoteInterval) return;
  last_retry_note_ = now;
  Note(text);
}

}  // namespace posteriord::client
