#include "server/data/npy_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/server/data/testing/source_files.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::posteriord::testing::IsOkAndHolds;
using ::posteriord::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The table in a file, with its columns when `columns` is given.
absl::StatusOr<Eigen::MatrixXd> Parse(const std::string& bytes, const DatasetLimits& limits = {},
                                      std::vector<std::string>* columns = nullptr) {
  const UploadedFile upload(bytes);
  auto source = NpySource::Open(upload.file(), 0, upload.size(), "data", limits);
  if (!source.ok()) return source.status();
  if (columns != nullptr) *columns = (*source)->columns();
  return ReadAll(**source, 2);
}

template <typename... Parts>
void ExpectRefused(const std::string& bytes, Parts... parts) {
  EXPECT_THAT(Parse(bytes),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr(parts)...)));
}

TEST(NpySourceTest, RowsOfACOrderArrayAreRead) {
  std::vector<std::string> columns;
  EXPECT_THAT(Parse(NpyFile<double>("<f8", "(3, 2)", {1, 2, 3, 4, 5, 6}), {}, &columns),
              IsOkAndHolds(Matrix({{1, 2}, {3, 4}, {5, 6}})));
  EXPECT_THAT(columns, ElementsAre("data.0", "data.1"));
}

TEST(NpySourceTest, RowsOfAFortranOrderArrayAreRead) {
  EXPECT_THAT(Parse(NpyFile<double>("<f8", "(3, 2)", {1, 3, 5, 2, 4, 6}, true)),
              IsOkAndHolds(Matrix({{1, 2}, {3, 4}, {5, 6}})));
}

TEST(NpySourceTest, OneDimensionalArrayIsOneColumn) {
  std::vector<std::string> columns;
  EXPECT_THAT(Parse(NpyFile<double>("<f8", "(3,)", {1, 2, 3}), {}, &columns),
              IsOkAndHolds(Matrix({{1}, {2}, {3}})));
  EXPECT_THAT(columns, ElementsAre("data"));
}

TEST(NpySourceTest, EveryTypeOfItemIsRead) {
  const auto expected = [](double low, double high) {
    return IsOkAndHolds(Matrix({{low}, {1}, {high}}));
  };
  EXPECT_THAT(Parse(NpyFile<double>("<f8", "(3,)", {-0.1, 1, 1e300})), expected(-0.1, 1e300));
  EXPECT_THAT(Parse(NpyFile<float>("<f4", "(3,)", {-0.5f, 1, 1e30f})), expected(-0.5, 1e30f));
  EXPECT_THAT(Parse(NpyFile<std::int8_t>("|i1", "(3,)", {-128, 1, 127})), expected(-128, 127));
  EXPECT_THAT(Parse(NpyFile<std::int16_t>("<i2", "(3,)", {-32768, 1, 32767})),
              expected(-32768, 32767));
  EXPECT_THAT(Parse(NpyFile<std::int32_t>("<i4", "(3,)", {INT32_MIN, 1, INT32_MAX})),
              expected(INT32_MIN, INT32_MAX));
  EXPECT_THAT(Parse(NpyFile<std::int64_t>("<i8", "(3,)", {-(1LL << 53), 1, 1LL << 53})),
              expected(-9007199254740992.0, 9007199254740992.0));
  EXPECT_THAT(Parse(NpyFile<std::uint8_t>("|u1", "(3,)", {0, 1, 255})), expected(0, 255));
  EXPECT_THAT(Parse(NpyFile<std::uint16_t>("<u2", "(3,)", {0, 1, 65535})), expected(0, 65535));
  EXPECT_THAT(Parse(NpyFile<std::uint32_t>("<u4", "(3,)", {0, 1, UINT32_MAX})),
              expected(0, UINT32_MAX));
  EXPECT_THAT(Parse(NpyFile<std::uint64_t>("<u8", "(3,)", {0, 1, 1ULL << 63})),
              expected(0, 9223372036854775808.0));
  EXPECT_THAT(Parse(NpyFile<std::uint8_t>("|b1", "(3,)", {0, 1, 1})), expected(0, 1));
}

TEST(NpySourceTest, EveryVersionOfTheFormatIsRead) {
  const std::string data(BytesOf(std::vector<double>{1, 2}));
  for (const int version : {1, 2, 3}) {
    EXPECT_THAT(Parse(NpyFile(NpyDictionary("<f8", "(2,)"), data, version)),
                IsOkAndHolds(Matrix({{1}, {2}})));
  }
  ExpectRefused(NpyFile(NpyDictionary("<f8", "(2,)"), data, 4), "version 4");
}

