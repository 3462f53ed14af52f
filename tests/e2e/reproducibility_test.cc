// The same spec and seed leave the same bits, whatever the server does meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/e2e/testing/local_server.h"
#include "tests/e2e/testing/requests.h"
#include "tests/e2e/testing/results.h"

namespace posteriord::testing {
namespace {

// What a job leaves on a server with so many threads and slices of this length, next to others.
Results SampleOn(int threads, std::chrono::milliseconds slice, const v1::CreateJobRequest& request,
                 int others) {
  server::ServerOptions options;
  options.threads = threads;
  options.slice = slice;
  LocalServer server(options);
  std::vector<std::string> names;
  for (int i = 0; i < others; ++i) {
    const auto other = server.api().CreateJob(EndlessJob());
    EXPECT_OK(other);
  }
  const auto job = server.api().CreateJob(request);
  EXPECT_OK(job);
  EXPECT_OK(server.api().AwaitEnd(job->name()));
  return ReadResults(server.api(), job->name());
}

TEST(ReproducibilityTest, DrawsDoNotDependOnThreadsSlicesOrOtherJobs) {
  const v1::CreateJobRequest request = TeacherJob(2000);
  const Results expected = SampleOn(1, std::chrono::milliseconds(200), request, 0);
  ASSERT_EQ(expected.draws.at(3).draws.size(), 2000);
  EXPECT_TRUE(SampleOn(2, std::chrono::milliseconds(200), request, 0) == expected);
  EXPECT_TRUE(SampleOn(8, std::chrono::milliseconds(200), request, 0) == expected);
  EXPECT_TRUE(SampleOn(2, std::chrono::milliseconds(1), request, 0) == expected);
  EXPECT_TRUE(SampleOn(8, std::chrono::milliseconds(7), request, 2) == expected);
}

TEST(ReproducibilityTest, Float32ProbitDrawsDoNotDependOnThreadsOrSlices) {
  v1::CreateJobRequest request = TeacherJob(500);
  v1::JobSpec& spec = *request.mutable_job()->mutable_spec();
  spec.set_precision(v1::PRECISION_FLOAT32);
  spec.mutable_network()->mutable_layers(2)->mutable_dense()->set_units(3);
  spec.mutable_network()->mutable_likelihood()->mutable_probit();
  const Results expected = SampleOn(1, std::chrono::milliseconds(200), request, 0);
  EXPECT_TRUE(SampleOn(8, std::chrono::milliseconds(2), request, 1) == expected);
}

TEST(ReproducibilityTest, OtherSeedsGiveOtherDraws) {
  v1::CreateJobRequest request = TeacherJob(50);
  const Results first = SampleOn(2, std::chrono::milliseconds(200), request, 0);
  request.mutable_job()->mutable_spec()->set_seed(4);
  EXPECT_FALSE(SampleOn(2, std::chrono::milliseconds(200), request, 0) == first);
}

TEST(ReproducibilityTest, DrawsDoNotDependOnRestarts) {
  const v1::CreateJobRequest request = TeacherJob(20'000);
  const Results expected = SampleOn(2, std::chrono::milliseconds(20), request, 0);

  server::ServerOptions options;
  options.threads = 2;
  options.slice = std::chrono::milliseconds(5);
  LocalServer server(options);
  const auto job = server.api().CreateJob(request);
  ASSERT_OK(job);
  for (const std::int64_t draws : {1, 4000, 9000, 16'000}) {
    AwaitDraws(server.api(), job->name(), draws);
    server.Stop();
    server.Start();
  }
  ASSERT_OK(server.api().AwaitEnd(job->name()));
  EXPECT_TRUE(ReadResults(server.api(), job->name()) == expected);
}

}  // namespace
}  // namespace posteriord::testing
