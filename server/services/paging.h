// Pages of lists: how many to return and where to go on.
#ifndef POSTERIORD_SERVER_SERVICES_PAGING_H_
#define POSTERIORD_SERVER_SERVICES_PAGING_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace posteriord::server {

// About how large a page may grow: it stays well below gRPC's limit of 4 MiB for a message.
inline constexpr std::int64_t kMaxPageBytes = 2 << 20;

// The page size asked for, or the default of 50. Errors: INVALID_ARGUMENT naming "page_size".
absl::StatusOr<int> PageSize(int asked);

// Tokens hold the id of the last item of a page and are bound to `scope`, a text that says what was
// listed and by which filter.
std::string EncodePageToken(std::string_view scope, std::string_view last_id);

// The id in the token; empty for an empty token. Errors: INVALID_ARGUMENT naming "page_token".
absl::StatusOr<std::string> DecodePageToken(std::string_view scope, std::string_view token);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_PAGING_H_
