#include "server/data/csv_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/data/testing/source_files.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::posteriord::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Table {
  std::vector<std::string> columns;
  Eigen::MatrixXd rows;
};

absl::StatusOr<Table> Parse(const std::string& text, const DatasetLimits& limits = {}) {
  const UploadedFile upload(text);
  auto source = CsvSource::Open(upload.file(), upload.size(), limits);
  if (!source.ok()) return source.status();
  auto rows = ReadAll(**source);
  if (!rows.ok()) return rows.status();
  return Table{(*source)->columns(), *std::move(rows)};
}

// Expects INVALID_ARGUMENT with a message that has all of `parts`.
template <typename... Parts>
void ExpectRefused(const std::string& text, Parts... parts) {
  EXPECT_THAT(Parse(text), StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr(parts)...)))
      << text;
}

TEST(CsvSourceTest, NamesAndNumbersAreRead) {
  ASSERT_OK_AND_ASSIGN(const Table table, Parse("a,b,c\n1,2.5,-3e-2\n4,5,+6\n7,.5,1E3\n"));
  EXPECT_THAT(table.columns, ElementsAre("a", "b", "c"));
  EXPECT_EQ(table.rows, Matrix({{1, 2.5, -0.03}, {4, 5, 6}, {7, 0.5, 1000}}));
}

TEST(CsvSourceTest, WaysOfWritingTheSameTableAgree) {
  for (const std::string text : {
           "a,b\n1,2\n3,4\n",
           "a,b\n1,2\n3,4",          // no end of the last line
           "a,b\r\n1,2\r\n3,4\r\n",  // CRLF
           "a,b\r1,2\r3,4\r",        // CR
           "\xEF\xBB\xBF"
           "a,b\n1,2\n3,4\n",      // byte order mark
           "a,b\n1,2\n3,4\n\n\n",  // blank lines at the end
           "a,b\r\n1,2\r\n3,4\r\n\r\n  \r\n",
           "\"a\",\"b\"\n\"1\",2\n3,\"4\"\n",  // quotes
           " a , b \n 1 , 2 \n 3,4 \n",        // spaces
       }) {
    ASSERT_OK_AND_ASSIGN(const Table table, Parse(text));
    EXPECT_THAT(table.columns, ElementsAre("a", "b")) << text;
    EXPECT_EQ(table.rows, Matrix({{1, 2}, {3, 4}})) << text;
  }
}

TEST(CsvSourceTest, QuotedNamesMayHoldCommasQuotesAndLineEnds) {
  ASSERT_OK_AND_ASSIGN(const Table table,
                       Parse("\"a,b\",\"say \"\"c\"\"\",\"two\nlines\"\n1,2,3\n"));
  EXPECT_THAT(table.columns, ElementsAre("a,b", "say \"c\"", "two\nlines"));
  ExpectRefused("\"two\nlines\"\n1\nx\n", "line 4");
}

