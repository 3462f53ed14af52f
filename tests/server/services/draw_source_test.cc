#include "server/services/draw_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/store/testing/sqlite_server.h"
#include "tests/testing/proto.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kJobId[] = "job1";
constexpr int kParameters = 5;

// Value of a parameter that says where it is from.
double ValueOf(int chain, std::int64_t draw, int parameter) {
  return 1000.0 * chain + static_cast<double>(draw) + 0.125 * parameter;
}

// A job of two chains with a weight of shape [2, 2] and a bias of shape [1].
class DrawSourceTest : public ::testing::Test {
 protected:
  DrawSourceTest() {
    job_ = posteriord::testing::FromText<v1::Job>(R"pb(
      spec { schedule { storage: PRECISION_FLOAT64 } }
      chains {}
      chains { chain: 1 }
      parameters { name: "dense1.weight" shape: 2 shape: 2 offset: 0 }
      parameters { name: "dense1.bias" shape: 1 offset: 4 }
    )pb");
    JobRecord record;
    record.id = kJobId;
    record.create_time_us = 1;
    EXPECT_THAT(server_.store().CreateJob(record, 2, "", ""), testing::IsOk());
    EXPECT_THAT(server_.store().SetState(kJobId, {JobState::kQueued}, JobState::kRunning, 2, ""),
                testing::IsOk());
  }

  // Appends draws to a chain in records of `per_record`.
  void Append(int chain, int count, int per_record, int warmup = 0) {
    ChainCommit commit;
    commit.chain = chain;
    std::int64_t& next = stored_[chain];
    commit.expected_draws = next;
    for (int done = 0; done < count; done += per_record) {
      DrawRecord record;
      record.first_draw = next;
      for (int i = 0; i < std::min(per_record, count - done); ++i, ++next) {
        record.sweeps.push_back(10 * next + 10);
        if (next < warmup) ++record.warmup_draws;
        for (int p = 0; p < kParameters; ++p) {
          const double value = ValueOf(chain, next, p);
          record.values.append(reinterpret_cast<const char*>(&value), sizeof(value));
        }
      }
      commit.draws.push_back(std::move(record));
    }
    commit.sweeps = 10 * next;
    ASSERT_THAT(server_.store().Commit(kJobId, commit), testing::IsOk());
  }

  void Finish() {
    ASSERT_THAT(server_.store().SetState(kJobId, {JobState::kRunning}, JobState::kSucceeded, 3, ""),
                testing::IsOk());
  }

  std::unique_ptr<StreamSource<v1::StreamDrawsResponse>> Open(
      const v1::StreamDrawsRequest& request) {
    auto source = MakeDrawSource(server_.store(), kJobId, job_, request);
    EXPECT_THAT(source, testing::IsOk());
    return *std::move(source);
  }

  std::vector<v1::StreamDrawsResponse> ReadAll(StreamSource<v1::StreamDrawsResponse>& source) {
    std::vector<v1::StreamDrawsResponse> messages;
    while (!source.finished()) {
      auto next = source.Next();
      EXPECT_THAT(next, testing::IsOk());
      if (!next.ok() || !next->has_value()) break;
      messages.push_back(**std::move(next));
    }
    return messages;
  }

  // Draws of each chain put together from messages: chain -> draw -> values.
  static std::map<int, std::map<std::int64_t, std::vector<double>>> Assemble(
      const std::vector<v1::StreamDrawsResponse>& messages) {
    std::map<int, std::map<std::int64_t, std::vector<double>>> chains;
    for (const v1::StreamDrawsResponse& message : messages) {
      if (!message.has_chunk()) continue;
      const v1::DrawChunk& chunk = message.chunk();
      EXPECT_EQ(chunk.values().size(),
                static_cast<std::size_t>(chunk.draws_size() * chunk.parameter_count() * 8));
      const char* at = chunk.values().data();
      for (const std::int64_t draw : chunk.draws()) {
        std::vector<double>& values = chains[chunk.chain()][draw];
        EXPECT_EQ(static_cast<std::int64_t>(values.size()), chunk.first_parameter());
        for (std::int64_t p = 0; p < chunk.parameter_count(); ++p, at += 8) {
          double value;
          std::memcpy(&value, at, 8);
          values.push_back(value);
        }
      }
    }
    return chains;
  }

