#include "client/posteriorctl/chain_arrays.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/posteriorctl/status_macros.h"

namespace posteriord::client {

static_assert(std::endian::native == std::endian::little,
              "values go from the wire to files as they are, in little-endian order");

absl::StatusOr<ChainArrays> ChainArrays::Create(const std::string& directory,
                                                const std::string& prefix, std::vector<Item> items,
                                                const std::string& type, int type_bytes) {
  ASSIGN_OR_RETURN(NpySpool sweeps,
                   NpySpool::Create(directory, absl::StrCat(prefix, "sweep"), "<i8"));
  ChainArrays arrays(std::move(sweeps), type_bytes);
  for (Item& item : items) {
    ASSIGN_OR_RETURN(NpySpool spool,
                     NpySpool::Create(directory, absl::StrCat(prefix, item.name), type));
    std::int64_t size = 1;
    for (const std::int64_t axis : item.shape) size *= axis;
    arrays.columns_.push_back({std::move(spool), std::move(item.shape), arrays.row_size_, size});
    arrays.row_size_ += size;
  }
  return arrays;
}

absl::Status ChainArrays::Append(std::int64_t sweep, std::int64_t first, std::string_view bytes) {
  const std::int64_t count = static_cast<std::int64_t>(bytes.size()) / type_bytes_;
  if (first != next_ || count > row_size_ - first) {
    return absl::InternalError("the server left a gap between draws");
  }
  if (first == 0) {
    const std::string_view entry(reinterpret_cast<const char*>(&sweep), sizeof(sweep));
    RETURN_IF_ERROR(sweeps_.Append(entry));
  }
  for (Column& column : columns_) {
    const std::int64_t begin = std::max(first, column.first);
    const std::int64_t end = std::min(first + count, column.first + column.size);
    if (begin >= end) continue;
    const auto offset = static_cast<std::size_t>((begin - first) * type_bytes_);
    const auto length = static_cast<std::size_t>((end - begin) * type_bytes_);
    RETURN_IF_ERROR(column.spool.Append(bytes.substr(offset, length)));
  }
  next_ = first + count;
  if (next_ == row_size_) {
    next_ = 0;
    ++present_rows_;
  }
  return absl::OkStatus();
}

absl::Status ChainArrays::EndChain() {
  if (next_ != 0) return absl::InternalError("the server ended a chain within a draw");
  rows_.push_back(std::exchange(present_rows_, 0));
  return absl::OkStatus();
}

std::int64_t ChainArrays::CommonRows() const {
  return rows_.empty() ? 0 : *std::min_element(rows_.begin(), rows_.end());
}

absl::Status ChainArrays::Finish(std::vector<NpySpool>& arrays) {
  RETURN_IF_ERROR(FinishArray(std::move(sweeps_), {}, sizeof(std::int64_t), arrays));
  for (Column& column : columns_) {
    RETURN_IF_ERROR(FinishArray(std::move(column.spool), std::move(column.shape),
                                column.size * type_bytes_, arrays));
  }
  return absl::OkStatus();
}

absl::Status ChainArrays::FinishArray(NpySpool spool, std::vector<std::int64_t> shape,
                                      std::int64_t row_bytes, std::vector<NpySpool>& arrays) const {
  const std::int64_t common = CommonRows();
  if (std::any_of(rows_.begin(), rows_.end(), [&](std::int64_t rows) { return rows != common; })) {
    std::vector<std::int64_t> blocks;
    for (const std::int64_t rows : rows_) blocks.push_back(rows * row_bytes);
    RETURN_IF_ERROR(spool.CutBlocks(blocks, common * row_bytes));
  }
  shape.insert(shape.begin(), {static_cast<std::int64_t>(rows_.size()), common});
  RETURN_IF_ERROR(spool.Finish(shape));
  arrays.push_back(std::move(spool));
  return absl::OkStatus();
}

}  // namespace posteriord::client