TEST(CsvSourceTest, NumbersAreTheNearestDoubles) {
  ASSERT_OK_AND_ASSIGN(
      const Table table,
      Parse(
          "a\n0.1\n1.7976931348623157e308\n5e-324\n1e-400\n-0\n123456789012345678901234567890\n"));
  EXPECT_EQ(table.rows(0, 0), 0.1);
  EXPECT_EQ(table.rows(1, 0), std::numeric_limits<double>::max());
  EXPECT_EQ(table.rows(2, 0), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(table.rows(3, 0), 0);
  EXPECT_TRUE(std::signbit(table.rows(4, 0)));
  EXPECT_EQ(table.rows(5, 0), 123456789012345678901234567890.0);
}

TEST(CsvSourceTest, LongTablesAreReadPieceByPiece) {
  constexpr int kRows = 60'000;  // several pieces, which cut lines and CRLFs anywhere
  std::string text = "index,square\r\n";
  for (int i = 0; i < kRows; ++i) absl::StrAppend(&text, i, ",", 0.5 * i, "\r\n");
  ASSERT_OK_AND_ASSIGN(const Table table, Parse(text));
  ASSERT_EQ(table.rows.rows(), kRows);
  for (int i = 0; i < kRows; ++i) {
    ASSERT_EQ(table.rows(i, 0), i);
    ASSERT_EQ(table.rows(i, 1), 0.5 * i);
  }
  ExpectRefused(text + "oops,1\r\n", absl::StrCat("line ", kRows + 2), "'index'", "'oops'");
}

TEST(CsvSourceTest, BadCellIsRefusedByLineAndColumn) {
  ExpectRefused("a,b\n1,2\n3,x\n", "line 3", "column 'b'", "'x'");
  ExpectRefused("a,b\n1,\n", "line 2", "column 'b'", "empty");
  ExpectRefused("a,b\n,2\n", "line 2", "column 'a'", "empty");
  ExpectRefused("a,b\n1,\"\"\n", "line 2", "column 'b'", "empty");
  ExpectRefused("a,b\n1,1.5.2\n", "'1.5.2'");
  ExpectRefused("a,b\n1,0x10\n", "'0x10'");
  ExpectRefused("a,b\n1,1 2\n", "'1 2'");
  ExpectRefused("a,b\n1,+-2\n", "'+-2'");
  ExpectRefused("a,b\n1,\xFF\n", "'?'");
  ExpectRefused("a\n" + std::string(100, 'y') + "\n", "yyy...'");
}

TEST(CsvSourceTest, NumberThatIsNotFiniteIsRefused) {
  for (const char* number : {"nan", "NaN", "inf", "-inf", "Infinity", "1e400", "-1e999"}) {
    ExpectRefused(absl::StrCat("a,b\n1,2\n1,", number, "\n"), "line 3", "column 'b'",
                  "not a finite number");
  }
}

TEST(CsvSourceTest, RaggedRowIsRefusedByLine) {
  ExpectRefused("a,b\n1,2\n3\n5,6\n", "line 3", "has 1 cells", "2 columns");
  ExpectRefused("a,b\n1,2,3\n", "line 2", "has 3 cells");
  ExpectRefused("a,b\n1,2,\n", "line 2", "has 3 cells");
}

TEST(CsvSourceTest, BlankLineBetweenRowsIsRefused) {
  ExpectRefused("a\n1\n\n2\n", "line 3", "blank");
  ExpectRefused("\na\n1\n", "line 1", "blank");
}

TEST(CsvSourceTest, BadNamesAreRefused) {
  ExpectRefused("a,,c\n1,2,3\n", "column 2", "no name");
  ExpectRefused("a,b,a\n1,2,3\n", "'a'", "two columns");
  ExpectRefused("a,\xC3\n1,2\n", "column 2", "UTF-8");
  ExpectRefused("a," + std::string(129, 'b') + "\n1,2\n", "column 2", "longer than 128");
}

TEST(CsvSourceTest, MissingNamesAreExplained) {
  ExpectRefused("1,2,3\n4,5,6\n", "line 1", "numbers only", "name the columns");
}

TEST(CsvSourceTest, OtherSeparatorsAreHinted) {
  ExpectRefused("a;b\n1;2\n", "line 2", "'1;2'", "separated by commas");
  ExpectRefused("a\tb\n1\t2\n", "separated by commas");
}

TEST(CsvSourceTest, EmptyTableIsRefused) {
  ExpectRefused("", "empty");
  ExpectRefused("\n\n", "empty");
  ExpectRefused("a,b\n", "no rows");
}

TEST(CsvSourceTest, MisplacedQuotesAreRefused) {
  ExpectRefused("a,b\n1,\"2\n", "line", "quote");
  ExpectRefused("a,b\n1,2\"3\n", "line 2", "quote");
  ExpectRefused("a,b\n1,\"2\"3\n", "line 2", "quote");
}

TEST(CsvSourceTest, EndlessCellIsRefusedBeforeItFillsMemory) {
  ExpectRefused("a,\"" + std::string(1'000'000, 'x'), "line 1", "a cell is longer");
}

TEST(CsvSourceTest, LimitsAreKept) {
  EXPECT_THAT(Parse("a,b,c\n1,2,3\n", {.max_columns = 2}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("2 columns")));
  EXPECT_THAT(Parse("a,b\n1,2\n3,4\n5,6\n", {.max_cells = 5}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("5 numbers")));
  EXPECT_THAT(Parse("a,b\n1,2\n3,4\n", {.max_cells = 4}), testing::IsOk());
}

}  // namespace
}  // namespace posteriord::server
