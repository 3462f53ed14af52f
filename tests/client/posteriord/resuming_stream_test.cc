#include "posteriord/resuming_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "posteriord/client.h"
#include "tests/client/testing/cutting_proxy.h"
#include "tests/client/testing/fake_server.h"
#include "tests/client/testing/sample_job.h"

namespace posteriord::client {
namespace {

using testing::CuttingProxy;
using ::testing::ElementsAre;
using testing::FakeServer;
using ::testing::HasSubstr;
using testing::SampleDraws;
using testing::SampleTrace;
using testing::Script;

ClientOptions Quick() {
  ClientOptions options;
  options.backoff = {absl::Microseconds(1), absl::Microseconds(10), 2};
  return options;
}

// What identifies a message, whatever its cursor.
std::string Key(const v1::StreamDrawsResponse& message) {
  return message.chunk().SerializeAsString();
}
std::string Key(const v1::StreamTraceResponse& message) {
  return message.chunk().SerializeAsString();
}

template <typename Response>
std::vector<std::string> ExpectedKeys(const std::vector<Response>& messages) {
  std::vector<std::string> keys;
  for (const Response& message : messages) {
    if (!message.has_end()) keys.push_back(Key(message));
  }
  return keys;
}

// Reads a stream to its end.
template <typename Stream>
std::pair<std::vector<std::string>, absl::Status> ReadKeys(Stream& stream) {
  std::vector<std::string> keys;
  while (true) {
    const auto message = stream.Next();
    if (!message.ok()) return {keys, message.status()};
    if (*message == nullptr) return {keys, absl::OkStatus()};
    keys.push_back(Key(**message));
  }
}

class ResumingStreamTest : public ::testing::Test {
 protected:
  ResumingStreamTest() {
    script_.draws = SampleDraws();
    script_.trace = SampleTrace();
  }

  // A client that knows that the server is there.
  static std::unique_ptr<Client> Reached(const std::string& address,
                                         ClientOptions options = Quick()) {
    auto client = Client::Connect(address, std::move(options));
    EXPECT_TRUE(client->ListJobs().ok());
    return client;
  }

  static v1::StreamDrawsRequest DrawsRequest() {
    v1::StreamDrawsRequest request;
    request.set_name("a1");
    request.set_thinning(1);
    return request;
  }

