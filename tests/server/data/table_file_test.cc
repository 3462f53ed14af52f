#include "server/data/table_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/store/testing/damage.h"
#include "tests/testing/status.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::server {
namespace {

using ::posteriord::testing::StatusIs;

class TableFileTest : public ::testing::Test {
 protected:
  static double ValueAt(std::int64_t row, std::int64_t column) {
    return static_cast<double>(row) + 0.001 * static_cast<double>(column);
  }

  void Write(std::int64_t rows, std::int64_t columns) {
    ASSERT_OK(RemoveFile(path_));
    ASSERT_OK_AND_ASSIGN(File file, File::Create(path_));
    TableWriter writer(std::move(file), "id", columns);
    while (writer.rows() < rows) {
      const std::int64_t first = writer.rows();
      const std::int64_t count = std::min(rows - first, writer.full_group_rows());
      Eigen::Ref<Eigen::MatrixXd> group = writer.group();
      for (std::int64_t row = 0; row < count; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) {
          group(row, column) = ValueAt(first + row, column);
        }
      }
      ASSERT_OK(writer.WriteGroup(count));
    }
    ASSERT_OK(writer.Finish("a description"));
  }

  const testing::TemporaryDirectory directory_;
  const std::string path_ = directory_ / "table";
};

TEST_F(TableFileTest, TableIsReadBackGroupByGroup) {
  for (const std::int64_t rows : {1, 8191, 8192, 8193, 20000}) {
    Write(rows, 64);
    ASSERT_OK_AND_ASSIGN(const auto table, TableReader::Open(path_, "id"));
    EXPECT_EQ(table->rows(), rows);
    EXPECT_EQ(table->columns(), 64);
    EXPECT_EQ(table->description(), "a description");
    EXPECT_EQ(table->group_count(), (rows + 8191) / 8192);
    std::int64_t row = 0;
    Eigen::MatrixXd group;
    for (std::int64_t i = 0; i < table->group_count(); ++i) {
      EXPECT_EQ(table->first_row(i), row);
      ASSERT_OK(table->ReadGroup(i, group));
      for (std::int64_t r = 0; r < group.rows(); ++r, ++row) {
        for (std::int64_t c = 0; c < 64; ++c) ASSERT_EQ(group(r, c), ValueAt(row, c));
      }
    }
    EXPECT_EQ(row, rows);
  }
}

TEST_F(TableFileTest, NarrowAndWideTablesHaveGroupsOfBoundedSize) {
  for (const std::int64_t columns : {1, 3, 65536}) {
    Write(10, columns);
    ASSERT_OK_AND_ASSIGN(const auto table, TableReader::Open(path_, "id"));
    Eigen::MatrixXd group;
    for (std::int64_t i = 0; i < table->group_count(); ++i) {
      ASSERT_OK(table->ReadGroup(i, group));
      EXPECT_LE(group.size(), std::max<std::int64_t>(1 << 19, columns));
      EXPECT_EQ(group(0, columns - 1), ValueAt(table->first_row(i), columns - 1));
    }
  }
}

// DATA_LOSS on opening, or on reading a group; OK with all numbers right otherwise.
absl::Status ReadTable(const std::string& path, const std::string& id) {
  const auto table = TableReader::Open(path, id);
  if (!table.ok()) return table.status();
  EXPECT_EQ((*table)->description(), "a description");
  Eigen::MatrixXd group;
  for (std::int64_t i = 0; i < (*table)->group_count(); ++i) {
    const absl::Status status = (*table)->ReadGroup(i, group);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

TEST_F(TableFileTest, FlippedBitAnywhereIsDataLoss) {
  Write(5, 3);
  const std::string bytes = ReadFile(path_);
  ASSERT_OK(ReadTable(path_, "id"));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    PutByte(path_, bit / 8, static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8)));
    ASSERT_THAT(ReadTable(path_, "id"), StatusIs(absl::StatusCode::kDataLoss)) << bit;
    PutByte(path_, bit / 8, bytes[bit / 8]);
  }
}

TEST_F(TableFileTest, FileOfAnotherLengthIsDataLoss) {
  Write(5, 3);
  const std::string bytes = ReadFile(path_);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    WriteFile(path_, bytes.substr(0, size));
    EXPECT_THAT(ReadTable(path_, "id"), StatusIs(absl::StatusCode::kDataLoss)) << size;
  }
  WriteFile(path_, bytes + "x");
  EXPECT_THAT(ReadTable(path_, "id"), StatusIs(absl::StatusCode::kDataLoss));
  ASSERT_OK(RemoveFile(path_));
  EXPECT_THAT(ReadTable(path_, "id"), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(TableFileTest, ExchangedGroupsAreDataLoss) {
  Write(2 * 8192, 64);
  std::string bytes = ReadFile(path_);
  const std::size_t size = 8192 * 64 * 8 + 4;
  const std::string first = bytes.substr(48, size);
  bytes.replace(48, size, bytes.substr(48 + size, size));
  bytes.replace(48 + size, size, first);
  WriteFile(path_, bytes);
  EXPECT_THAT(ReadTable(path_, "id"), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(TableFileTest, FileOfAnotherDataSetIsDataLoss) {
  Write(5, 3);
  EXPECT_THAT(ReadTable(path_, "other"), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace posteriord::server
