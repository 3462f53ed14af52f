// The file format of a data set: an immutable table of doubles with checksums.
//
// Little-endian. Rows are cut into groups of `group_rows` (the last may be shorter); within a group
// the numbers are column by column, so a reader needs memory for one group only and a writer need
// not know the number of rows.
//
//   header    magic "PSTRDATA", u32 format version, u32 group_rows, u64 rows, u64 columns,
//             u64 description bytes, u32 zero, u32 CRC32C of the bytes before
//   groups    rows_in_group x columns doubles, then u32 CRC32C of them and of the group's number
//   description  bytes of the caller's, then their u32 CRC32C
//
// Every CRC also covers the id of the data set: a file under another name is not taken for it.
#ifndef POSTERIORD_SERVER_DATA_TABLE_FILE_H_
#define POSTERIORD_SERVER_DATA_TABLE_FILE_H_

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/file.h"

namespace posteriord::server {

// Writes a table row group by row group. Not thread-safe.
class TableWriter {
 public:
  // Begins a table in an empty file. REQUIRES: columns >= 1.
  TableWriter(File file, std::string id, std::int64_t columns);

  // The rows to be filled in next, from the top; fewer than all of them at the end of the table.
  Eigen::Ref<Eigen::MatrixXd> group() { return group_; }
  std::int64_t columns() const { return group_.cols(); }
  // Rows of all groups but the last, and rows written so far.
  std::int64_t full_group_rows() const { return full_group_rows_; }
  std::int64_t rows() const { return rows_; }
  // Size of the file without the description. Unit: bytes.
  std::int64_t data_bytes() const { return offset_; }

  // Writes the first `rows` rows of group(). REQUIRES: rows >= 1, and every earlier call wrote all.
  absl::Status WriteGroup(std::int64_t rows);

  // Writes the rest and makes the file durable. REQUIRES: rows() >= 1.
  absl::Status Finish(std::string_view description);

 private:
  const File file_;
  const std::string id_;
  Eigen::MatrixXd group_;
  const std::int64_t full_group_rows_ = group_.rows();
  std::int64_t groups_ = 0;
  std::int64_t rows_ = 0;
  std::int64_t offset_;
};

// Reads a table. Thread-safe.
class TableReader {
 public:
  // Errors: DATA_LOSS when the file is not, as a whole and in its header and description, what was
  // written for `id`; FAILED_PRECONDITION when a newer server wrote it.
  static absl::StatusOr<std::unique_ptr<TableReader>> Open(const std::string& path, std::string id);

  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  std::int64_t group_count() const;
  // Number of the first row of a group, and of rows in it.
  std::int64_t first_row(std::int64_t group) const { return group * group_rows_; }
  std::int64_t rows_in(std::int64_t group) const;

  const std::string& description() const { return description_; }

  // Reads a group into `rows` (resized): rows_in(group) x columns(). Errors: DATA_LOSS.
  absl::Status ReadGroup(std::int64_t group, Eigen::MatrixXd& rows) const;

 private:
  TableReader(File file, std::string id) : file_(std::move(file)), id_(std::move(id)) {}

  absl::Status ReadHeader();
  absl::Status Damaged() const;

  const File file_;
  const std::string id_;
  std::int64_t group_rows_ = 0;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  std::string description_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_DATA_TABLE_FILE_H_
