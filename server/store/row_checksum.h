// The checksum stored with every row.
#ifndef POSTERIORD_SERVER_STORE_ROW_CHECKSUM_H_
#define POSTERIORD_SERVER_STORE_ROW_CHECKSUM_H_

#include <cstdint>
#include <string_view>

#include "server/store/crc32c.h"

namespace posteriord::server {

// CRC32C over every column of a row, its key included, and over the names of its table and of what
// it belongs to. A row with a flipped bit, under another key, in another table or in another job's
// file does not match.
class RowChecksum {
 public:
  RowChecksum(std::string_view table, std::string_view owner) { Add(table).Add(owner); }

  RowChecksum& Add(std::string_view bytes) {  // with the length, so that columns cannot merge
    Add(static_cast<std::int64_t>(bytes.size()));
    crc_ = Crc32c(bytes, crc_);
    return *this;
  }
  RowChecksum& Add(std::int64_t value) { return AddMemory(value); }
  RowChecksum& Add(double value) { return AddMemory(value); }

  std::int64_t value() const { return crc_; }

 private:
  template <typename T>
  RowChecksum& AddMemory(T value) {
    crc_ = Crc32c({reinterpret_cast<const char*>(&value), sizeof value}, crc_);
    return *this;
  }

  std::uint32_t crc_ = 0;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_ROW_CHECKSUM_H_
