// CRC32C (Castagnoli), as in iSCSI, ext4 and gRPC: reflected polynomial 0x1EDC6F41, register and
// result inverted. Check value of "123456789": 0xE3069283.
#ifndef POSTERIORD_SERVER_STORE_CRC32C_H_
#define POSTERIORD_SERVER_STORE_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace posteriord::server {

// Checksum of `bytes`, or of bytes with checksum `before` followed by `bytes`.
std::uint32_t Crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_CRC32C_H_
