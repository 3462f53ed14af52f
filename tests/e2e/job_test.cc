// The life of a job through the wire contract.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/testing/local_server.h"
#include "tests/e2e/testing/requests.h"

namespace posteriord::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum absl::StatusCode;

class JobTest : public ::testing::Test {
 protected:
  Api& api() { return server_.api(); }

  v1::Job Create(const v1::CreateJobRequest& request) {
    const auto job = api().CreateJob(request);
    EXPECT_OK(job);
    return job.value_or(v1::Job());
  }

  LocalServer server_;
};

TEST_F(JobTest, TeacherStudentJobEndsWithAVerdictAndAllItsDraws) {
  const v1::Job created = Create(TeacherJob(500));
  EXPECT_EQ(created.spec().chain_groups_size(), 2);
  const auto job = api().AwaitEnd(created.name());
  ASSERT_OK(job);
  EXPECT_EQ(job->state(), v1::Job::STATE_SUCCEEDED);
  ASSERT_THAT(job->chains(), SizeIs(4));
  for (const v1::ChainProgress& chain : job->chains()) EXPECT_EQ(chain.draws(), 500);
  const v1::Diagnostics& diagnostics = job->diagnostics();
  EXPECT_EQ(diagnostics.sweep(), 500);
  EXPECT_TRUE(diagnostics.state() == v1::THERMALIZATION_STATE_THERMALIZED ||
              diagnostics.state() == v1::THERMALIZATION_STATE_NOT_THERMALIZED)
      << v1::ThermalizationState_Name(diagnostics.state());
  EXPECT_THAT(diagnostics.observables(), SizeIs(job->observables_size()));
  EXPECT_TRUE(diagnostics.has_pooled_predictive_test_error());
  EXPECT_TRUE(diagnostics.has_informed_predictive_test_error());
  EXPECT_FALSE(diagnostics.explanation().empty());
}