  SqliteServer server_;
  v1::Job job_;
  std::map<int, std::int64_t> stored_;
};

TEST_F(DrawSourceTest, FinishedJobIsSentWholeAndOnceThenTheOutcome) {
  Append(0, 7, 3);
  Append(1, 4, 2);
  Finish();
  const auto source = Open({});
  const auto messages = ReadAll(*source);
  const auto chains = Assemble(messages);
  ASSERT_EQ(chains.at(0).size(), 7u);
  ASSERT_EQ(chains.at(1).size(), 4u);
  for (const auto& [chain, draws] : chains) {
    for (const auto& [draw, values] : draws) {
      ASSERT_EQ(values.size(), static_cast<std::size_t>(kParameters));
      for (int p = 0; p < kParameters; ++p) EXPECT_EQ(values[p], ValueOf(chain, draw, p));
    }
  }
  EXPECT_EQ(messages.back().end().state(), v1::Job::STATE_SUCCEEDED);
}

TEST_F(DrawSourceTest, ResumedAtAnyCursorGivesTheRest) {
  Append(0, 500, 7);
  Append(1, 300, 11);
  Finish();
  v1::StreamDrawsRequest request;
  request.set_chunk_bytes(1024);
  const auto messages = ReadAll(*Open(request));
  ASSERT_GT(messages.size(), 20u);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    request.set_cursor(messages[i].cursor());
    const auto rest = ReadAll(*Open(request));
    std::vector<v1::StreamDrawsResponse> all(messages.begin(), messages.begin() + i + 1);
    all.insert(all.end(), rest.begin(), rest.end());
    const auto chains = Assemble(all);
    EXPECT_EQ(chains.at(0).size(), 500u) << i;
    EXPECT_EQ(chains.at(1).size(), 300u) << i;
    for (const auto& [chain, draws] : chains) {
      for (const auto& [draw, values] : draws) ASSERT_EQ(values.size(), 5u) << i;
    }
  }
}

TEST_F(DrawSourceTest, FollowingWaitsForWhatIsNotThereYet) {
  v1::StreamDrawsRequest request;
  request.set_follow(true);
  const auto source = Open(request);
  EXPECT_THAT(ReadAll(*source), IsEmpty());
  Append(1, 2, 2);
  EXPECT_EQ(Assemble(ReadAll(*source)).at(1).size(), 2u);
  Append(0, 1, 1);
  EXPECT_EQ(Assemble(ReadAll(*source)).at(0).size(), 1u);
  EXPECT_FALSE(source->finished());
  Finish();
  EXPECT_THAT(ReadAll(*source), ::testing::SizeIs(1));
  EXPECT_TRUE(source->finished());
}

TEST_F(DrawSourceTest, WithoutFollowEndsWithTheStateOfTheRunningJob) {
  Append(0, 1, 1);
  EXPECT_EQ(ReadAll(*Open({})).back().end().state(), v1::Job::STATE_RUNNING);
}

TEST_F(DrawSourceTest, WarmupIsLeftOutUnlessAskedFor) {
  Append(0, 10, 4, /*warmup=*/6);
  Finish();
  EXPECT_EQ(Assemble(ReadAll(*Open({}))).at(0).begin()->first, 6);
  v1::StreamDrawsRequest request;
  request.set_include_warmup(true);
  int warmup = 0;
  int draws = 0;
  for (const auto& message : ReadAll(*Open(request))) {
    warmup += message.chunk().warmup_draws();
    draws += message.chunk().draws_size();
  }
  EXPECT_EQ(warmup, 6);
  EXPECT_EQ(draws, 10);
}

TEST_F(DrawSourceTest, ThinningKeepsMultiplesAndTheirSweeps) {
  Append(0, 20, 6);
  Finish();
  v1::StreamDrawsRequest request;
  request.set_thinning(6);
  const auto messages = ReadAll(*Open(request));
  EXPECT_THAT(messages.front().chunk().draws(), ElementsAre(0, 6, 12, 18));
  EXPECT_THAT(messages.front().chunk().sweeps(), ElementsAre(10, 70, 130, 190));
}

TEST_F(DrawSourceTest, SelectedParametersAndChainsAlone) {
  Append(0, 2, 2);
  Append(1, 2, 2);
  Finish();
  v1::StreamDrawsRequest request;
  request.add_chains(1);
  request.add_parameters("dense1.bias");
  const auto chains = Assemble(ReadAll(*Open(request)));
  EXPECT_EQ(chains.size(), 1u);
  EXPECT_THAT(chains.at(1).at(1), ElementsAre(ValueOf(1, 1, 4)));
}