  FakeServer server_;
  Script& script_ = server_.script();
};

TEST_F(ResumingStreamTest, AWholeStreamArrivesInOrderAndEndsWithTheOutcome) {
  const auto client = Client::Connect(server_.address(), Quick());
  const auto stream = client->StreamDraws(DrawsRequest());
  const auto [keys, status] = ReadKeys(*stream);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(keys, ExpectedKeys(script_.draws));
  EXPECT_EQ(stream->outcome(), v1::Job::STATE_SUCCEEDED);
  EXPECT_EQ(script_.draw_requests.size(), 1u);
  EXPECT_EQ(script_.draw_requests[0].name(), "jobs/a1");
  const auto after_the_end = stream->Next();
  ASSERT_TRUE(after_the_end.ok());
  EXPECT_EQ(*after_the_end, nullptr);
}

// Breaks the first stream after k messages, for every k there is.
TEST_F(ResumingStreamTest, BrokenAtAnyMessageDrawsComeOnceAndInOrder) {
  const std::vector<std::string> expected = ExpectedKeys(script_.draws);
  const auto client = Reached(server_.address());
  for (int k = 0; k <= static_cast<int>(script_.draws.size()); ++k) {
    SCOPED_TRACE(k);
    script_.draw_requests.clear();
    script_.breaks = {k};
    const auto stream = client->StreamDraws(DrawsRequest());
    const auto [keys, status] = ReadKeys(*stream);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(keys, expected);
    EXPECT_EQ(stream->outcome(), v1::Job::STATE_SUCCEEDED);
    // After its last message a stream needs no other, however its call ended.
    const bool whole = k == static_cast<int>(script_.draws.size());
    ASSERT_EQ(script_.draw_requests.size(), whole ? 1u : 2u);
    if (!whole) {
      EXPECT_EQ(script_.draw_requests[1].cursor(), k == 0 ? "" : std::to_string(k));
    }
  }
}

TEST_F(ResumingStreamTest, BrokenAfterEveryMessageDrawsComeOnceAndInOrder) {
  const auto client = Reached(server_.address());
  script_.breaks.assign(script_.draws.size() - 1, 1);
  const auto stream = client->StreamDraws(DrawsRequest());
  const auto [keys, status] = ReadKeys(*stream);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(keys, ExpectedKeys(script_.draws));
  EXPECT_EQ(script_.draw_requests.size(), script_.draws.size());
}

TEST_F(ResumingStreamTest, BrokenAtAnyMessageTracesComeOnceAndInOrder) {
  const std::vector<std::string> expected = ExpectedKeys(script_.trace);
  const auto client = Reached(server_.address());
  for (int k = 0; k < static_cast<int>(script_.trace.size()); ++k) {
    SCOPED_TRACE(k);
    script_.breaks = {k, 1};
    v1::StreamTraceRequest request;
    request.set_name("a1");
    const auto stream = client->StreamTrace(request);
    const auto [keys, status] = ReadKeys(*stream);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(keys, expected);
  }
}

TEST_F(ResumingStreamTest, TheSelectionIsTheSameInEveryRequest) {
  const auto client = Reached(server_.address());
  script_.breaks = {1, 1, 1};
  v1::StreamDrawsRequest request = DrawsRequest();
  request.add_chains(2);
  request.set_thinning(3);
  request.set_follow(true);
  const auto stream = client->StreamDraws(request);
  ASSERT_TRUE(ReadKeys(*stream).second.ok());
  ASSERT_EQ(script_.draw_requests.size(), 4u);
  for (v1::StreamDrawsRequest& sent : script_.draw_requests) {
    sent.clear_cursor();
    EXPECT_EQ(sent.SerializeAsString(), script_.draw_requests[0].SerializeAsString());
  }
}

TEST_F(ResumingStreamTest, AConnectionResetAtAnyByteLosesAndRepeatsNothing) {
  testing::DrawScript long_script;
  long_script.draws_per_chain = {40, 40, 40, 40};
  script_.draws = SampleDraws(long_script);
  const std::vector<std::string> expected = ExpectedKeys(script_.draws);
  for (std::int64_t limit = 1000; limit < 6000; limit += 331) {
    SCOPED_TRACE(limit);
    CuttingProxy proxy(server_.port(), {limit, limit + 1, limit + 2, limit + 3});
    const auto client = Reached(proxy.address());
    const auto stream = client->StreamDraws(DrawsRequest());
    const auto [keys, status] = ReadKeys(*stream);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(keys, expected);
    EXPECT_GE(proxy.cuts(), 1);
  }
}

TEST_F(ResumingStreamTest, AServerThatIsRestartedIsFoundAgain) {
  const int port = server_.port();
  const auto client = Reached(server_.address());
  const std::vector<v1::StreamDrawsResponse> all = script_.draws;
  // The server that is stopped has only the beginning, and waits for more.
  script_.draws.resize(5);
  script_.hang = true;
  const auto stream = client->StreamDraws(DrawsRequest());
  std::vector<std::string> keys;
  for (int i = 0; i < 5; ++i) {
    const auto message = stream->Next();
    ASSERT_TRUE(message.ok()) << message.status();
    keys.push_back(Key(**message));
  }
  server_.Stop();
  FakeServer restarted(port);
  restarted.script().draws = all;
  const auto [rest, status] = ReadKeys(*stream);
  ASSERT_TRUE(status.ok()) << status;
  keys.insert(keys.end(), rest.begin(), rest.end());
  EXPECT_EQ(keys, ExpectedKeys(all));
}

TEST_F(ResumingStreamTest, AServerNeverReachedIsReportedAtOnce) {
  server_.Stop();
  const auto client = Client::Connect(server_.address(), Quick());
  EXPECT_TRUE(absl::IsUnavailable(client->StreamDraws(DrawsRequest())->Next().status()));
}

TEST_F(ResumingStreamTest, AServerThatStaysAwayEndsTheStreamAndALaterCallContinues) {
  ClientOptions options = Quick();
  options.reconnect_timeout = absl::ZeroDuration();
  const auto client = Reached(server_.address(), options);
  script_.breaks = {2};
  const auto stream = client->StreamDraws(DrawsRequest());
  const auto [first, lost] = ReadKeys(*stream);
  EXPECT_EQ(first.size(), 2u);
  EXPECT_TRUE(absl::IsUnavailable(lost)) << lost;
  EXPECT_THAT(std::string(lost.message()), HasSubstr("told to break"));
  EXPECT_EQ(stream->request().cursor(), "2");
  const auto [rest, status] = ReadKeys(*stream);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(rest.size() + 2, script_.draws.size() - 1);
}

TEST_F(ResumingStreamTest, ProgressGivesTheReconnectTimeoutAnewAndTheShortestWait) {
  ClientOptions options = Quick();
  options.backoff = {absl::Microseconds(8), absl::Seconds(1), 2};
  std::vector<absl::Duration> waits;
  options.on_retry = [&](const absl::Status&, absl::Duration wait) { waits.push_back(wait); };
  const auto client = Reached(server_.address(), options);
  script_.breaks.assign(10, 1);
  const auto stream = client->StreamDraws(DrawsRequest());
  ASSERT_TRUE(ReadKeys(*stream).second.ok());
  EXPECT_EQ(waits.size(), 10u);
  for (const absl::Duration wait : waits) EXPECT_LE(wait, absl::Microseconds(8));
}

TEST_F(ResumingStreamTest, WithoutProgressTheWaitsGrow) {
  ClientOptions options = Quick();
  options.backoff = {absl::Microseconds(8), absl::Seconds(1), 2};
  std::vector<absl::Duration> waits;
  options.on_retry = [&](const absl::Status&, absl::Duration wait) { waits.push_back(wait); };
  const auto client = Reached(server_.address(), options);
  script_.breaks.assign(6, 0);
  const auto stream = client->StreamDraws(DrawsRequest());
  ASSERT_TRUE(ReadKeys(*stream).second.ok());
  ASSERT_EQ(waits.size(), 6u);
  EXPECT_GE(waits[5], absl::Microseconds(8 * 32 / 2));
}

TEST_F(ResumingStreamTest, AStreamThatAServerOnItsWayDownCancelsIsResumed) {
  const auto client = Reached(server_.address());
  script_.answers = {{grpc::StatusCode::CANCELLED, "CANCELLED"}};
  const auto [keys, status] = ReadKeys(*client->StreamDraws(DrawsRequest()));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_FALSE(keys.empty());
}

TEST_F(ResumingStreamTest, OtherErrorsEndTheStream) {
  const auto client = Reached(server_.address());
  script_.draw_requests.clear();
  script_.answers = {{grpc::StatusCode::DATA_LOSS, "a record is damaged"}};
  const auto stream = client->StreamDraws(DrawsRequest());
  EXPECT_EQ(stream->Next().status(), absl::DataLossError("a record is damaged"));
  EXPECT_EQ(script_.draw_requests.size(), 1u);
}

TEST_F(ResumingStreamTest, AStreamWithoutAnEndIsAnError) {
  script_.draws.pop_back();
  const auto client = Client::Connect(server_.address(), Quick());
  const auto stream = client->StreamDraws(DrawsRequest());
  EXPECT_TRUE(absl::IsInternal(ReadKeys(*stream).second));
}

TEST_F(ResumingStreamTest, CancelEndsAReadThatWaits) {
  script_.draws.resize(1);
  script_.hang = true;
  const auto client = Client::Connect(server_.address(), Quick());
  const auto stream = client->StreamDraws(DrawsRequest());
  ASSERT_TRUE(stream->Next().ok());
  std::thread canceller([&] { stream->Cancel(); });
  EXPECT_TRUE(absl::IsCancelled(stream->Next().status()));
  canceller.join();
  EXPECT_TRUE(absl::IsCancelled(stream->Next().status()));
}

TEST_F(ResumingStreamTest, CancelEndsAWaitForTheServer) {
  ClientOptions options;
  options.backoff = {absl::Hours(1), absl::Hours(1), 1};
  options.reconnect_timeout = absl::InfiniteDuration();
  std::unique_ptr<DrawStream> stream;
  std::thread canceller;
  options.on_retry = [&](const absl::Status&, absl::Duration) {
    canceller = std::thread([&] { stream->Cancel(); });
  };
  const auto client = Reached(server_.address(), options);
  script_.breaks = {0};
  stream = client->StreamDraws(DrawsRequest());
  EXPECT_TRUE(absl::IsCancelled(stream->Next().status()));
  canceller.join();
}

TEST_F(ResumingStreamTest, AStreamLeftInTheMiddleIsClosed) {
  script_.hang = true;
  const auto client = Client::Connect(server_.address(), Quick());
  ASSERT_TRUE(client->StreamDraws(DrawsRequest())->Next().ok());
}

TEST_F(ResumingStreamTest, AStreamOutlivesItsClient) {
  auto client = Reached(server_.address());
  script_.breaks = {3};
  const auto stream = client->StreamDraws(DrawsRequest());
  client.reset();
  const auto [keys, status] = ReadKeys(*stream);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(keys, ExpectedKeys(script_.draws));
}

// ----- Watching -----

class WatchTest : public ResumingStreamTest {
 protected:
  void AddSnapshot(std::int64_t version, v1::Job::State state) {
    v1::Job& job = *script_.watch.emplace_back().mutable_job();
    job.set_version(version);
    job.set_state(state);
  }

