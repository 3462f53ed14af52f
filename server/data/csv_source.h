// Tables as comma-separated values.
#ifndef POSTERIORD_SERVER_DATA_CSV_SOURCE_H_
#define POSTERIORD_SERVER_DATA_CSV_SOURCE_H_

#include <csv.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/data/dataset_limits.h"
#include "server/data/table_source.h"
#include "server/store/file.h"

namespace posteriord::server {

// RFC 4180: numbers below one line of column names. Lines end with LF, CRLF or CR; a byte order
// mark and blank lines at the end are ignored; numbers are written with a decimal point, whatever
// the locale. Messages count lines from 1, names included.
class CsvSource : public TableSource {
 public:
  // Reads the names. REQUIRES: `file` outlives this.
  static absl::StatusOr<std::unique_ptr<CsvSource>> Open(const File& file, std::int64_t size,
                                                         const DatasetLimits& limits);

  ~CsvSource() override;
  CsvSource(const CsvSource&) = delete;
  CsvSource& operator=(const CsvSource&) = delete;

  const std::vector<std::string>& columns() const override { return columns_; }
  absl::StatusOr<std::int64_t> Read(Eigen::Ref<Eigen::MatrixXd> rows) override;

 private:
  CsvSource(const File& file, std::int64_t size, const DatasetLimits& limits);

  // Parses the next piece of the file into pending_, or sets at_end_.
  absl::Status ParseMore();
  absl::Status ParseLine(std::string_view line, bool counts);
  // Called by the parser; the first error stays in status_.
  void OnCell(const char* text, std::size_t size);
  void OnLineEnd();
  void OnNamesEnd();

  // Remembers an error in the present line.
  void Fail(std::string_view what);
  void FailInCell(std::string_view what);

  const File& file_;
  const std::int64_t size_;
  const DatasetLimits limits_;
  csv_parser parser_;

  std::string buffer_;
  std::int64_t offset_ = 0;             // in the file
  bool after_carriage_return_ = false;  // the piece before ended with one
  bool at_end_ = false;
  absl::Status status_;

  std::int64_t line_ = 1;
  std::int64_t blank_line_ = 0;    // the first blank one since the last row; 0: none
  std::int64_t lines_parsed_ = 0;  // that held something
  std::vector<std::string> columns_;
  bool names_complete_ = false;
  std::size_t cells_in_line_ = 0;
  std::int64_t row_count_ = 0;
  std::vector<double> pending_;    // rows not yet handed out, row by row, and cells of the next one
  std::size_t pending_begin_ = 0;  // first cell not handed out
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_DATA_CSV_SOURCE_H_
