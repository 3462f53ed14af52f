#include "client/posteriorctl/resumable_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/client/testing/files.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::client {
namespace {

using ::testing::HasSubstr;
using testing::ReadFile;
using testing::TemporaryDirectory;
using testing::WriteFile;

class ResumableOutputTest : public ::testing::Test {
 protected:
  absl::StatusOr<ResumableOutput> Open() { return ResumableOutput::Open(options_, standard_); }

  TemporaryDirectory directory_;
  OutputOptions options_ = {directory_ / "draws.ndjson", directory_ / "cursor", "selection"};
  std::ostringstream standard_;
};

TEST_F(ResumableOutputTest, ASecondRunContinuesAtTheCursor) {
  {
    absl::StatusOr<ResumableOutput> output = Open();
    ASSERT_TRUE(output.ok()) << output.status();
    EXPECT_EQ(output->cursor(), "");
    ASSERT_TRUE(output->Commit("one\n", "c1").ok());
    ASSERT_TRUE(output->Commit("two\n", "c2").ok());
  }
  absl::StatusOr<ResumableOutput> output = Open();
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->cursor(), "c2");
  ASSERT_TRUE(output->Commit("three\n", "c3").ok());
  EXPECT_EQ(ReadFile(options_.path), "one\ntwo\nthree\n");
}

TEST_F(ResumableOutputTest, WhatWasWrittenBeyondTheCursorIsWrittenAgain) {
  ASSERT_TRUE(Open()->Commit("one\n", "c1").ok());
  // A run killed between writing and remembering.
  std::ofstream(options_.path, std::ios::app) << "two\nthr";
  absl::StatusOr<ResumableOutput> output = Open();
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->cursor(), "c1");
  ASSERT_TRUE(output->Commit("two\n", "c2").ok());
  EXPECT_EQ(ReadFile(options_.path), "one\ntwo\n");
}

TEST_F(ResumableOutputTest, WithoutACursorFileTheOutputStartsAfresh) {
  options_.cursor_file.clear();
  WriteFile(options_.path, "old\n");
  ASSERT_TRUE(Open()->Commit("new\n", "c1").ok());
  EXPECT_EQ(ReadFile(options_.path), "new\n");
  EXPECT_EQ(testing::CountEntries(directory_.path()), 1);
}

TEST_F(ResumableOutputTest, StandardOutputContinuesAtTheCursorToo) {
  options_.path.clear();
  ASSERT_TRUE(Open()->Commit("one\n", "c1").ok());
  absl::StatusOr<ResumableOutput> output = Open();
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->cursor(), "c1");
  EXPECT_EQ(standard_.str(), "one\n");
}

TEST_F(ResumableOutputTest, TheCursorOfAnotherSelectionOrOutputIsRefused) {
  ASSERT_TRUE(Open()->Commit("one\n", "c1").ok());
  OutputOptions same = options_;
  options_.selection = "other";
  EXPECT_TRUE(absl::IsFailedPrecondition(Open().status()));
  options_ = same;
  options_.path = directory_ / "other.ndjson";
  EXPECT_TRUE(absl::IsFailedPrecondition(Open().status()));
  EXPECT_EQ(ReadFile(same.path), "one\n");
}

TEST_F(ResumableOutputTest, AnOutputThatLostLinesIsNotContinued) {
  ASSERT_TRUE(Open()->Commit("one\n", "c1").ok());
  WriteFile(options_.path, "on");
  const absl::Status status = Open().status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("to start over"));
  EXPECT_EQ(ReadFile(options_.path), "on");
}

TEST_F(ResumableOutputTest, ADamagedCursorFileIsNotIgnored) {
  for (const char* content : {"", "{", "[]", "{}", R"({"cursor": 1})"}) {
    WriteFile(options_.cursor_file, content);
    EXPECT_TRUE(absl::IsDataLoss(Open().status())) << content;
  }
}

TEST_F(ResumableOutputTest, AFullDeviceIsReported) {
  options_.path = "/dev/full";
  absl::StatusOr<ResumableOutput> output = Open();
  ASSERT_TRUE(output.ok()) << output.status();
  const absl::Status status = output->Commit("one\n", "c1");
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_FALSE(std::ifstream(options_.cursor_file).is_open());
}

}  // namespace
}  // namespace posteriord::client
