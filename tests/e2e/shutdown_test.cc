// A server that stops leaves nothing half done, and is quick about it.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/testing/local_server.h"
#include "tests/e2e/testing/requests.h"
#include "tests/e2e/testing/results.h"

namespace posteriord::testing {
namespace {

using ::testing::HasSubstr;
using enum absl::StatusCode;

// Bytes of a message of a service whose generated code is not packaged.
grpc::ByteBuffer Bytes(const std::string& text) {
  grpc::Slice slice(text);
  return grpc::ByteBuffer(&slice, 1);
}
std::string Text(const grpc::ByteBuffer& bytes) {
  grpc::Slice slice;
  EXPECT_TRUE(bytes.DumpToSingleSlice(&slice).ok());
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

// Sends one message to a method of another service and returns the first of its answers.
std::string CallGeneric(Api& api, const std::string& method, const std::string& message) {
  grpc::GenericStub stub(api.channel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto await = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto stream = stub.PrepareCall(&context, method, &queue);
  stream->StartCall(nullptr);
  EXPECT_TRUE(await());
  stream->Write(Bytes(message), nullptr);
  EXPECT_TRUE(await());
  stream->WritesDone(nullptr);
  EXPECT_TRUE(await());
  grpc::ByteBuffer answer;
  stream->Read(&answer, nullptr);
  EXPECT_TRUE(await());
  grpc::Status status;
  stream->Finish(&status, nullptr);
  EXPECT_TRUE(await());
  EXPECT_TRUE(status.ok()) << status.error_message();
  queue.Shutdown();
  return Text(answer);
}

TEST(ServingTest, HealthChecksAreAnswered) {
  LocalServer server;
  // HealthCheckResponse{status: SERVING}
  EXPECT_EQ(CallGeneric(server.api(), "/grpc.health.v1.Health/Check", ""), "\x08\x01");
}

TEST(ServingTest, ReflectionNamesTheServices) {
  LocalServer server;
  // ServerReflectionRequest{list_services: "*"}
  const std::string answer = CallGeneric(
      server.api(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "\x3a\x01*");
  EXPECT_THAT(answer, HasSubstr("posteriord.v1.JobService"));
  EXPECT_THAT(answer, HasSubstr("posteriord.v1.DatasetService"));
}

TEST(ShutdownTest, FollowersAreToldToComeBackAndTheServerIsQuick) {
  LocalServer server;
  Api& api = server.api();
  const auto job = api.CreateJob(EndlessJob());
  ASSERT_OK(job);
  grpc::ClientContext draws_context, trace_context, watch_context, idle_context;
  v1::StreamDrawsRequest draws_request;
  draws_request.set_name(job->name());
  draws_request.set_follow(true);
  const auto draws = api.jobs().StreamDraws(&draws_context, draws_request);
  v1::StreamTraceRequest trace_request;
  trace_request.set_name(job->name());
  trace_request.set_follow(true);
  const auto trace = api.jobs().StreamTrace(&trace_context, trace_request);
  v1::WatchJobRequest watch_request;
  watch_request.set_name(job->name());
  const auto watch = api.jobs().WatchJob(&watch_context, watch_request);
  v1::StreamDrawsResponse draw;
  v1::StreamTraceResponse point;
  v1::WatchJobResponse view;
  ASSERT_TRUE(draws->Read(&draw));
  ASSERT_TRUE(trace->Read(&point));
  ASSERT_TRUE(watch->Read(&view));

  const auto start = std::chrono::steady_clock::now();
  server.Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));

  while (draws->Read(&draw)) {
  }
  while (trace->Read(&point)) {
  }
  while (watch->Read(&view)) {
  }
  for (const grpc::Status& status : {draws->Finish(), trace->Finish(), watch->Finish()}) {
    EXPECT_THAT(FromGrpc(status), StatusIs(kUnavailable));
  }
}

TEST(ShutdownTest, ReaderThatNeverReadsDoesNotHoldUpTheEnd) {
  LocalServer server;
  Api& api = server.api();
  const auto job = api.CreateJob(WideJob(100));
  ASSERT_OK(job);
  ASSERT_OK(api.AwaitEnd(job->name()));
  grpc::ClientContext context;
  v1::StreamDrawsRequest request;
  request.set_name(job->name());
  const auto reader = api.jobs().StreamDraws(&context, request);
  v1::StreamDrawsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  const auto start = std::chrono::steady_clock::now();
  server.Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  while (reader->Read(&response)) {
  }
  EXPECT_FALSE(reader->Finish().ok());
}

TEST(ShutdownTest, JobGoesOnAfterwards) {
  LocalServer server;
  const auto job = server.api().CreateJob(TeacherJob(10'000));
  ASSERT_OK(job);
  AwaitDraws(server.api(), job->name(), 100);
  server.Stop();
  server.Start();
  const auto ended = server.api().AwaitEnd(job->name());
  ASSERT_OK(ended);
  EXPECT_EQ(ended->state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_EQ(ended->chains(0).draws(), 10'000);
}

TEST(StartTest, SecondServerOnTheSameDirectoryIsRefused) {
  LocalServer server;
  const auto second = server::Server::Start(server.options());
  EXPECT_THAT(second, StatusIs(kFailedPrecondition, HasSubstr(server.options().data_dir)));
}

TEST(StartTest, TakenPortIsRefusedNamingTheAddress) {
  LocalServer server;
  const TemporaryDirectory directory;
  server::ServerOptions options = server.options();
  options.listen = server.server().address();
  options.data_dir = directory / "data";
  const auto second = server::Server::Start(options);
  EXPECT_THAT(second, StatusIs(kUnavailable, HasSubstr(options.listen)));
}

}  // namespace
}  // namespace posteriord::testing
