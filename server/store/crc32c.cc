#include "server/store/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <cstddef>

namespace posteriord::server {

std::uint32_t Crc32c(std::string_view bytes, std::uint32_t before) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 30;  // of one call: its length is an int
  std::uint32_t state = ~before;
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), kMaxBytes);
    // Reads only, despite the pointer to non-const.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    state = crc32_iscsi(data, static_cast<int>(size), state);
    bytes.remove_prefix(size);
  }
  return ~state;
}

}  // namespace posteriord::server
