#include "client/posteriorctl/npz_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>

#include "tests/client/testing/files.h"
#include "tests/client/testing/npz_reader.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::client {
namespace {

using testing::CountEntries;
using ::testing::ElementsAre;
using testing::NpyArray;
using testing::ReadFile;
using testing::ReadNpz;
using testing::TemporaryDirectory;
using testing::WriteFile;

class NpzWriterTest : public ::testing::Test {
 protected:
  // A spool that holds 0, 1, ..., count - 1.
  NpySpool Counting(const std::string& name, int count) {
    absl::StatusOr<NpySpool> spool = NpySpool::Create(directory_.path(), name, "<i4");
    EXPECT_TRUE(spool.ok()) << spool.status();
    for (std::int32_t i = 0; i < count; ++i) {
      EXPECT_TRUE(spool->Append({reinterpret_cast<const char*>(&i), sizeof(i)}).ok());
    }
    return *std::move(spool);
  }

  absl::Status Write(const std::string& path, NpySpool spool) {
    std::vector<NpySpool> arrays;
    arrays.push_back(std::move(spool));
    return WriteNpz(path, std::move(arrays), stop_);
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_ / "out.npz";
  std::atomic<bool> stop_{false};
};

TEST_F(NpzWriterTest, ArraysReadBackAsWritten) {
  std::vector<NpySpool> arrays;
  arrays.push_back(Counting("dense1.weight", 24));
  ASSERT_TRUE(arrays.back().Finish({2, 3, 4}).ok());
  arrays.push_back(Counting("chain", 3));
  ASSERT_TRUE(arrays.back().Finish({3}).ok());
  arrays.push_back(Counting("warmup/empty", 0));
  ASSERT_TRUE(arrays.back().Finish({2, 0}).ok());
  ASSERT_TRUE(WriteNpz(path_, std::move(arrays), stop_).ok());
  const auto read = ReadNpz(path_);
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read.at("dense1.weight").type, "<i4");
  EXPECT_THAT(read.at("dense1.weight").shape, ElementsAre(2, 3, 4));
  std::vector<std::int32_t> expected(24);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(read.at("dense1.weight").values<std::int32_t>(), expected);
  EXPECT_THAT(read.at("chain").shape, ElementsAre(3));
  EXPECT_THAT(read.at("warmup/empty").shape, ElementsAre(2, 0));
}

TEST_F(NpzWriterTest, OnlyTheArchiveIsLeftBehind) {
  NpySpool spool = Counting("a", 3);
  EXPECT_EQ(CountEntries(directory_.path()), 0);
  ASSERT_TRUE(spool.Finish({3}).ok());
  ASSERT_TRUE(Write(path_, std::move(spool)).ok());
  EXPECT_EQ(CountEntries(directory_.path()), 1);
}

TEST_F(NpzWriterTest, BlocksAreCutToTheirBeginnings) {
  NpySpool spool = Counting("a", 12);
  ASSERT_TRUE(spool.CutBlocks({5 * 4, 3 * 4, 4 * 4}, 3 * 4).ok());
  ASSERT_TRUE(spool.Finish({3, 3}).ok());
  ASSERT_TRUE(Write(path_, std::move(spool)).ok());
  EXPECT_THAT(ReadNpz(path_).at("a").values<std::int32_t>(),
              ElementsAre(0, 1, 2, 5, 6, 7, 8, 9, 10));
}

TEST_F(NpzWriterTest, BlocksLargerThanTheCopyBufferAreCutToo) {
  constexpr int kLarge = 700000;  // entries of 4 bytes: more than the buffer holds
  NpySpool spool = Counting("a", 3 * kLarge + 2);
  ASSERT_TRUE(spool.CutBlocks({(kLarge + 1) * 4, kLarge * 4, (kLarge + 1) * 4}, kLarge * 4).ok());
  ASSERT_TRUE(spool.Finish({3, kLarge}).ok());
  ASSERT_TRUE(Write(path_, std::move(spool)).ok());
  const std::vector<std::int32_t> values = ReadNpz(path_).at("a").values<std::int32_t>();
  ASSERT_EQ(values.size(), 3u * kLarge);
  for (int i = 0; i < kLarge; ++i) {
    ASSERT_EQ(values[static_cast<std::size_t>(i)], i);
    ASSERT_EQ(values[static_cast<std::size_t>(kLarge + i)], kLarge + 1 + i);
    ASSERT_EQ(values[static_cast<std::size_t>(2 * kLarge + i)], 2 * kLarge + 1 + i);
  }
}

TEST_F(NpzWriterTest, BlocksCutToNothingLeaveAnEmptyArray) {
  NpySpool spool = Counting("a", 5);
  ASSERT_TRUE(spool.CutBlocks({0, 5 * 4}, 0).ok());
  ASSERT_TRUE(spool.Finish({2, 0}).ok());
  ASSERT_TRUE(Write(path_, std::move(spool)).ok());
  EXPECT_EQ(ReadNpz(path_).at("a").bytes, "");
}

TEST_F(NpzWriterTest, TheSameArraysMakeTheSameBytes) {
  for (const char* name : {"a.npz", "b.npz"}) {
    NpySpool spool = Counting("a", 100);
    ASSERT_TRUE(spool.Finish({100}).ok());
    ASSERT_TRUE(Write(directory_ / name, std::move(spool)).ok());
  }
  EXPECT_EQ(ReadFile(directory_ / "a.npz"), ReadFile(directory_ / "b.npz"));
}

TEST_F(NpzWriterTest, StoppedItLeavesWhatWasThere) {
  WriteFile(path_, "precious");
  NpySpool spool = Counting("a", 1000000);
  ASSERT_TRUE(spool.Finish({1000000}).ok());
  stop_ = true;
  EXPECT_TRUE(absl::IsCancelled(Write(path_, std::move(spool))));
  EXPECT_EQ(ReadFile(path_), "precious");
  EXPECT_EQ(CountEntries(directory_.path()), 1);
}

TEST_F(NpzWriterTest, APlaceThatCannotBeWrittenIsNamed) {
  const absl::Status spool = NpySpool::Create(directory_ / "missing", "a", "<i4").status();
  EXPECT_TRUE(absl::IsNotFound(spool)) << spool;
  NpySpool array = Counting("a", 1);
  ASSERT_TRUE(array.Finish({1}).ok());
  const absl::Status status = Write(directory_ / "missing/out.npz", std::move(array));
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("missing/out.npz"));
}

TEST_F(NpzWriterTest, AHeaderThatDoesNotFitIsRefused) {
  NpySpool spool = Counting("a", 0);
  const std::vector<std::int64_t> shape(20, 1000000000000);
  EXPECT_TRUE(absl::IsInvalidArgument(spool.Finish(shape)));
}

}  // namespace
}  // namespace posteriord::client