TEST_F(DrawSourceTest, Float32OnTheWireIsTheRoundedValue) {
  Append(0, 3, 3);
  Finish();
  v1::StreamDrawsRequest request;
  request.set_precision(v1::PRECISION_FLOAT32);
  const v1::DrawChunk chunk = ReadAll(*Open(request)).front().chunk();
  EXPECT_EQ(chunk.precision(), v1::PRECISION_FLOAT32);
  ASSERT_EQ(chunk.values().size(), 3u * kParameters * 4u);
  float last;
  std::memcpy(&last, chunk.values().data() + chunk.values().size() - 4, 4);
  EXPECT_EQ(last, static_cast<float>(ValueOf(0, 2, 4)));
}

TEST_F(DrawSourceTest, BadRequestsNameTheField) {
  const auto violated = [&](const v1::StreamDrawsRequest& request) {
    return posteriord::testing::ViolatedFields(
        MakeDrawSource(server_.store(), kJobId, job_, request).status());
  };
  v1::StreamDrawsRequest request;
  request.set_cursor("nonsense");
  EXPECT_THAT(violated(request), ElementsAre("cursor"));
  request.Clear();
  request.add_chains(0);
  request.add_chains(2);
  EXPECT_THAT(violated(request), ElementsAre("chains[1]"));
  request.Clear();
  request.add_parameters("dense2.weight");
  EXPECT_THAT(violated(request), ElementsAre("parameters[0]"));
  request.Clear();
  request.set_thinning(-1);
  EXPECT_THAT(violated(request), ElementsAre("thinning"));
  request.Clear();
  request.set_chunk_bytes(5);
  EXPECT_THAT(violated(request), ElementsAre("chunk_bytes"));
}

TEST_F(DrawSourceTest, CursorOfAnotherSelectionIsRefused) {
  Append(0, 3, 3);
  v1::StreamDrawsRequest request;
  request.set_cursor(ReadAll(*Open({})).front().cursor());
  request.set_thinning(2);
  EXPECT_THAT(posteriord::testing::ViolatedFields(
                  MakeDrawSource(server_.store(), kJobId, job_, request).status()),
              ElementsAre("cursor"));
}

TEST_F(DrawSourceTest, DeletedJobEndsTheStreamNotFound) {
  Append(0, 1, 1);
  Finish();
  const auto source = Open({});
  ASSERT_THAT(server_.store().DeleteJob(kJobId), testing::IsOk());
  EXPECT_TRUE(absl::IsNotFound(source->Next().status()));
}

// A draw larger than a message is sent in pieces, each resumable.
TEST_F(DrawSourceTest, LargeDrawSpansMessages) {
  constexpr int kMany = 1000;
  job_.mutable_parameters(1)->set_shape(0, kMany - 4);
  ChainCommit commit;
  DrawRecord record;
  for (int draw = 0; draw < 3; ++draw) {
    record.sweeps.push_back(draw + 1);
    for (int p = 0; p < kMany; ++p) {
      const double value = ValueOf(0, draw, p);
      record.values.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
  }
  commit.draws.push_back(record);
  ASSERT_THAT(server_.store().Commit(kJobId, commit), testing::IsOk());
  Finish();
  v1::StreamDrawsRequest request;
  request.set_chunk_bytes(1024);
  const auto messages = ReadAll(*Open(request));
  EXPECT_EQ(messages.size(), 3u * 8 + 1);
  const auto chains = Assemble(messages);
  for (const auto& [draw, values] : chains.at(0)) {
    ASSERT_EQ(values.size(), static_cast<std::size_t>(kMany));
    for (int p = 0; p < kMany; ++p) ASSERT_EQ(values[p], ValueOf(0, draw, p));
  }
  // From the middle of a draw.
  request.set_cursor(messages[10].cursor());
  const auto rest = ReadAll(*Open(request));
  EXPECT_EQ(rest.size(), messages.size() - 11);
  EXPECT_EQ(rest.front().chunk().SerializeAsString(), messages[11].chunk().SerializeAsString());
}

}  // namespace
}  // namespace posteriord::server
