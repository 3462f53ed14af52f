#include "client/posteriorctl/table.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/posteriorctl/text.h"

namespace posteriord::client {

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::vector<std::string> header;
  for (const Column& column : columns_) header.push_back(column.title);
  rows_.push_back(std::move(header));
}

void Table::Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

std::string Table::ToString(int indent) const {
  std::vector<int> widths(columns_.size(), 0);
  for (const std::vector<std::string>& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  std::string text;
  for (const std::vector<std::string>& row : rows_) {
    std::string line(static_cast<std::size_t>(indent), ' ');
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) absl::StrAppend(&line, "  ");
      const std::string padding(static_cast<std::size_t>(widths[i] - DisplayWidth(row[i])), ' ');
      if (columns_[i].align == Align::kRight) absl::StrAppend(&line, padding);
      absl::StrAppend(&line, row[i]);
      if (columns_[i].align == Align::kLeft) absl::StrAppend(&line, padding);
    }
    absl::StripTrailingAsciiWhitespace(&line);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

}  // namespace posteriord::client
