// What a job leaves behind.
#ifndef POSTERIORD_TESTS_E2E_TESTING_RESULTS_H_
#define POSTERIORD_TESTS_E2E_TESTING_RESULTS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/e2e/testing/api.h"
#include "tests/testing/status.h"

namespace posteriord::testing {

// All draws, all trace points with the bits of their values, and all evaluations of the
// diagnostics.
struct Results {
  struct Trace {
    std::vector<std::int64_t> sweeps;
    std::string values;

    friend bool operator==(const Trace&, const Trace&) = default;
  };

  v1::Job::State state = v1::Job::STATE_UNSPECIFIED;
  std::map<int, ChainDraws> draws;
  std::map<int, Trace> traces;
  std::vector<std::string> diagnostics;

  friend bool operator==(const Results&, const Results&) = default;
};

inline Results ReadResults(Api& api, const std::string& job) {
  Results results;
  v1::StreamDrawsRequest draws;
  draws.set_name(job);
  draws.set_include_warmup(true);
  DrawStream stream = api.ReadDraws(draws);
  EXPECT_OK(stream.status);
  if (stream.end.has_value()) results.state = stream.end->state();
  results.draws = std::move(stream.chains);

  v1::StreamTraceRequest trace;
  trace.set_name(job);
  trace.set_include_diagnostics(true);
  const auto messages = api.ReadTrace(trace);
  EXPECT_OK(messages);
  if (!messages.ok()) return results;
  for (const v1::StreamTraceResponse& message : *messages) {
    if (message.has_diagnostics()) {
      results.diagnostics.push_back(message.diagnostics().SerializeAsString());
    } else if (message.has_chunk()) {
      const v1::TraceChunk& chunk = message.chunk();
      Results::Trace& chain = results.traces[chunk.chain()];
      chain.sweeps.insert(chain.sweeps.end(), chunk.sweeps().begin(), chunk.sweeps().end());
      chain.values.append(reinterpret_cast<const char*>(chunk.values().data()),
                          static_cast<std::size_t>(chunk.values_size()) * sizeof(double));
    }
  }
  return results;
}

// Waits until the first chain has made so many draws, or the job has ended.
inline void AwaitDraws(Api& api, const std::string& job, std::int64_t draws) {
  grpc::ClientContext context;
  v1::StreamDrawsRequest request;
  request.set_name(job);
  request.set_follow(true);
  request.add_chains(0);
  const auto reader = api.jobs().StreamDraws(&context, request);
  v1::StreamDrawsResponse response;
  std::int64_t received = 0;
  while (received < draws && reader->Read(&response)) received += response.chunk().draws_size();
  context.TryCancel();
  reader->Finish().error_code();
}

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_E2E_TESTING_RESULTS_H_
