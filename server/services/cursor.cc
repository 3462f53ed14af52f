#include "server/services/cursor.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "absl/strings/escaping.h"
#include "server/base/absl_string.h"
#include "server/base/field_violation.h"
#include "server/store/crc32c.h"

namespace posteriord::server {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

// Checksum of the positions' bytes and of the scope they belong to.
std::uint32_t Checksum(std::string_view scope, std::string_view bytes) {
  return Crc32c(bytes, Crc32c(scope));
}

absl::Status Malformed() {
  return FieldViolation("cursor",
                        "is not a cursor of this job and selection: pass back, unchanged, the "
                        "cursor of a message of a stream with the same selection, or none");
}

}  // namespace

// Variable-length positions, then the checksum, in base64 for URLs.
std::string EncodeCursor(std::string_view scope, const std::vector<std::int64_t>& positions) {
  std::string bytes;
  {
    StringOutputStream output(&bytes);
    CodedOutputStream coded(&output);
    for (const std::int64_t position : positions) {
      coded.WriteVarint64(static_cast<std::uint64_t>(position));
    }
  }
  const std::uint32_t checksum = Checksum(scope, bytes);
  {
    StringOutputStream output(&bytes);
    CodedOutputStream coded(&output);
    coded.WriteLittleEndian32(checksum);
  }
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<std::vector<std::int64_t>> DecodeCursor(std::string_view scope,
                                                       std::string_view cursor, std::size_t count) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(ToAbsl(cursor), &bytes) || bytes.size() < 4) return Malformed();
  const std::string_view body = std::string_view(bytes).substr(0, bytes.size() - 4);

  CodedInputStream coded(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                         static_cast<int>(bytes.size()));
  std::vector<std::int64_t> positions;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t position = 0;
    if (!coded.ReadVarint64(&position) || static_cast<std::int64_t>(position) < 0) {
      return Malformed();
    }
    positions.push_back(static_cast<std::int64_t>(position));
  }
  std::uint32_t checksum = 0;
  if (coded.CurrentPosition() != static_cast<int>(body.size()) ||
      !coded.ReadLittleEndian32(&checksum) || checksum != Checksum(scope, body)) {
    return Malformed();
  }
  return positions;
}

}  // namespace posteriord::server
