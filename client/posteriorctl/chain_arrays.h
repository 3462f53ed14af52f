// Arrays that have one row per chain and draw (or trace point).
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_CHAIN_ARRAYS_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_CHAIN_ARRAYS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/posteriorctl/npz_writer.h"

namespace posteriord::client {

// Arrays of the shape (chains, rows, *item shape), one per item, and "sweep" of the shape
// (chains, rows). They grow chain after chain and row after row; memory does not grow with them.
class ChainArrays {
 public:
  struct Item {
    std::string name;
    std::vector<std::int64_t> shape;
  };

  // `type` is the NumPy type of the items and `type_bytes` its size. Names get `prefix`.
  static absl::StatusOr<ChainArrays> Create(const std::string& directory, const std::string& prefix,
                                            std::vector<Item> items, const std::string& type,
                                            int type_bytes);

  // Adds to the present chain a row, or a part of one: the entries from `first` on of the items
  // laid end to end. Errors: INTERNAL when it does not continue what is there; else those of the
  // file system.
  absl::Status Append(std::int64_t sweep, std::int64_t first, std::string_view bytes);

  // Ends the present chain. Errors: INTERNAL within a row.
  absl::Status EndChain();

  // Rows of each chain that has ended.
  const std::vector<std::int64_t>& rows() const { return rows_; }
  // Rows of the shortest chain, to which Finish cuts the others.
  std::int64_t CommonRows() const;

  // Moves the finished arrays to the end of `arrays`. Call once, last.
  absl::Status Finish(std::vector<NpySpool>& arrays);

 private:
  struct Column {
    NpySpool spool;
    std::vector<std::int64_t> shape;
    std::int64_t first;  // entries of a row before it
    std::int64_t size;   // entries of a row
  };

  ChainArrays(NpySpool sweeps, int type_bytes)
      : sweeps_(std::move(sweeps)), type_bytes_(type_bytes) {}

  absl::Status FinishArray(NpySpool spool, std::vector<std::int64_t> shape, std::int64_t row_bytes,
                           std::vector<NpySpool>& arrays) const;

  NpySpool sweeps_;
  int type_bytes_;
  std::vector<Column> columns_;
  std::int64_t row_size_ = 0;  // entries of a row
  std::int64_t next_ = 0;      // entry that continues the present row
  std::int64_t present_rows_ = 0;
  std::vector<std::int64_t> rows_;
};

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_CHAIN_ARRAYS_H_
