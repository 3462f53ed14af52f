// Jobs that stop before their schedule is spent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/e2e/testing/local_server.h"
#include "tests/e2e/testing/requests.h"
#include "tests/e2e/testing/results.h"

namespace posteriord::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kDraws = 10'000'000;  // minutes of sampling

// The teacher's job under stop rules.
v1::CreateJobRequest StoppingJob(const std::string& rules) {
  v1::CreateJobRequest request = TeacherJob(kDraws);
  *request.mutable_job()->mutable_spec()->mutable_stop() = FromText<v1::StopRules>(rules);
  return request;
}

v1::Job RunJob(LocalServer& server, const v1::CreateJobRequest& request) {
  const auto created = server.api().CreateJob(request);
  EXPECT_OK(created);
  if (!created.ok()) return {};
  EXPECT_OK(server.api().AwaitEnd(created->name()));
  const auto job = server.api().GetJob(created->name());
  EXPECT_OK(job);
  return job.value_or(v1::Job());
}

server::ServerOptions Options(int threads, std::chrono::milliseconds slice) {
  server::ServerOptions options;
  options.threads = threads;
  options.slice = slice;
  return options;
}

TEST(StopTest, ThermalizedJobStopsAtTheSameSweepOnEveryServer) {
  const v1::CreateJobRequest request = StoppingJob("thermalized: true");
  LocalServer server(Options(1, std::chrono::milliseconds(200)));
  const v1::Job job = RunJob(server, request);
  EXPECT_EQ(job.state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_EQ(job.diagnostics().state(), v1::THERMALIZATION_STATE_THERMALIZED);
  EXPECT_THAT(job.stop_reason(), HasSubstr("Thermalized since sweep"));
  EXPECT_EQ(job.diagnostics().stop_reason(), job.stop_reason());
  for (const v1::ChainProgress& chain : job.chains()) {
    EXPECT_EQ(chain.sweeps(), job.diagnostics().sweep());
    EXPECT_EQ(chain.draws(), job.diagnostics().sweep());
    EXPECT_EQ(chain.total_sweeps(), kDraws);
  }

  LocalServer other(Options(8, std::chrono::milliseconds(1)));
  const v1::Job again = RunJob(other, request);
  EXPECT_EQ(again.stop_reason(), job.stop_reason());
  EXPECT_TRUE(ReadResults(other.api(), again.name()) == ReadResults(server.api(), job.name()));
}

TEST(StopTest, StoppedJobIsTheBeginningOfALongerOne) {
  LocalServer server;
  const v1::Job stopped = RunJob(server, StoppingJob("ess_above: 200"));
  const std::int64_t sweeps = stopped.diagnostics().sweep();
  const v1::Job longer = RunJob(server, TeacherJob(2 * sweeps));
  const Results results = ReadResults(server.api(), stopped.name());
  const Results expected = ReadResults(server.api(), longer.name());
  for (const auto& [chain, draws] : results.draws) {
    EXPECT_EQ(draws.draws.size(), sweeps);
    EXPECT_EQ(expected.draws.at(chain).values.substr(0, draws.values.size()), draws.values);
  }
}

TEST(StopTest, SpentWallTimeStopsTheJobAndKeepsItsDraws) {
  LocalServer server(Options(2, std::chrono::milliseconds(20)));
  const v1::Job job = RunJob(server, StoppingJob("wall_time { seconds: 1 nanos: 500000000 }"));
  EXPECT_EQ(job.state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_EQ(job.stop_reason(), "The wall time of 1.5 s is spent.");
  const Results results = ReadResults(server.api(), job.name());
  EXPECT_EQ(results.state, v1::Job::STATE_SUCCEEDED);
  for (const v1::ChainProgress& chain : job.chains()) {
    EXPECT_GT(chain.draws(), 0);
    EXPECT_EQ(results.draws.at(chain.chain()).draws.size(), chain.draws());
  }
}

TEST(StopTest, RulesThatCannotBeMetAreRefused) {
  LocalServer server;
  v1::CreateJobRequest request = StoppingJob("thermalized: true rhat_below: 0.5");
  request.mutable_job()->mutable_spec()->add_chain_groups()->set_chains(4);
  EXPECT_THAT(ViolatedFields(server.api().CreateJob(request).status()),
              ElementsAre("spec.stop.thermalized", "spec.stop.rhat_below"));
}

}  // namespace
}  // namespace posteriord::testing
