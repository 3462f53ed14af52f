#include "client/posteriorctl/job_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace posteriord::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kText[] = R"(# Digits.
display_name: "digits"
spec { network { layers { dense { units: 10 } } } schedule { draws: 5 } }
)";

constexpr char kJson[] = R"({
  "display_name": "digits",
  "spec": {"network": {"layers": [{"dense": {"units": 10}}]}, "schedule": {"draws": 5}}
})";

std::string Error(const std::string& file_name, const std::string& text) {
  const absl::StatusOr<v1::Job> job = ParseJobFile(file_name, text);
  EXPECT_TRUE(absl::IsInvalidArgument(job.status())) << job.status();
  return std::string(job.status().message());
}

void ExpectDigits(const absl::StatusOr<v1::Job>& job) {
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->display_name(), "digits");
  EXPECT_EQ(job->spec().network().layers(0).dense().units(), 10);
  EXPECT_EQ(job->spec().schedule().draws(), 5);
}

TEST(JobFileTest, TheExtensionTellsTheFormat) {
  ExpectDigits(ParseJobFile("job.json", kJson));
  for (const char* name : {"job.textproto", "job.txtpb", "job.pbtxt", "job.txt"}) {
    ExpectDigits(ParseJobFile(name, kText));
  }
}

TEST(JobFileTest, WithoutAKnownExtensionTheContentTellsTheFormat) {
  ExpectDigits(ParseJobFile("standard input", kText));
  ExpectDigits(ParseJobFile("standard input", std::string("\n  ") + kJson));
  ExpectDigits(ParseJobFile("v1.2/job", kJson));
}

TEST(JobFileTest, JsonTakesBothSpellingsOfFieldNames) {
  ExpectDigits(ParseJobFile("job.json",
                            R"({"displayName": "digits", "spec": {"network": {"layers":
                                [{"dense": {"units": 10}}]}, "schedule": {"draws": "5"}}})"));
}

TEST(JobFileTest, TextErrorsTellLineAndColumn) {
  EXPECT_EQ(Error("job.textproto", "display_name: \"digits\"\nspec { seed: -1 }\n"),
            "job.textproto:2:14: Expected integer, got: -");
}

TEST(JobFileTest, AnUnknownFieldIsNamed) {
  EXPECT_EQ(
      Error("job.textproto", "spec {\n  sed: 1\n}\n"),
      "job.textproto:2:6: Message type \"posteriord.v1.JobSpec\" has no field named \"sed\".");
  EXPECT_THAT(Error("job.json", R"({"spec": {"network": {"layer": []}}})"),
              StartsWith("job.json: (spec.network)"));
  EXPECT_THAT(Error("job.json", R"({"spec": {"network": {"layer": []}}})"),
              HasSubstr("Cannot find field"));
}

TEST(JobFileTest, JsonSyntaxErrorsTellLineAndColumn) {
  EXPECT_THAT(Error("job.json", "{\n  \"display_name\": \"digits\"\n  \"spec\": {}\n}"),
              StartsWith("job.json:3:8: syntax error"));
  EXPECT_THAT(Error("job.json", "{\n  \"spec\": {"), StartsWith("job.json:2:"));
  EXPECT_THAT(Error("job.json", ""), StartsWith("job.json:1:1: "));
}

TEST(JobFileTest, AFileThatIsTheSpecItselfIsExplained) {
  const char* const hint = "a job file holds a posteriord.v1.Job";
  EXPECT_THAT(Error("job.textproto", "network { }"), HasSubstr(hint));
  EXPECT_THAT(Error("job.json", R"({"network": {}})"), HasSubstr(hint));
}

}  // namespace
}  // namespace posteriord::client
