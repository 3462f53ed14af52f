#include "server/data/csv_source.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

#include "absl/strings/charconv.h"
#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/status_macros.h"
#include "server/base/utf8.h"
#include "server/data/column_names.h"

namespace posteriord::server {
namespace {

constexpr std::int64_t kPieceBytes = 64 << 10;
constexpr std::size_t kMaxCellBytes = 64 << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The number that all of `text` is; infinite or NaN when it says so, or is too large.
std::optional<double> ParseNumber(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  if (text.find_first_of("xX") != std::string_view::npos) return std::nullopt;  // hexadecimal
  double value = 0;
  const char* end = text.data() + text.size();
  const absl::from_chars_result result = absl::from_chars(text.data(), end, value);
  if (result.ptr != end || result.ec == std::errc::invalid_argument) return std::nullopt;
  const bool too_large = result.ec == std::errc::result_out_of_range && std::abs(value) > 1;
  return too_large ? std::copysign(HUGE_VAL, value) : value;
}

// Part of a cell, fit for a message.
std::string Quote(std::string_view text) {
  return absl::StrCat("'", ToValidUtf8(text, 40), text.size() > 40 ? "...'" : "'");
}

// End of the first line of `text`, its terminator included.
std::size_t LineEnd(std::string_view text) {
  const std::size_t line_feed = text.find('\n');
  const std::size_t carriage_return = text.substr(0, line_feed).find('\r');
  if (carriage_return != std::string_view::npos && carriage_return + 1 != line_feed) {
    return carriage_return + 1;
  }
  return line_feed == std::string_view::npos ? text.size() : line_feed + 1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CsvSource>> CsvSource::Open(const File& file, std::int64_t size,
                                                           const DatasetLimits& limits) {
  std::unique_ptr<CsvSource> source(new CsvSource(file, size, limits));
  while (!source->names_complete_) {
    if (source->at_end_) return absl::InvalidArgumentError("the file is empty");
    RETURN_IF_ERROR(source->ParseMore());
  }
  return source;
}

CsvSource::CsvSource(const File& file, std::int64_t size, const DatasetLimits& limits)
    : file_(file), size_(size), limits_(limits) {
  csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI);
}

CsvSource::~CsvSource() { csv_free(&parser_); }

absl::StatusOr<std::int64_t> CsvSource::Read(Eigen::Ref<Eigen::MatrixXd> rows) {
  const std::size_t width = columns_.size();
  std::int64_t filled = 0;
  while (filled < rows.rows()) {
    const std::size_t whole_rows = (pending_.size() - pending_begin_) / width;
    if (whole_rows == 0) {
      if (at_end_) break;
      RETURN_IF_ERROR(ParseMore());
      continue;
    }
    const std::int64_t count =
        std::min<std::int64_t>(static_cast<std::int64_t>(whole_rows), rows.rows() - filled);
    rows.middleRows(filled, count) =
        Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
            pending_.data() + pending_begin_, count, static_cast<Eigen::Index>(width));
    pending_begin_ += static_cast<std::size_t>(count) * width;
    filled += count;
  }
  return filled;
}

absl::Status CsvSource::ParseMore() {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(pending_begin_));
  pending_begin_ = 0;
  if (offset_ == size_) {
    if (csv_fini(
            &parser_,
            [](void* text, std::size_t size, void* self) {
              static_cast<CsvSource*>(self)->OnCell(static_cast<const char*>(text), size);
            },
            [](int, void* self) { static_cast<CsvSource*>(self)->OnLineEnd(); }, this) != 0) {
      Fail("a quoted cell is not closed");
    }
    at_end_ = true;
    if (status_.ok() && names_complete_ && row_count_ == 0) Fail("there are no rows");
    return status_;
  }
  buffer_.resize(static_cast<std::size_t>(std::min(kPieceBytes, size_ - offset_)));
  RETURN_IF_ERROR(file_.ReadAt(offset_, buffer_.size(), buffer_.data()));
  std::string_view rest = buffer_;
  if (offset_ == 0 && rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  offset_ += static_cast<std::int64_t>(buffer_.size());
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, LineEnd(rest));
    rest.remove_prefix(line.size());
    // The second half of a CRLF that two pieces share.
    const bool is_rest_of_end = after_carriage_return_ && line == "\n";
    after_carriage_return_ = line.back() == '\r';
    RETURN_IF_ERROR(
        ParseLine(line, !is_rest_of_end && (line.back() == '\n' || line.back() == '\r')));
  }
  return absl::OkStatus();
}