TEST(NpySourceTest, DictionariesOfOtherWritersAreUnderstood) {
  const std::string data(BytesOf(std::vector<double>{1, 2}));
  for (const std::string dictionary : {
           "{\"shape\":(2L,1L),\"descr\":\"<f8\",\"fortran_order\":False}",
           "{ 'fortran_order' : False , 'shape' : ( 2 , ) , 'descr' : '<f8' }",
           "{'descr': '=f8', 'fortran_order': True, 'shape': (2,)}",
       }) {
    EXPECT_THAT(Parse(NpyFile(dictionary, data)), IsOkAndHolds(Matrix({{1}, {2}}))) << dictionary;
  }
}

TEST(NpySourceTest, MalformedDictionaryIsRefused) {
  for (const std::string dictionary : {
           "",
           "{}",
           "nonsense",
           "{'descr': '<f8'}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)} x",
           "{'descr': '<f8' 'fortran_order': False, 'shape': (2,)}",
           "{'descr': '<f8', 'fortran_order': 0, 'shape': (2,)}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': 2}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (-2,)}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (2 1)}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}",
           "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2,)}",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'more': 1}",
       }) {
    ExpectRefused(NpyFile(dictionary, std::string(16, '\0')), "malformed");
  }
}

TEST(NpySourceTest, UnsupportedItemsAreRefusedByType) {
  const std::string data(16, '\0');
  ExpectRefused(NpyFile(NpyDictionary(">f8", "(2,)"), data), "'>f8'", "big-endian", "astype");
  ExpectRefused(NpyFile(NpyDictionary("|O", "(2,)"), data), "'|O'");
  ExpectRefused(NpyFile(NpyDictionary("|O8", "(2,)"), data), "objects");
  for (const char* type : {"<f2", "<c16", "<U2", "|S8", "<M8", "|V8", "<f16", "f8", "<i3"}) {
    ExpectRefused(NpyFile(NpyDictionary(type, "(2,)"), data), type, "not supported");
  }
  ExpectRefused(NpyFile("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (2,)}", data),
                "records");
}

TEST(NpySourceTest, ShapeThatIsNoTableIsRefused) {
  ExpectRefused(NpyFile<double>("<f8", "()", {1}), "()", "reshape");
  ExpectRefused(NpyFile<double>("<f8", "(1, 1, 2)", {1, 2}), "(1, 1, 2)", "reshape");
  ExpectRefused(NpyFile<double>("<f8", "(0, 2)", {}), "(0, 2)", "empty");
  ExpectRefused(NpyFile<double>("<f8", "(2, 0)", {}), "(2, 0)", "empty");
}

TEST(NpySourceTest, DataThatDoNotFitTheShapeAreRefused) {
  ExpectRefused(NpyFile<double>("<f8", "(3,)", {1, 2}), "(3)", "16 bytes");
  ExpectRefused(NpyFile<double>("<f8", "(1,)", {1, 2}), "(1)", "16 bytes");
  ExpectRefused(NpyFile(NpyDictionary("<f8", "(1,)"), "1234567"), "7 bytes");
}

TEST(NpySourceTest, HugeShapeIsRefusedWithoutMakingRoomForIt) {
  for (const char* shape : {"(4000000000,)", "(65536, 65536)", "(9223372036854775807, 2)",
                            "(4611686018427387904, 4)", "(1, 9223372036854775807)"}) {
    EXPECT_THAT(Parse(NpyFile(NpyDictionary("|i1", shape), "x")),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("limit")))
        << shape;
  }
  EXPECT_THAT(Parse(NpyFile<double>("<f8", "(1, 3)", {1, 2, 3}), {.max_columns = 2}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("3 columns")));
}

TEST(NpySourceTest, FileCutAnywhereIsRefused) {
  const std::string whole = NpyFile<double>("<f8", "(2,)", {1, 2});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(Parse(whole.substr(0, size)), StatusIs(absl::StatusCode::kInvalidArgument)) << size;
  }
}

TEST(NpySourceTest, HeaderLongerThanTheFileIsRefused) {
  std::string file = NpyFile(NpyDictionary("<f8", "(1,)"), std::string(8, '\0'), 2);
  file[10] = '\x7F';  // a header of 2 GB
  file[11] = '\x7F';
  ExpectRefused(file, "ends inside");
  ExpectRefused(NpyFile(NpyDictionary("<f8", "(1,)") + std::string(100'000, ' '), "", 2),
                "malformed");
}

TEST(NpySourceTest, NumberThatIsNotFiniteIsRefusedByRowAndColumn) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  ExpectRefused(NpyFile<double>("<f8", "(4, 2)", {1, 2, 3, 4, 5, 6, 7, nan}), "row 3", "'data.1'");
  ExpectRefused(NpyFile<float>("<f4", "(3,)", {1, 2, -infinity}), "row 2", "'data'");
}

TEST(NpySourceTest, OtherFilesAreRefused) {
  ExpectRefused("", "not a NumPy array");
  ExpectRefused("a,b\n1,2\n3,4\n5,6\n", "not a NumPy array");
}

}  // namespace
}  // namespace posteriord::server
