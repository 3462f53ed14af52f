#include "client/posteriorctl/table.h"

#include <gtest/gtest.h>

namespace posteriord::client {
namespace {

TEST(TableTest, ColumnsAreAlignedAndLinesHaveNoTrailingSpaces) {
  Table table({{"NAME"}, {"ROWS", Table::Align::kRight}, {"DISPLAY NAME"}});
  table.Add({"datasets/a", "1,797", "Ziffern für alle"});
  table.Add({"datasets/long", "3", ""});
  EXPECT_EQ(table.ToString(),
            "NAME            ROWS  DISPLAY NAME\n"
            "datasets/a     1,797  Ziffern für alle\n"
            "datasets/long      3\n");
}

TEST(TableTest, WidthsCountCharactersNotBytes) {
  Table table({{"A"}, {"B"}});
  table.Add({"äö", "1"});
  table.Add({"xyz", "2"});
  EXPECT_EQ(table.ToString(),
            "A    B\n"
            "äö   1\n"
            "xyz  2\n");
}

TEST(TableTest, AnEmptyTableShowsItsHeader) {
  EXPECT_EQ(Table({{"A"}, {"B"}}).ToString(2), "  A  B\n");
}

}  // namespace
}  // namespace posteriord::client
