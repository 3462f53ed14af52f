// Streams of draws and traces: gapless, resumable, and fair to slow readers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/testing/local_server.h"
#include "tests/e2e/testing/requests.h"
#include "tests/e2e/testing/results.h"

namespace posteriord::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using enum absl::StatusCode;

std::vector<std::int64_t> Counting(std::int64_t from, std::int64_t count) {
  std::vector<std::int64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), from);
  return numbers;
}

class StreamTest : public ::testing::Test {
 protected:
  Api& api() { return server_.api(); }

  std::string Create(const v1::CreateJobRequest& request) {
    const auto job = api().CreateJob(request);
    EXPECT_OK(job);
    return job.value_or(v1::Job()).name();
  }
  std::string CreateAndAwait(const v1::CreateJobRequest& request) {
    const std::string name = Create(request);
    EXPECT_OK(api().AwaitEnd(name));
    return name;
  }

  static v1::StreamDrawsRequest DrawsOf(const std::string& name) {
    v1::StreamDrawsRequest request;
    request.set_name(name);
    return request;
  }

  LocalServer server_;
};

TEST_F(StreamTest, FinishedJobIsReplayedOnceAndWhole) {
  const std::string name = CreateAndAwait(TeacherJob(300));
  const DrawStream stream = api().ReadDraws(DrawsOf(name));
  ASSERT_OK(stream.status);
  ASSERT_TRUE(stream.end.has_value());
  EXPECT_EQ(stream.end->state(), v1::Job::STATE_SUCCEEDED);
  ASSERT_THAT(stream.chains, SizeIs(4));
  for (const auto& [index, chain] : stream.chains) {
    EXPECT_EQ(chain.draws, Counting(0, 300));
    EXPECT_EQ(chain.sweeps, Counting(1, 300));
    EXPECT_EQ(chain.values.size(), 300 * (3 * 4 + 3 + 3 + 1) * sizeof(double));
  }
}

