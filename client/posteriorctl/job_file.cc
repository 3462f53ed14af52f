#include "client/posteriorctl/job_file.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"

namespace posteriord::client {
namespace {

constexpr char kShape[] =
    "a job file holds a posteriord.v1.Job: display_name, labels and, under \"spec\", what to "
    "sample";

// "file:line:column: ", both counted from 1.
std::string Position(const std::string& file_name, std::size_t line, std::size_t column) {
  return absl::StrCat(file_name, ":", line, ":", column, ": ");
}

// Collects what the text parser complains about.
class Complaints : public google::protobuf::io::ErrorCollector {
 public:
  explicit Complaints(const std::string& file_name) : file_name_(file_name) {}

  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    lines_.push_back(absl::StrCat(Position(file_name_, static_cast<std::size_t>(line) + 1,
                                           static_cast<std::size_t>(column) + 1),
                                  message));
    // A job file that is the spec itself is the likely mistake.
    if (absl::StrContains(message, "\"posteriord.v1.Job\" has no field")) lines_.push_back(kShape);
  }

  std::string text() const { return absl::StrJoin(lines_, "\n"); }

 private:
  const std::string& file_name_;
  std::vector<std::string> lines_;
};

absl::StatusOr<v1::Job> ParseText(const std::string& file_name, const std::string& text) {
  Complaints complaints(file_name);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&complaints);
  v1::Job job;
  if (!parser.ParseFromString(text, &job)) return absl::InvalidArgumentError(complaints.text());
  return job;
}

// Where `text` stops being JSON; empty when it does not. Protobuf's parser does not tell lines.
std::string JsonSyntaxError(const std::string& file_name, const std::string& text) {
  try {
    const nlohmann::json parsed = nlohmann::json::parse(text);
    return "";
  } catch (const nlohmann::json::parse_error& error) {
    const std::string before = text.substr(0, std::min(error.byte, text.size()));
    const auto line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    const std::size_t line_start = line == 0 ? 0 : before.rfind('\n') + 1;
    const std::string what = error.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: <what>".
    const std::size_t colon = what.find(": ");
    return absl::StrCat(
        Position(file_name, line + 1, std::max<std::size_t>(before.size() - line_start, 1)),
        colon == std::string::npos ? what : what.substr(colon + 2));
  }
}

absl::StatusOr<v1::Job> ParseJson(const std::string& file_name, const std::string& text) {
  v1::Job job;
  const auto status = google::protobuf::util::JsonStringToMessage(text, &job);
  if (status.ok()) return job;
  if (const std::string error = JsonSyntaxError(file_name, text); !error.empty()) {
    return absl::InvalidArgumentError(error);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(file_name, ": ", std::string(status.message()), "\n", kShape));
}

}  // namespace

absl::StatusOr<v1::Job> ParseJobFile(const std::string& file_name, const std::string& text) {
  const std::string extension = std::filesystem::path(file_name).extension().string();
  if (extension == ".json") return ParseJson(file_name, text);
  for (const char* known : {".textproto", ".txtpb", ".pbtxt", ".txt"}) {
    if (extension == known) return ParseText(file_name, text);
  }
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  const bool json = start != std::string::npos && text[start] == '{';
  return json ? ParseJson(file_name, text) : ParseText(file_name, text);
}

}  // namespace posteriord::client
