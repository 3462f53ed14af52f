// A small finished job with its draws and trace, for a fake server to tell of.
#ifndef POSTERIORD_TESTS_CLIENT_TESTING_SAMPLE_JOB_H_
#define POSTERIORD_TESTS_CLIENT_TESTING_SAMPLE_JOB_H_

#include <cstdint>
#include <vector>

#include "posteriord/v1/job.pb.h"
#include "posteriord/v1/job_service.pb.h"

namespace posteriord::testing {

// A network 3 -> 2 with a teacher, two informed and two uninformed chains of 100 sweeps, and full
// diagnostics. A draw is "dense1.weight" (2, 3) and "dense1.bias" (2,): 8 numbers.
v1::Job SampleJob();
inline constexpr int kSampleParameters = 8;

// Entry `parameter` of draw `draw` of chain `chain`; exact in both precisions.
double SampleValue(int chain, std::int64_t draw, std::int64_t parameter);

struct DrawScript {
  std::vector<int> draws_per_chain = {6, 6, 6, 6};
  int warmup_draws = 0;  // the first so many of each chain
  int draws_per_chunk = 2;
  int parameters_per_chunk = 0;  // > 0: each draw is sent in parts of this size
  v1::Precision precision = v1::PRECISION_FLOAT64;
};

// The messages of a draw stream, without cursors: round by round a chunk of each chain, the end
// last.
std::vector<v1::StreamDrawsResponse> SampleDraws(const DrawScript& script = {});

// The messages of a trace stream, without cursors: `points` points of each of 4 chains, two per
// message, and the end. The last value of each first point is NaN.
std::vector<v1::StreamTraceResponse> SampleTrace(int points = 4);

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CLIENT_TESTING_SAMPLE_JOB_H_