TEST_F(StreamTest, FollowedJobBringsTheSameAsAReplay) {
  const std::string name = Create(TeacherJob(3000));
  v1::StreamDrawsRequest request = DrawsOf(name);
  request.set_follow(true);
  const DrawStream followed = api().ReadDraws(request);
  ASSERT_OK(followed.status);
  EXPECT_EQ(followed.end->state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_TRUE(followed.chains == api().ReadDraws(DrawsOf(name)).chains);
}

TEST_F(StreamTest, EveryCursorContinuesWhereItsMessageEnded) {
  const std::string name = CreateAndAwait(TeacherJob(200));
  v1::StreamDrawsRequest request = DrawsOf(name);
  request.set_chunk_bytes(5000);  // about 32 draws
  const DrawStream whole = api().ReadDraws(request);
  ASSERT_OK(whole.status);
  ASSERT_THAT(whole.cursors, SizeIs(Gt(20)));

  for (std::size_t stop = 0; stop < whole.cursors.size(); ++stop) {
    DrawStream pieces;
    grpc::ClientContext context;
    const auto reader = api().jobs().StreamDraws(&context, request);
    v1::StreamDrawsResponse response;
    for (std::size_t message = 0; message <= stop; ++message) {
      ASSERT_TRUE(reader->Read(&response));
      if (response.has_chunk()) AddChunk(response.chunk(), pieces);
    }
    context.TryCancel();
    reader->Finish().error_code();  // CANCELLED, or OK when the stream had just ended
    v1::StreamDrawsRequest rest = request;
    rest.set_cursor(response.cursor());
    const DrawStream continued = api().ReadDraws(rest);
    ASSERT_OK(continued.status);
    for (const auto& [index, chain] : continued.chains) {
      ChainDraws& so_far = pieces.chains[index];
      so_far.draws.insert(so_far.draws.end(), chain.draws.begin(), chain.draws.end());
      so_far.sweeps.insert(so_far.sweeps.end(), chain.sweeps.begin(), chain.sweeps.end());
      so_far.values += chain.values;
    }
    EXPECT_TRUE(pieces.chains == whole.chains) << "after message " << stop;
  }
}

TEST_F(StreamTest, CursorSurvivesARestartOfTheServer) {
  const std::string name = CreateAndAwait(TeacherJob(200));
  v1::StreamDrawsRequest request = DrawsOf(name);
  request.set_chunk_bytes(5000);
  const DrawStream whole = api().ReadDraws(request);
  ASSERT_OK(whole.status);
  server_.Stop();
  server_.Start();
  request.set_cursor(whole.cursors[whole.cursors.size() - 2]);
  const DrawStream rest = api().ReadDraws(request);
  ASSERT_OK(rest.status);
  EXPECT_THAT(rest.chains, SizeIs(0));
  EXPECT_EQ(rest.end->state(), v1::Job::STATE_SUCCEEDED);
}

TEST_F(StreamTest, OnlyWhatIsSelectedIsSent) {
  v1::CreateJobRequest job = TeacherJob(20);
  v1::Schedule& schedule = *job.mutable_job()->mutable_spec()->mutable_schedule();
  schedule.set_warmup_sweeps(10);
  schedule.set_keep_warmup(true);
  const std::string name = CreateAndAwait(job);
  v1::StreamDrawsRequest request = DrawsOf(name);
  request.add_chains(2);
  request.add_parameters("dense2.weight");
  request.set_thinning(4);
  request.set_precision(v1::PRECISION_FLOAT32);
  const DrawStream stream = api().ReadDraws(request);
  ASSERT_OK(stream.status);
  ASSERT_THAT(stream.chains, SizeIs(1));
  const ChainDraws& chain = stream.chains.at(2);
  EXPECT_THAT(chain.draws, ElementsAre(12, 16, 20, 24, 28));
  EXPECT_THAT(chain.sweeps, ElementsAre(13, 17, 21, 25, 29));
  EXPECT_EQ(chain.values.size(), 5 * 3 * sizeof(float));

  request.set_include_warmup(true);
  const DrawStream with_warmup = api().ReadDraws(request);
  ASSERT_OK(with_warmup.status);
  EXPECT_THAT(with_warmup.chains.at(2).draws, ElementsAre(0, 4, 8, 12, 16, 20, 24, 28));
}

TEST_F(StreamTest, ParametersOfALargeDrawComeInParts) {
  const std::string name = CreateAndAwait(WideJob(2));
  grpc::ClientContext context;
  v1::StreamDrawsRequest request = DrawsOf(name);
  const auto reader = api().jobs().StreamDraws(&context, request);
  v1::StreamDrawsResponse response;
  std::map<std::int64_t, std::int64_t> parameters;  // received, by draw
  while (reader->Read(&response) && response.has_chunk()) {
    const v1::DrawChunk& chunk = response.chunk();
    ASSERT_EQ(chunk.draws_size(), 1);
    EXPECT_LE(chunk.values().size(), 65'536);
    EXPECT_EQ(chunk.first_parameter(), parameters[chunk.draws(0)]);
    EXPECT_EQ(chunk.values().size(), chunk.parameter_count() * sizeof(double));
    parameters[chunk.draws(0)] += chunk.parameter_count();
  }
  EXPECT_TRUE(response.has_end());
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(parameters, (std::map<std::int64_t, std::int64_t>{{0, 40'100}, {1, 40'100}}));
}

TEST_F(StreamTest, TracesHoldEverySchedulePointOfEveryChain) {
  v1::CreateJobRequest job = TeacherJob(100);
  v1::JobSpec& spec = *job.mutable_job()->mutable_spec();
  spec.mutable_observation()->set_max_points(16);
  spec.mutable_thermalization()->set_min_effective_sample_size(4);
  const std::string name = CreateAndAwait(job);
  v1::StreamTraceRequest request;
  request.set_name(name);
  request.set_points(v1::StreamTraceRequest::POINTS_EVEN);
  request.add_chains(1);
  const auto messages = api().ReadTrace(request);
  ASSERT_OK(messages);
  std::vector<std::int64_t> sweeps;
  for (const v1::StreamTraceResponse& message : *messages) {
    if (!message.has_chunk()) continue;
    sweeps.insert(sweeps.end(), message.chunk().sweeps().begin(), message.chunk().sweeps().end());
  }
  EXPECT_THAT(sweeps, ElementsAre(0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96));
  EXPECT_TRUE(messages->back().has_end());
}

TEST_F(StreamTest, DiagnosticsHistoryComesInOrder) {
  const std::string name = CreateAndAwait(TeacherJob(100));
  v1::StreamTraceRequest request;
  request.set_name(name);
  request.set_include_diagnostics(true);
  const auto messages = api().ReadTrace(request);
  ASSERT_OK(messages);
  std::int64_t sweep = -1;
  for (const v1::StreamTraceResponse& message : *messages) {
    if (!message.has_diagnostics()) continue;
    EXPECT_GT(message.diagnostics().sweep(), sweep);
    sweep = message.diagnostics().sweep();
  }
  EXPECT_EQ(sweep, 100);
}

TEST_F(StreamTest, ClientThatLeavesChangesNothing) {
  const std::string name = Create(TeacherJob(5000));
  for (int i = 0; i < 5; ++i) AwaitDraws(api(), name, 10);
  const auto job = api().AwaitEnd(name);
  ASSERT_OK(job);
  EXPECT_EQ(job->state(), v1::Job::STATE_SUCCEEDED);
}

TEST_F(StreamTest, ManyFollowersEachGetEverything) {
  const std::string name = Create(TeacherJob(2000));
  v1::StreamDrawsRequest request = DrawsOf(name);
  request.set_follow(true);
  std::vector<DrawStream> streams(8);
  std::vector<std::thread> threads;
  for (DrawStream& stream : streams) {
    threads.emplace_back([&, this] { stream = api().ReadDraws(request); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const DrawStream& stream : streams) {
    ASSERT_OK(stream.status);
    EXPECT_TRUE(stream.chains == streams[0].chains);
    EXPECT_EQ(stream.chains.at(3).draws, Counting(0, 2000));
  }
}

TEST_F(StreamTest, SlowReaderDoesNotHoldUpTheJobAndGetsEverything) {
  const std::string name = Create(WideJob(100));
  grpc::ClientContext context;
  v1::StreamDrawsRequest request = DrawsOf(name);
  request.set_follow(true);
  const auto reader = api().jobs().StreamDraws(&context, request);
  v1::StreamDrawsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  // Nothing is read while the job runs to its end.
  const auto job = api().AwaitEnd(name);
  ASSERT_OK(job);
  EXPECT_EQ(job->state(), v1::Job::STATE_SUCCEEDED);
  std::int64_t parameters = response.chunk().parameter_count();
  while (reader->Read(&response)) parameters += response.chunk().parameter_count();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(parameters, 100 * 40'100);
}

TEST_F(StreamTest, JobDeletedWhileItIsStreamedEndsTheStreamNotFound) {
  const std::string name = CreateAndAwait(WideJob(200));  // 64 MB: more than can be in flight
  grpc::ClientContext context;
  const auto reader = api().jobs().StreamDraws(&context, DrawsOf(name));
  v1::StreamDrawsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  ASSERT_OK(api().DeleteJob(name));
  bool ended = false;
  while (reader->Read(&response)) ended |= response.has_end();
  EXPECT_FALSE(ended);
  EXPECT_THAT(FromGrpc(reader->Finish()), StatusIs(kNotFound));
}

TEST_F(StreamTest, JobDeletedWhileItIsFollowedEndsTheStream) {
  const std::string name = Create(EndlessJob());
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::StreamDrawsResponse>>> readers;
  v1::StreamDrawsRequest request = DrawsOf(name);
  request.set_follow(true);
  for (int i = 0; i < 4; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    readers.push_back(api().jobs().StreamDraws(contexts.back().get(), request));
  }
  v1::StreamDrawsResponse response;
  for (const auto& reader : readers) ASSERT_TRUE(reader->Read(&response));
  ASSERT_OK(api().CancelJob(name));
  ASSERT_OK(api().DeleteJob(name));
  for (const auto& reader : readers) {
    bool ended = false;
    while (reader->Read(&response)) ended |= response.has_end();
    // Either the end was sent in time, or the job was gone; never half of it as if it were whole.
    const absl::Status status = FromGrpc(reader->Finish());
    EXPECT_EQ(status.code(), ended ? kOk : kNotFound);
  }
}

TEST(StreamLimitTest, OneStreamTooManyIsRefused) {
  server::ServerOptions options;
  options.max_streams = 2;
  LocalServer server(options);
  const auto job = server.api().CreateJob(EndlessJob());
  ASSERT_OK(job);
  v1::StreamDrawsRequest request;
  request.set_name(job->name());
  request.set_follow(true);
  grpc::ClientContext contexts[2];
  std::vector<std::unique_ptr<grpc::ClientReader<v1::StreamDrawsResponse>>> readers;
  v1::StreamDrawsResponse response;
  for (grpc::ClientContext& context : contexts) {
    readers.push_back(server.api().jobs().StreamDraws(&context, request));
    ASSERT_TRUE(readers.back()->Read(&response));
  }
  EXPECT_THAT(server.api().ReadDraws(request).status,
              StatusIs(kResourceExhausted, HasSubstr("streams")));
  for (grpc::ClientContext& context : contexts) context.TryCancel();
  for (const auto& reader : readers) EXPECT_FALSE(reader->Finish().ok());
}

}  // namespace
}  // namespace posteriord::testing
