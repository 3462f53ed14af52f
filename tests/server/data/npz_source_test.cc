#include "server/data/npz_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/data/testing/source_files.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::posteriord::testing::IsOkAndHolds;
using ::posteriord::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<Eigen::MatrixXd> Parse(const std::string& bytes, const DatasetLimits& limits = {},
                                      std::vector<std::string>* columns = nullptr) {
  const UploadedFile upload(bytes);
  auto source = NpzSource::Open(upload.file(), upload.size(), limits, upload.directory());
  if (!source.ok()) return source.status();
  if (columns != nullptr) *columns = (*source)->columns();
  return ReadAll(**source, 2);
}

template <typename... Parts>
void ExpectRefused(const std::string& bytes, Parts... parts) {
  EXPECT_THAT(Parse(bytes),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr(parts)...)));
}

const std::string kX = NpyFile<double>("<f8", "(3, 2)", {1, 2, 3, 4, 5, 6});
const std::string kY = NpyFile<std::uint8_t>("|u1", "(3,)", {7, 8, 9});

TEST(NpzSourceTest, ArraysStandSideBySide) {
  for (const int method : {ZIP_CM_STORE, ZIP_CM_DEFLATE}) {
    std::vector<std::string> columns;
    EXPECT_THAT(Parse(ZipFile({{"x.npy", kX, method}, {"y.npy", kY, method}}), {}, &columns),
                IsOkAndHolds(Matrix({{1, 2, 7}, {3, 4, 8}, {5, 6, 9}})));
    EXPECT_THAT(columns, ElementsAre("x.0", "x.1", "y"));
  }
}

TEST(NpzSourceTest, LargeArraysAreUnpackedWhole) {
  std::vector<double> numbers(200'000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = 0.5 * static_cast<double>(i);
  ASSERT_OK_AND_ASSIGN(const Eigen::MatrixXd rows,
                       Parse(ZipFile({{"a.npy", NpyFile("<f8", "(200, 1000)", numbers)},
                                      {"b.npy", NpyFile("<f8", "(200, 1000)", numbers, true)}})));
  EXPECT_EQ(rows(199, 999), numbers[199'999]);
  EXPECT_EQ(rows(7, 3), numbers[7003]);
  EXPECT_EQ(rows(7, 1003), numbers[607]);
}

TEST(NpzSourceTest, NamesInTheArchiveAreNoPaths) {
  std::vector<std::string> columns;
  EXPECT_THAT(Parse(ZipFile({{"../../etc/x.npy", kY}}), {}, &columns), testing::IsOk());
  EXPECT_THAT(columns, ElementsAre("../../etc/x"));
}

TEST(NpzSourceTest, ArraysOfDifferentLengthAreRefusedByName) {
  ExpectRefused(ZipFile({{"x.npy", kX}, {"short.npy", NpyFile<double>("<f8", "(2,)", {1, 2})}}),
                "'short.npy'", "2 rows", "3");
}

TEST(NpzSourceTest, EntryThatIsNoArrayIsRefusedByName) {
  ExpectRefused(ZipFile({{"x.npy", kX}, {"readme.txt", "hello"}}), "'readme.txt'");
  ExpectRefused(ZipFile({{"x.npy", "hello"}}), "'x.npy'", "not a NumPy array");
  ExpectRefused(ZipFile({{".npy", kX}}), "'.npy'");
}

TEST(NpzSourceTest, ColumnsOfTheSameNameAreRefused) {
  ExpectRefused(ZipFile({{"x.npy", kX}, {"x.0.npy", kY}}), "'x.0'", "two columns");
}

TEST(NpzSourceTest, OtherFilesAreRefused) {
  ExpectRefused("", "not a zip archive");
  ExpectRefused("no archive", "not a zip archive");
  ExpectRefused(kX, "not a zip archive");
}

TEST(NpzSourceTest, DamagedArchiveIsRefused) {
  const std::string whole = ZipFile({{"x.npy", kX, ZIP_CM_STORE}, {"y.npy", kY}});
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    EXPECT_THAT(Parse(whole.substr(0, size)), StatusIs(absl::StatusCode::kInvalidArgument)) << size;
  }
  std::string flipped = whole;
  flipped[whole.find(BytesOf(std::vector<double>{1, 2, 3}))] ^= 1;
  ExpectRefused(flipped, "'x.npy'", "damaged");
}

TEST(NpzSourceTest, FlippedBitNeverCrashesAndNeverChangesNumbers) {
  const std::string whole = ZipFile({{"x.npy", kX}, {"y.npy", kY, ZIP_CM_STORE}});
  ASSERT_OK_AND_ASSIGN(const Eigen::MatrixXd expected, Parse(whole));
  for (std::size_t offset = 0; offset < whole.size(); ++offset) {
    std::string damaged = whole;
    damaged[offset] = static_cast<char>(damaged[offset] ^ (1 << offset % 8));
    const auto rows = Parse(damaged);
    EXPECT_TRUE(!rows.ok() || *rows == expected) << offset;
  }
}

TEST(NpzSourceTest, BombIsDefusedAtTheLimit) {
  // 80 MB of zeros in about 80 kB, whose header promises a small array.
  const std::string bomb = NpyFile(NpyDictionary("<f8", "(3,)"), std::string(80'000'000, '\0'));
  const std::string archive = ZipFile({{"bomb.npy", bomb}});
  EXPECT_LT(archive.size(), 200'000u);
  EXPECT_THAT(Parse(archive, {.max_cells = 1000}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("'bomb.npy'")));
}

TEST(NpzSourceTest, LimitsHoldForAllArraysTogether) {
  const std::string archive = ZipFile({{"a.npy", kX}, {"b.npy", kX}});
  EXPECT_THAT(Parse(archive, {.max_cells = 12}), testing::IsOk());
  EXPECT_THAT(Parse(archive, {.max_cells = 11}), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(Parse(archive, {.max_columns = 3}), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(Parse(archive, {.max_arrays = 1}), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(NpzSourceTest, DirectoryWithACountOf64BitsIsRefused) {
  const std::string archive = ZipFile({{"x.npy", kX}});
  const std::size_t end = archive.rfind("PK\x05\x06");
  const std::string locator = std::string("PK\x06\x07") + std::string(16, '\0');
  ExpectRefused(archive.substr(0, end) + locator + archive.substr(end), "Zip64");
}

}  // namespace
}  // namespace posteriord::server
