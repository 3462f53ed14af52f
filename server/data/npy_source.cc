#include "server/data/npy_source.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/status_macros.h"
#include "server/data/column_names.h"

namespace posteriord::server {
namespace {

// Items of type T that lie `stride` items apart, as doubles.
template <typename T>
void Convert(const char* items, std::int64_t stride, std::int64_t count, double* values) {
  for (std::int64_t i = 0; i < count; ++i) {
    T item;
    std::memcpy(&item, items + i * stride * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
    values[i] = static_cast<double>(item);
  }
}

// As Convert: one byte each, 0 or 1.
void ConvertBools(const char* items, std::int64_t stride, std::int64_t count, double* values) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = items[i * stride] != 0 ? 1 : 0;
}

using Converter = void (*)(const char*, std::int64_t, std::int64_t, double*);

Converter ConverterFor(const NpyHeader& header) {
  const auto choose = [&](Converter one, Converter two, Converter four, Converter eight) {
    switch (header.item_bytes) {
      case 1:
        return one;
      case 2:
        return two;
      case 4:
        return four;
      default:
        return eight;
    }
  };
  switch (header.kind) {
    case NpyHeader::Kind::kFloat:
      return choose(nullptr, nullptr, Convert<float>, Convert<double>);
    case NpyHeader::Kind::kSigned:
      return choose(Convert<std::int8_t>, Convert<std::int16_t>, Convert<std::int32_t>,
                    Convert<std::int64_t>);
    case NpyHeader::Kind::kBool:
      return ConvertBools;
    default:
      return choose(Convert<std::uint8_t>, Convert<std::uint16_t>, Convert<std::uint32_t>,
                    Convert<std::uint64_t>);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<NpySource>> NpySource::Open(const File& file, std::int64_t begin,
                                                           std::int64_t end,
                                                           const std::string& name,
                                                           const DatasetLimits& limits) {
  ASSIGN_OR_RETURN(NpyHeader header, ReadNpyHeader(file, begin, end));
  const std::vector<std::int64_t>& shape = header.shape;
  const std::string shape_text = absl::StrCat("(", absl::StrJoin(shape, ", "), ")");
  if (shape.empty() || shape.size() > 2) {
    return absl::InvalidArgumentError(absl::StrCat("an array of shape ", shape_text,
                                                   " is no table: reshape it to (rows, columns)"));
  }
  const std::int64_t rows = shape[0];
  const std::int64_t columns = shape.size() == 2 ? shape[1] : 1;
  if (rows == 0 || columns == 0) {
    return absl::InvalidArgumentError(absl::StrCat("an array of shape ", shape_text, " is empty"));
  }
  std::int64_t items = 0;
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(rows, columns, &items) || items > limits.max_cells) {
    return absl::ResourceExhaustedError(absl::StrCat("an array of shape ", shape_text,
                                                     " is larger than the limit of ",
                                                     limits.max_cells, " numbers"));
  }
  if (columns > limits.max_columns) {
    return absl::ResourceExhaustedError(
        absl::StrCat(columns, " columns are more than the limit of ", limits.max_columns));
  }
  const std::int64_t stored = end - header.data_offset;
  if (__builtin_mul_overflow(items, header.item_bytes, &bytes) || bytes != stored) {
    return absl::InvalidArgumentError(
        absl::StrCat("an array of shape ", shape_text, " with items of ", header.item_bytes,
                     " bytes does not take the ", stored, " bytes that follow the header"));
  }
  std::unique_ptr<NpySource> source(new NpySource(file, std::move(header)));
  source->rows_ = rows;
  if (source->header_.shape.size() == 1) {
    source->columns_.push_back(name);
  } else {
    for (std::int64_t column = 0; column < columns; ++column) {
      source->columns_.push_back(absl::StrCat(name, ".", column));
    }
  }
  RETURN_IF_ERROR(CheckColumnNames(source->columns_, limits.max_columns));
  return source;
}

absl::StatusOr<std::int64_t> NpySource::Read(Eigen::Ref<Eigen::MatrixXd> rows) {
  const std::int64_t count = std::min<std::int64_t>(rows.rows(), rows_ - next_row_);
  const auto columns = static_cast<std::int64_t>(columns_.size());
  const Converter convert = ConverterFor(header_);
  const std::int64_t item = header_.item_bytes;
  if (header_.fortran_order) {
    buffer_.resize(static_cast<std::size_t>(count * item));
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::int64_t offset = header_.data_offset + (column * rows_ + next_row_) * item;
      RETURN_IF_ERROR(file_.ReadAt(offset, buffer_.size(), buffer_.data()));
      convert(buffer_.data(), 1, count, rows.col(column).data());
    }
  } else {
    buffer_.resize(static_cast<std::size_t>(count * columns * item));
    const std::int64_t offset = header_.data_offset + next_row_ * columns * item;
    RETURN_IF_ERROR(file_.ReadAt(offset, buffer_.size(), buffer_.data()));
    for (std::int64_t column = 0; column < columns; ++column) {
      convert(buffer_.data() + column * item, columns, count, rows.col(column).data());
    }
  }
  if (!rows.topRows(count).allFinite()) {
    for (std::int64_t column = 0; column < columns; ++column) {
      for (std::int64_t row = 0; row < count; ++row) {
        if (std::isfinite(rows(row, column))) continue;
        return absl::InvalidArgumentError(
            absl::StrCat("row ", next_row_ + row, " (the first is 0) of column '",
                         columns_[static_cast<std::size_t>(column)], "' is not a finite number"));
      }
    }
  }
  next_row_ += count;
  return count;
}

}  // namespace posteriord::server
