#include "client/posteriorctl/chain_arrays.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "tests/client/testing/npz_reader.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::client {
namespace {

using ::testing::ElementsAre;
using testing::NpyArray;
using testing::ReadNpz;
using testing::TemporaryDirectory;

class ChainArraysTest : public ::testing::Test {
 protected:
  ChainArraysTest() {
    absl::StatusOr<ChainArrays> arrays =
        ChainArrays::Create(directory_.path(), "warmup/", {{"w", {2, 2}}, {"b", {1}}}, "<f4", 4);
    EXPECT_TRUE(arrays.ok()) << arrays.status();
    arrays_.emplace(*std::move(arrays));
  }

  absl::Status Append(std::int64_t sweep, std::int64_t first, const std::vector<float>& values) {
    return arrays_->Append(sweep, first,
                           {reinterpret_cast<const char*>(values.data()), values.size() * 4});
  }

  std::map<std::string, NpyArray> Finish() {
    std::vector<NpySpool> spools;
    EXPECT_TRUE(arrays_->Finish(spools).ok());
    const std::string path = directory_ / "out.npz";
    EXPECT_TRUE(WriteNpz(path, std::move(spools), std::atomic<bool>(false)).ok());
    return ReadNpz(path);
  }

  TemporaryDirectory directory_;
  std::optional<ChainArrays> arrays_;
};

TEST_F(ChainArraysTest, RowsBecomeArraysByChainAndRow) {
  ASSERT_TRUE(Append(10, 0, {1, 2, 3, 4, 5}).ok());
  ASSERT_TRUE(Append(20, 0, {6, 7, 8, 9, 10}).ok());
  ASSERT_TRUE(arrays_->EndChain().ok());
  ASSERT_TRUE(Append(11, 0, {11, 12, 13, 14, 15}).ok());
  ASSERT_TRUE(Append(21, 0, {16, 17, 18, 19, 20}).ok());
  ASSERT_TRUE(arrays_->EndChain().ok());
  const auto read = Finish();
  ASSERT_EQ(read.size(), 3u);
  EXPECT_THAT(read.at("warmup/w").shape, ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(read.at("warmup/w").values<float>(),
              ElementsAre(1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19));
  EXPECT_THAT(read.at("warmup/b").shape, ElementsAre(2, 2, 1));
  EXPECT_THAT(read.at("warmup/b").values<float>(), ElementsAre(5, 10, 15, 20));
  EXPECT_THAT(read.at("warmup/sweep").values<std::int64_t>(), ElementsAre(10, 20, 11, 21));
}

TEST_F(ChainArraysTest, ARowInPartsIsPutTogether) {
  ASSERT_TRUE(Append(10, 0, {1}).ok());
  ASSERT_TRUE(Append(10, 1, {2, 3}).ok());
  ASSERT_TRUE(Append(10, 3, {4, 5}).ok());
  ASSERT_TRUE(arrays_->EndChain().ok());
  const auto read = Finish();
  EXPECT_THAT(read.at("warmup/w").values<float>(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(read.at("warmup/b").values<float>(), ElementsAre(5));
  EXPECT_THAT(read.at("warmup/sweep").values<std::int64_t>(), ElementsAre(10));
}

TEST_F(ChainArraysTest, ChainsAreCutToTheShortest) {
  for (const int rows : {3, 1, 2}) {
    for (int row = 0; row < rows; ++row) {
      const auto value = static_cast<float>(10 * rows + row);
      ASSERT_TRUE(Append(row, 0, {value, value, value, value, -value}).ok());
    }
    ASSERT_TRUE(arrays_->EndChain().ok());
  }
  EXPECT_THAT(arrays_->rows(), ElementsAre(3, 1, 2));
  EXPECT_EQ(arrays_->CommonRows(), 1);
  const auto read = Finish();
  EXPECT_THAT(read.at("warmup/b").shape, ElementsAre(3, 1, 1));
  EXPECT_THAT(read.at("warmup/b").values<float>(), ElementsAre(-30, -10, -20));
}

TEST_F(ChainArraysTest, GapsAreNotSwallowed) {
  EXPECT_TRUE(absl::IsInternal(Append(10, 1, {1})));
  ASSERT_TRUE(Append(10, 0, {1, 2}).ok());
  EXPECT_TRUE(absl::IsInternal(Append(10, 3, {4})));
  EXPECT_TRUE(absl::IsInternal(Append(10, 2, {3, 4, 5, 6})));
  EXPECT_TRUE(absl::IsInternal(arrays_->EndChain()));
}

}  // namespace
}  // namespace posteriord::client
