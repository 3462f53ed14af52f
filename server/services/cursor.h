// Cursors of streams: where a reader is, as an opaque string.
#ifndef POSTERIORD_SERVER_SERVICES_CURSOR_H_
#define POSTERIORD_SERVER_SERVICES_CURSOR_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace posteriord::server {

// A cursor belongs to one job and one selection: `scope` is any text that says both. It is bound to
// the cursor by a checksum, so that a cursor of another stream, or a mangled one, is told apart.
std::string EncodeCursor(std::string_view scope, const std::vector<std::int64_t>& positions);

// Errors: INVALID_ARGUMENT naming the field "cursor" when it is malformed, or was given out for
// another scope, or does not hold `count` non-negative positions.
absl::StatusOr<std::vector<std::int64_t>> DecodeCursor(std::string_view scope,
                                                       std::string_view cursor, std::size_t count);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_CURSOR_H_