  // The versions seen until the end.
  static std::vector<std::int64_t> Versions(JobWatch& watch) {
    std::vector<std::int64_t> versions;
    while (true) {
      const auto message = watch.Next();
      EXPECT_TRUE(message.ok()) << message.status();
      if (!message.ok() || *message == nullptr) return versions;
      versions.push_back((*message)->job().version());
    }
  }
};

TEST_F(WatchTest, HandsOutTheFinalSnapshotAndThenEnds) {
  AddSnapshot(1, v1::Job::STATE_QUEUED);
  AddSnapshot(2, v1::Job::STATE_RUNNING);
  AddSnapshot(5, v1::Job::STATE_CANCELLED);
  const auto client = Client::Connect(server_.address(), Quick());
  v1::WatchJobRequest request;
  request.set_name("a1");
  const auto watch = client->WatchJob(request);
  EXPECT_THAT(Versions(*watch), ElementsAre(1, 2, 5));
  EXPECT_EQ(watch->outcome(), v1::Job::STATE_CANCELLED);
}

TEST_F(WatchTest, BrokenOffItStartsAgainAndReachesTheFinalSnapshot) {
  AddSnapshot(1, v1::Job::STATE_RUNNING);
  AddSnapshot(2, v1::Job::STATE_RUNNING);
  AddSnapshot(3, v1::Job::STATE_SUCCEEDED);
  script_.breaks = {1, 2};
  const auto client = Reached(server_.address());
  v1::WatchJobRequest request;
  request.set_name("a1");
  const auto watch = client->WatchJob(request);
  EXPECT_THAT(Versions(*watch), ElementsAre(1, 1, 2, 1, 2, 3));
}

}  // namespace
}  // namespace posteriord::client
