#include "server/services/paging.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/base/absl_string.h"
#include "server/base/field_violation.h"
#include "server/store/crc32c.h"

namespace posteriord::server {
namespace {

constexpr int kDefaultPageSize = 50;
constexpr int kMaxPageSize = 1000;
constexpr std::size_t kChecksumDigits = 8;

// Binds an id to a scope, in hexadecimal digits.
std::string Checksum(std::string_view scope, std::string_view id) {
  return absl::StrFormat("%08x", Crc32c(id, Crc32c(scope)));
}

}  // namespace

absl::StatusOr<int> PageSize(int asked) {
  if (asked < 0 || asked > kMaxPageSize) {
    return FieldViolation("page_size", absl::StrCat("must be from 0 to ", kMaxPageSize));
  }
  return asked == 0 ? kDefaultPageSize : asked;
}

std::string EncodePageToken(std::string_view scope, std::string_view last_id) {
  return absl::WebSafeBase64Escape(absl::StrCat(Checksum(scope, last_id), ToAbsl(last_id)));
}

absl::StatusOr<std::string> DecodePageToken(std::string_view scope, std::string_view token) {
  if (token.empty()) return std::string();
  std::string bytes;
  if (absl::WebSafeBase64Unescape(ToAbsl(token), &bytes) && bytes.size() > kChecksumDigits) {
    std::string id = bytes.substr(kChecksumDigits);
    if (bytes.compare(0, kChecksumDigits, Checksum(scope, id)) == 0) return id;
  }
  return FieldViolation("page_token",
                        "is not a token of this list: pass back, unchanged, the next_page_token of "
                        "a page with the same filter, or none");
}

}  // namespace posteriord::server