absl::Status CsvSource::ParseLine(std::string_view line, bool counts) {
  const std::int64_t lines_before = lines_parsed_;
  const std::size_t parsed = csv_parse(
      &parser_, line.data(), line.size(),
      [](void* text, std::size_t size, void* self) {
        static_cast<CsvSource*>(self)->OnCell(static_cast<const char*>(text), size);
      },
      [](int, void* self) { static_cast<CsvSource*>(self)->OnLineEnd(); }, this);
  if (parsed != line.size()) {
    Fail(csv_error(&parser_) == CSV_EPARSE ? "a quote is out of place" : "out of memory");
  }
  if (csv_get_buffer_size(&parser_) > 2 * kMaxCellBytes) {
    Fail(absl::StrCat("a cell is longer than ", kMaxCellBytes, " bytes"));
  }
  if (counts) {
    constexpr int kNoLineBegun = 0;  // the parser's state
    const bool is_blank = lines_parsed_ == lines_before && parser_.pstate == kNoLineBegun;
    if (is_blank && blank_line_ == 0) blank_line_ = line_;
    ++line_;
  }
  return status_;
}

void CsvSource::OnCell(const char* text, std::size_t size) {
  if (!status_.ok()) return;
  const std::string_view cell(text, text == nullptr ? 0 : size);
  ++cells_in_line_;
  if (!names_complete_) {
    if (static_cast<std::int64_t>(cells_in_line_) > limits_.max_columns) {
      status_ = absl::ResourceExhaustedError(
          absl::StrCat("there are more than ", limits_.max_columns, " columns"));
      return;
    }
    columns_.emplace_back(cell);
    return;
  }
  if (cells_in_line_ > columns_.size()) return;  // reported at the end of the line
  const std::optional<double> value = ParseNumber(cell);
  if (cell.empty()) {
    FailInCell("is empty");
  } else if (!value.has_value()) {
    const bool other_separator = cell.find_first_of(";\t") != std::string_view::npos;
    FailInCell(absl::StrCat("is not a number: ", Quote(cell),
                            other_separator ? " (cells are separated by commas)" : ""));
  } else if (!std::isfinite(*value)) {
    FailInCell(absl::StrCat("is not a finite number: ", Quote(cell)));
  } else {
    pending_.push_back(*value);
  }
}

void CsvSource::OnLineEnd() {
  const std::size_t cells = cells_in_line_;
  cells_in_line_ = 0;
  ++lines_parsed_;
  if (!status_.ok()) return;
  if (blank_line_ != 0) {
    status_ = absl::InvalidArgumentError(absl::StrCat("line ", blank_line_, " is blank"));
  } else if (!names_complete_) {
    OnNamesEnd();
  } else if (cells != columns_.size()) {
    Fail(absl::StrCat("has ", cells, " cells, but there are ", columns_.size(), " columns"));
  } else if (++row_count_ > limits_.max_cells / static_cast<std::int64_t>(columns_.size())) {
    status_ = absl::ResourceExhaustedError(
        absl::StrCat("there are more than ", limits_.max_cells, " numbers"));
  }
}

void CsvSource::OnNamesEnd() {
  names_complete_ = true;
  const bool only_numbers = std::all_of(columns_.begin(), columns_.end(), [](const auto& name) {
    return ParseNumber(name).has_value();
  });
  if (only_numbers) {
    Fail("holds numbers only, but the first line has to name the columns");
  } else {
    status_ = CheckColumnNames(columns_, limits_.max_columns);
  }
}

void CsvSource::Fail(std::string_view what) {
  if (!status_.ok()) return;
  status_ = absl::InvalidArgumentError(absl::StrCat("line ", line_, ": ", ToAbsl(what)));
}

void CsvSource::FailInCell(std::string_view what) {
  Fail(absl::StrCat("column '", columns_[cells_in_line_ - 1], "' ", ToAbsl(what)));
}

}  // namespace posteriord::server
