#include "server/data/split.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"

namespace posteriord::server {

void CheckSplit(const v1::Split& split, std::string_view field, FieldViolations& violations) {
  if (split.has_test_fraction() && !(split.test_fraction() >= 0 && split.test_fraction() < 1)) {
    violations.Add(absl::StrCat(ToAbsl(field), ".test_fraction"), "must be at least 0 and below 1");
  }
  if (split.has_last_rows() && split.last_rows() < 0) {
    violations.Add(absl::StrCat(ToAbsl(field), ".last_rows"), "must not be negative");
  }
}

void CheckSplitOf(const v1::Split& split, std::int64_t rows, std::string_view field,
                  FieldViolations& violations) {
  if (split.has_last_rows() && split.last_rows() >= rows) {
    violations.Add(absl::StrCat(ToAbsl(field), ".last_rows"),
                   absl::StrCat("leaves no training row: the data set has ", rows));
  }
  if (split.has_test_fraction() && split.test_fraction() > 0 && rows < 2) {
    violations.Add(absl::StrCat(ToAbsl(field), ".test_fraction"),
                   "leaves no training row: the data set has only one");
  }
}

std::int64_t TestRowCount(const v1::Split& split, std::int64_t rows) {
  if (split.has_last_rows()) return split.last_rows();
  if (!(split.test_fraction() > 0)) return 0;
  const double share = std::round(split.test_fraction() * static_cast<double>(rows));
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(share), 1, rows - 1);
}

RowSplitter::RowSplitter(const v1::Split& split, std::int64_t rows)
    : at_random_(split.has_test_fraction()),
      rows_left_(static_cast<std::uint64_t>(rows)),
      test_rows_left_(static_cast<std::uint64_t>(TestRowCount(split, rows))),
      generator_(split.seed()) {}

bool RowSplitter::NextIsTest() {
  const bool is_test =
      at_random_ ? Uniform(rows_left_) < test_rows_left_ : rows_left_ <= test_rows_left_;
  --rows_left_;
  if (is_test) --test_rows_left_;
  return is_test;
}

std::uint64_t RowSplitter::Uniform(std::uint64_t bound) {
  const std::uint64_t excess = (UINT64_MAX % bound + 1) % bound;  // 2^64 modulo bound
  while (true) {
    const std::uint64_t number = generator_();
    if (number <= UINT64_MAX - excess) return number % bound;
  }
}

}  // namespace posteriord::server
