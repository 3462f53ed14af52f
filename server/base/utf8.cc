#include "server/base/utf8.h"

#include <algorithm>

namespace posteriord::server {
namespace {

// Bytes of the character that `text` starts with; 0 when it starts with none. RFC 3629, section 4.
std::size_t CharacterLength(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto in = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const auto tail = [&](std::size_t i) { return in(i, 0x80, 0xBF); };
  if (in(0, 0x00, 0x7F)) return 1;
  if (in(0, 0xC2, 0xDF)) return tail(1) ? 2 : 0;
  if (in(0, 0xE0, 0xEF)) {  // neither overlong nor a surrogate
    const unsigned low = byte(0) == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = byte(0) == 0xED ? 0x9F : 0xBF;
    return in(1, low, high) && tail(2) ? 3 : 0;
  }
  if (in(0, 0xF0, 0xF4)) {  // neither overlong nor above U+10FFFF
    const unsigned low = byte(0) == 0xF0 ? 0x90 : 0x80;
    const unsigned high = byte(0) == 0xF4 ? 0x8F : 0xBF;
    return in(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::size_t ValidUtf8Prefix(std::string_view text) {
  std::size_t valid = 0;
  while (valid < text.size()) {
    const std::size_t length = CharacterLength(text.substr(valid));
    if (length == 0) break;
    valid += length;
  }
  return valid;
}

std::string ToValidUtf8(std::string_view text, std::size_t max_bytes) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    const std::size_t taken = std::max<std::size_t>(length, 1);
    if (result.size() + taken > max_bytes) break;
    result.append(length > 0 ? text.substr(0, length) : "?");
    text.remove_prefix(taken);
  }
  return result;
}

}  // namespace posteriord::server
