// Division of rows into training and test rows.
#ifndef POSTERIORD_SERVER_DATA_SPLIT_H_
#define POSTERIORD_SERVER_DATA_SPLIT_H_

#include <cstdint>
#include <random>
#include <string_view>

#include "posteriord/v1/dataset.pb.h"
#include "server/base/field_violation.h"

namespace posteriord::server {

// Notes what is wrong with a split of any table; `field` is its path in the request.
void CheckSplit(const v1::Split& split, std::string_view field, FieldViolations& violations);

// Notes what is wrong with a split, itself correct, of `rows` rows: it must leave a training row.
void CheckSplitOf(const v1::Split& split, std::int64_t rows, std::string_view field,
                  FieldViolations& violations);

// Number of test rows among `rows`: last_rows, or test_fraction of them, rounded, but at least one
// and not all when the fraction is positive. REQUIRES: CheckSplit and CheckSplitOf found nothing.
std::int64_t TestRowCount(const v1::Split& split, std::int64_t rows);

// Tells test rows from training rows, row after row. The choice is part of the results' definition
// and the same on every platform: selection sampling (Knuth, TAOCP vol. 2, 3.4.2, algorithm S) with
// 64-bit Mersenne Twister numbers. Row r of n is a test row when U(n - r) is less than the number
// of test rows still to be chosen, where U(m) is the next number below the largest multiple of m
// that fits into 64 bits, modulo m.
class RowSplitter {
 public:
  RowSplitter(const v1::Split& split, std::int64_t rows);

  // Whether the next row is a test row. REQUIRES: called at most `rows` times.
  bool NextIsTest();

 private:
  std::uint64_t Uniform(std::uint64_t bound);

  const bool at_random_;
  std::uint64_t rows_left_;
  std::uint64_t test_rows_left_;
  std::mt19937_64 generator_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_DATA_SPLIT_H_
