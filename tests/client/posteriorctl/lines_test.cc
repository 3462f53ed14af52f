#include "client/posteriorctl/lines.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/client/testing/sample_job.h"

namespace posteriord::client {
namespace {

using testing::DrawScript;
using testing::kSampleParameters;
using testing::SampleDraws;
using testing::SampleJob;
using testing::SampleTrace;

DrawLines Lines() {
  const v1::Job job = SampleJob();
  return DrawLines({job.parameters().begin(), job.parameters().end()});
}

// The lines of all messages of a stream.
std::string Format(const std::vector<v1::StreamDrawsResponse>& messages) {
  DrawLines formatter = Lines();
  std::string lines;
  for (const v1::StreamDrawsResponse& message : messages) {
    if (message.has_end()) continue;
    EXPECT_TRUE(CheckDrawChunk(message.chunk(), kSampleParameters).ok());
    EXPECT_TRUE(formatter.Append(message.chunk(), lines).ok());
  }
  EXPECT_TRUE(formatter.complete());
  return lines;
}

TEST(DrawLinesTest, ADrawIsOneObjectWithNestedArrays) {
  DrawScript script;
  script.draws_per_chain = {1, 2};
  script.warmup_draws = 1;
  EXPECT_EQ(
      Format(SampleDraws(script)),
      R"({"chain":0,"draw":0,"sweep":10,"warmup":true,"parameters":{"dense1.weight":[[0,0.0625,0.125],[0.1875,0.25,0.3125]],"dense1.bias":[0.375,0.4375]}}
{"chain":1,"draw":0,"sweep":10,"warmup":true,"parameters":{"dense1.weight":[[100,100.0625,100.125],[100.1875,100.25,100.3125]],"dense1.bias":[100.375,100.4375]}}
{"chain":1,"draw":1,"sweep":20,"warmup":false,"parameters":{"dense1.weight":[[101,101.0625,101.125],[101.1875,101.25,101.3125]],"dense1.bias":[101.375,101.4375]}}
)");
}

TEST(DrawLinesTest, ADrawInPartsGivesTheSameLine) {
  DrawScript whole;
  whole.draws_per_chunk = 1;
  const std::string expected = Format(SampleDraws(whole));
  for (const int part : {1, 3, 5, 7, 8}) {
    DrawScript script;
    script.parameters_per_chunk = part;
    EXPECT_EQ(Format(SampleDraws(script)), expected) << part;
  }
}

TEST(DrawLinesTest, PartsOfDifferentChainsMayInterleave) {
  DrawScript script;
  script.draws_per_chain = {1, 1};
  script.parameters_per_chunk = 4;
  const auto messages = SampleDraws(script);
  DrawLines formatter = Lines();
  std::string lines;
  for (const std::size_t i : {0, 2, 1}) {
    ASSERT_TRUE(formatter.Append(messages[i].chunk(), lines).ok());
    EXPECT_FALSE(formatter.complete());
  }
  ASSERT_TRUE(formatter.Append(messages[3].chunk(), lines).ok());
  EXPECT_TRUE(formatter.complete());
  EXPECT_EQ(lines, Format(messages));
}

TEST(DrawLinesTest, NumbersReadBackExactlyInTheirPrecision) {
  const std::vector<v1::ParameterArray> arrays = [] {
    v1::ParameterArray array;
    array.set_name("x");
    array.add_shape(3);
    return std::vector<v1::ParameterArray>{array};
  }();
  v1::DrawChunk chunk;
  chunk.add_draws(0);
  chunk.add_sweeps(1);
  chunk.set_parameter_count(3);
  const auto format = [&]<typename Float>(v1::Precision precision, std::vector<Float> values) {
    chunk.set_precision(precision);
    chunk.set_values(values.data(), values.size() * sizeof(Float));
    std::string lines;
    EXPECT_TRUE(DrawLines(arrays).Append(chunk, lines).ok());
    return nlohmann::json::parse(lines)["parameters"]["x"].dump();
  };
  const double third = 1.0 / 3;
  EXPECT_EQ(format(v1::PRECISION_FLOAT64, std::vector{third, -0.1, 1e300}),
            "[0.3333333333333333,-0.1,1e+300]");
  // Not the 0.10000000149011612 that the float is as a double.
  EXPECT_EQ(format(v1::PRECISION_FLOAT32, std::vector{0.1f, 1e-30f, 3.0f}), "[0.1,1e-30,3]");
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(format(v1::PRECISION_FLOAT64, std::vector{inf, -inf, inf - inf}), "[null,null,null]");
}

TEST(DrawLinesTest, GapsAreNotSwallowed) {
  DrawScript script;
  script.parameters_per_chunk = 4;
  const auto messages = SampleDraws(script);
  DrawLines formatter = Lines();
  std::string lines;
  EXPECT_TRUE(absl::IsInternal(formatter.Append(messages[1].chunk(), lines)));
  formatter = Lines();
  ASSERT_TRUE(formatter.Append(messages[0].chunk(), lines).ok());
  EXPECT_TRUE(absl::IsInternal(formatter.Append(messages[0].chunk(), lines)));
  EXPECT_EQ(lines, "");
}

TEST(CheckDrawChunkTest, SizesThatDoNotFitEachOtherAreRefused) {
  const v1::DrawChunk good = SampleDraws()[0].chunk();
  ASSERT_TRUE(CheckDrawChunk(good, kSampleParameters).ok());
  const auto refused = [&](auto change) {
    v1::DrawChunk chunk = good;
    change(chunk);
    return absl::IsInternal(CheckDrawChunk(chunk, kSampleParameters));
  };
  EXPECT_TRUE(refused([](v1::DrawChunk& c) { c.mutable_values()->pop_back(); }));
  EXPECT_TRUE(refused([](v1::DrawChunk& c) { c.add_sweeps(1); }));
  EXPECT_TRUE(refused([](v1::DrawChunk& c) { c.set_warmup_draws(3); }));
  EXPECT_TRUE(refused([](v1::DrawChunk& c) { c.set_warmup_draws(-1); }));
  EXPECT_TRUE(refused([](v1::DrawChunk& c) { c.set_first_parameter(1); }));
  EXPECT_TRUE(refused([](v1::DrawChunk& c) { c.set_first_parameter(-1); }));
  EXPECT_TRUE(refused([](v1::DrawChunk& c) { c.set_parameter_count(0); }));
  EXPECT_TRUE(refused([](v1::DrawChunk& c) { c.set_parameter_count(1LL << 62); }));
  EXPECT_TRUE(refused([](v1::DrawChunk& c) { c.set_precision(v1::PRECISION_UNSPECIFIED); }));
  EXPECT_TRUE(refused([](v1::DrawChunk& c) { c.set_precision(v1::PRECISION_FLOAT32); }));
}

TEST(TraceLinesTest, CsvHasAColumnPerObservable) {
  std::string lines = TraceCsvHeader({"test_error", "dense1.weight_norm"});
  v1::TraceChunk chunk = SampleTrace()[0].chunk();
  chunk.set_values(2, -std::numeric_limits<double>::infinity());
  ASSERT_TRUE(CheckTraceChunk(chunk, 2).ok());
  AppendTraceCsv(chunk, lines);
  EXPECT_EQ(lines,
            "chain,sweep,test_error,dense1.weight_norm\n"
            "0,0,0,nan\n"
            "0,10,-inf,1.5\n");
}

TEST(TraceLinesTest, JsonNamesTheValues) {
  std::string lines;
  AppendTraceJson(SampleTrace()[0].chunk(), {"test_error", "dense1.weight_norm"}, lines);
  EXPECT_EQ(lines,
            "{\"chain\":0,\"sweep\":0,\"values\":{\"test_error\":0,\"dense1.weight_norm\":null}}\n"
            "{\"chain\":0,\"sweep\":10,\"values\":{\"test_error\":0.125,"
            "\"dense1.weight_norm\":1.5}}\n");
}

TEST(TraceLinesTest, SizesThatDoNotFitEachOtherAreRefused) {
  EXPECT_TRUE(absl::IsInternal(CheckTraceChunk(SampleTrace()[0].chunk(), 3)));
}

}  // namespace
}  // namespace posteriord::client
