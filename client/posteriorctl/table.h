// Columns of text.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_TABLE_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_TABLE_H_

#include <string>
#include <vector>

namespace posteriord::client {

// A table with one header line. Columns are as wide as their widest cell and two spaces apart;
// lines have no trailing spaces.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns);

  // REQUIRES: one cell per column.
  void Add(std::vector<std::string> cells);

  // Header and rows, each ended by a newline and preceded by `indent` spaces.
  std::string ToString(int indent = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  // header first
};

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_TABLE_H_
