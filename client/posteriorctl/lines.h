// Draws and traces as lines of text, for other programs to read.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_LINES_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_LINES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "posteriord/v1/job.pb.h"
#include "posteriord/v1/job_service.pb.h"

namespace posteriord::client {

// Numbers are written with the fewest digits that read back as the same number (of the precision on
// the wire). JSON has no infinities and NaNs; they become null.

// One JSON object per draw, arrays nested by their shapes:
//
//   {"chain":0,"draw":12,"sweep":130,"warmup":false,"parameters":{"dense1.bias":[0.5,-1]}}
class DrawLines {
 public:
  // `arrays` are those selected, in the order in which they are sent.
  explicit DrawLines(std::vector<v1::ParameterArray> arrays);

  // Adds to `lines` the draws that `chunk`, which has passed CheckDrawChunk, completes; a draw in
  // parts is held until then. Errors: INTERNAL when the chunk does not continue what came before.
  absl::Status Append(const v1::DrawChunk& chunk, std::string& lines);

  // Whether no draw is held: what has come so far has gone to lines.
  bool complete() const { return parts_.empty(); }

 private:
  // A draw of which only a part has come.
  struct Part {
    std::string text;
    std::int64_t draw = 0;
    std::size_t array = 0;   // that the next value belongs to
    std::int64_t entry = 0;  // that the next value is
    std::int64_t next = 0;   // parameters so far
  };

  template <typename Float>
  void AppendValues(const char* values, std::int64_t count, Part& part) const;

  std::vector<v1::ParameterArray> arrays_;
  std::int64_t total_ = 0;
  std::map<int, Part> parts_;  // by chain
};

// Whether the sizes in a chunk fit each other and a draw of `parameters` numbers. Errors: INTERNAL.
absl::Status CheckDrawChunk(const v1::DrawChunk& chunk, std::int64_t parameters);

// As CheckDrawChunk, for traces.
absl::Status CheckTraceChunk(const v1::TraceChunk& chunk, int observables);

// {"chain":0,"sweep":130,"values":{"test_error":0.031}}
void AppendTraceJson(const v1::TraceChunk& chunk, const std::vector<std::string>& observables,
                     std::string& lines);

// "chain,sweep,test_error,...", and rows below it. NaN and infinities as Python writes them.
std::string TraceCsvHeader(const std::vector<std::string>& observables);
void AppendTraceCsv(const v1::TraceChunk& chunk, std::string& lines);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_LINES_H_