TEST_F(JobTest, SummaryHasStatisticsOfEveryObservableOfTheState) {
  const v1::Job created = Create(TeacherJob(500));
  ASSERT_OK(api().AwaitEnd(created.name()));
  const auto summary = api().GetJobSummary(created.name());
  ASSERT_OK(summary);
  EXPECT_THAT(summary->chains(), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(summary->points_per_chain(), 500);
  EXPECT_THAT(summary->samplers(), IsEmpty());
  for (const v1::ObservableSummary& observable : summary->observables()) {
    EXPECT_TRUE(observable.has_mean()) << observable.name();
    EXPECT_TRUE(observable.has_rhat()) << observable.name();
    EXPECT_NE(observable.name(), "predictive_test_error");
  }
  EXPECT_THAT(api().GetJobSummary("jobs/none"), StatusIs(kNotFound));
}

TEST_F(JobTest, GradientSamplersSampleTheClassicalPosterior) {
  for (const char* sampler : {"hmc { leapfrog_steps: 5 }", "mala {}", "nuts {}"}) {
    v1::CreateJobRequest request = TeacherJob(200);
    v1::JobSpec& spec = *request.mutable_job()->mutable_spec();
    spec.mutable_network()->set_posterior(v1::Network::POSTERIOR_CLASSICAL);
    spec.mutable_schedule()->set_warmup_sweeps(200);
    *spec.mutable_sampler() = FromText<v1::Sampler>(sampler);
    const v1::Job created = Create(request);
    const auto job = api().AwaitEnd(created.name());
    ASSERT_OK(job);
    EXPECT_EQ(job->state(), v1::Job::STATE_SUCCEEDED) << job->error().message();
    const auto summary = api().GetJobSummary(created.name());
    ASSERT_OK(summary);
    ASSERT_THAT(summary->samplers(), SizeIs(4));
    for (const v1::SamplerSummary& chain : summary->samplers()) {
      EXPECT_GT(chain.acceptance(), 0.3) << sampler;
      EXPECT_GT(chain.step_size(), 0) << sampler;
    }
  }
}

TEST_F(JobTest, ImagesAreClassifiedByAConvolutionalNetwork) {
  v1::CreateJobRequest request = TeacherJob(50);
  v1::JobSpec& spec = *request.mutable_job()->mutable_spec();
  *spec.mutable_network() = FromText<v1::Network>(R"pb(
    input_shape { height: 6 width: 6 }
    layers { conv2d { channels: 2 kernel_height: 3 kernel_width: 3 } }
    layers { avg_pool2d { height: 2 width: 2 } }
    layers { activation { kind: KIND_ABSOLUTE } }
    layers { flatten {} }
    layers { dense { units: 3 } }
    noise_variance: 0.5
    likelihood { probit {} }
  )pb");
  spec.mutable_data()->mutable_gaussian()->set_dimension(36);
  const v1::Job created = Create(request);
  ASSERT_EQ(created.parameters_size(), 4);
  EXPECT_EQ(created.parameters(0).name(), "conv1.weight");
  EXPECT_THAT(created.parameters(0).shape(), ElementsAre(2, 1, 3, 3));
  EXPECT_THAT(created.parameters(2).shape(), ElementsAre(3, 8));
  const auto job = api().AwaitEnd(created.name());
  ASSERT_OK(job);
  EXPECT_EQ(job->state(), v1::Job::STATE_SUCCEEDED) << job->error().message();
}

TEST_F(JobTest, WatchSendsTheJobAtOnceThenNewerVersionsAndTheEnd) {
  const v1::Job created = Create(TeacherJob(2000));
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_name(created.name());
  request.set_min_interval_ms(0);
  const auto reader = api().jobs().WatchJob(&context, request);
  v1::WatchJobResponse response;
  std::int64_t version = 0;
  v1::Job::State state = v1::Job::STATE_UNSPECIFIED;
  while (reader->Read(&response)) {
    EXPECT_GT(response.job().version(), version);
    version = response.job().version();
    EXPECT_GE(response.job().state(), state);
    state = response.job().state();
  }
  ASSERT_TRUE(reader->Finish().ok());
  EXPECT_EQ(state, v1::Job::STATE_SUCCEEDED);
}

TEST_F(JobTest, CancelledJobEndsItsWatchersAndKeepsItsDraws) {
  const v1::Job created = Create(EndlessJob());
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_name(created.name());
  request.set_min_interval_ms(0);
  const auto reader = api().jobs().WatchJob(&context, request);
  v1::WatchJobResponse response;
  do {
    ASSERT_TRUE(reader->Read(&response));
  } while (response.job().chains(0).draws() == 0);
  const auto cancelled = api().CancelJob(created.name());
  ASSERT_OK(cancelled);
  EXPECT_EQ(cancelled->state(), v1::Job::STATE_CANCELLED);
  while (reader->Read(&response)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(response.job().state(), v1::Job::STATE_CANCELLED);
  EXPECT_EQ(response.job().version(), cancelled->version());

  v1::StreamDrawsRequest draws;
  draws.set_name(created.name());
  const DrawStream stream = api().ReadDraws(draws);
  ASSERT_OK(stream.status);
  EXPECT_EQ(stream.end->state(), v1::Job::STATE_CANCELLED);
  EXPECT_THAT(stream.chains.at(0).draws, SizeIs(cancelled->chains(0).draws()));
}

TEST_F(JobTest, RunningJobIsNotDeletedAndACancelledOneIs) {
  const v1::Job created = Create(EndlessJob());
  const absl::Status refused = api().DeleteJob(created.name());
  EXPECT_THAT(refused, StatusIs(kFailedPrecondition));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(refused)->reason(), "JOB_NOT_ENDED");
  ASSERT_OK(api().CancelJob(created.name()));
  EXPECT_OK(api().DeleteJob(created.name()));
  EXPECT_THAT(api().GetJob(created.name()), StatusIs(kNotFound));
}

TEST_F(JobTest, RepeatedRequestIsTheSameJob) {
  v1::CreateJobRequest request = TeacherJob(10);
  request.set_request_id("once");
  const v1::Job first = Create(request);
  EXPECT_EQ(Create(request).name(), first.name());
  request.mutable_job()->mutable_spec()->set_seed(99);
  EXPECT_THAT(api().CreateJob(request), StatusIs(kAlreadyExists));
}

TEST_F(JobTest, SimultaneousRequestsWithOneIdMakeOneJob) {
  v1::CreateJobRequest request = TeacherJob(10);
  request.set_request_id("once");
  std::vector<std::string> names(8);
  std::vector<std::thread> threads;
  for (std::string& name : names) {
    threads.emplace_back([&] { name = Create(request).name(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& name : names) EXPECT_EQ(name, names[0]);
  EXPECT_THAT(api().ListJobs({})->jobs(), SizeIs(1));
}

TEST_F(JobTest, ListsArePagedAndFiltered) {
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) {
    v1::CreateJobRequest request = TeacherJob(5);
    (*request.mutable_job()->mutable_labels())["parity"] = i % 2 == 0 ? "even" : "odd";
    names.push_back(Create(request).name());
    ASSERT_OK(api().AwaitEnd(names.back()));
  }
  v1::ListJobsRequest request;
  request.set_page_size(2);
  std::vector<std::string> listed;
  do {
    const auto page = api().ListJobs(request);
    ASSERT_OK(page);
    EXPECT_LE(page->jobs_size(), 2);
    for (const v1::Job& job : page->jobs()) listed.push_back(job.name());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(listed, ElementsAre(names[4], names[3], names[2], names[1], names[0]));

  request = {};
  (*request.mutable_labels())["parity"] = "odd";
  request.add_states(v1::Job::STATE_SUCCEEDED);
  EXPECT_THAT(api().ListJobs(request)->jobs(), SizeIs(2));
  request.clear_states();
  request.add_states(v1::Job::STATE_FAILED);
  EXPECT_THAT(api().ListJobs(request)->jobs(), IsEmpty());
}

TEST_F(JobTest, ValidateOnlyTellsNeedsAndCreatesNothing) {
  v1::CreateJobRequest request = TeacherJob(10);
  request.set_validate_only(true);
  const v1::Job job = Create(request);
  EXPECT_GT(job.estimate().memory_bytes(), 0);
  EXPECT_GT(job.estimate().disk_bytes(), 0);
  EXPECT_THAT(job.parameters(), SizeIs(4));
  EXPECT_THAT(api().ListJobs({})->jobs(), IsEmpty());
}

TEST_F(JobTest, ChainsStartWhereTheyAreTold) {
  v1::CreateJobRequest request = TeacherJob(1);
  v1::JobSpec& spec = *request.mutable_job()->mutable_spec();
  // All weights far from the prior: a chain that begins there shows it in its first draw.
  auto& values = *spec.add_chain_groups()->mutable_parameters()->mutable_values();
  values.Resize(3 * 4 + 3 + 3 + 1, 50.0);
  spec.add_chain_groups()->mutable_prior();
  spec.add_chain_groups()->mutable_zero();
  const v1::Job job = Create(request);
  ASSERT_OK(api().AwaitEnd(job.name()));
  v1::StreamTraceRequest trace;
  trace.set_name(job.name());
  const auto messages = api().ReadTrace(trace);
  ASSERT_OK(messages);
  int norm = -1;
  for (int i = 0; i < job.observables_size(); ++i) {
    if (job.observables(i).name() == "dense1.weight_norm") norm = i;
  }
  ASSERT_GE(norm, 0);
  std::map<int, double> first;
  for (const v1::StreamTraceResponse& message : *messages) {
    if (message.has_chunk() && message.chunk().sweeps(0) == 0) {
      first[message.chunk().chain()] = message.chunk().values(norm);
    }
  }
  EXPECT_NEAR(first[0], 50 * std::sqrt(12), 1e-9);
  EXPECT_GT(first[1], 0);
  EXPECT_EQ(first[2], 0);
}

}  // namespace
}  // namespace posteriord::testing
