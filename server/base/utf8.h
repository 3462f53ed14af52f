// UTF-8, which every string of the wire contract must be.
#ifndef POSTERIORD_SERVER_BASE_UTF8_H_
#define POSTERIORD_SERVER_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace posteriord::server {

// Length of the longest prefix of `text` that is UTF-8 (RFC 3629) and ends between characters.
std::size_t ValidUtf8Prefix(std::string_view text);

inline bool IsValidUtf8(std::string_view text) { return ValidUtf8Prefix(text) == text.size(); }

// `text` with every byte that is not part of a character replaced by '?', cut between characters
// after at most `max_bytes`.
std::string ToValidUtf8(std::string_view text, std::size_t max_bytes);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_BASE_UTF8_H_
