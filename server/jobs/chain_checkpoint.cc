#include "server/jobs/chain_checkpoint.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/convert/status.h"
#include "server/store/byte_codec.h"

namespace posteriord::server {
namespace {

constexpr std::uint32_t kVersion = 1;

}  // namespace

std::string EncodeCheckpoint(const ChainCheckpoint& checkpoint) {
  ByteWriter writer;
  writer.Number(kVersion)
      .String(checkpoint.profile)
      .Number(checkpoint.points)
      .String(checkpoint.state);
  return writer.bytes();
}

absl::StatusOr<ChainCheckpoint> DecodeCheckpoint(std::string_view bytes, std::string_view profile) {
  ByteReader reader(bytes);
  const auto version = reader.Number<std::uint32_t>();
  ChainCheckpoint checkpoint;
  checkpoint.profile = reader.String();
  if (!reader.ok() || version != kVersion) {
    return absl::DataLossError("a stored checkpoint is not of a known format");
  }
  if (checkpoint.profile != profile) {
    return WithReason(
        absl::FailedPreconditionError(absl::StrCat(
            "the job was begun under the numeric profile \"", checkpoint.profile,
            "\" and this server has \"", ToAbsl(profile),
            "\": its chains would not go on bit for bit. Its draws are kept; submit it again to "
            "sample it anew, and finish running jobs before changing servers")),
        "NUMERIC_PROFILE_CHANGED",
        {{"jobProfile", checkpoint.profile}, {"serverProfile", std::string(profile)}});
  }
  checkpoint.points = reader.Number<std::int64_t>();
  checkpoint.state = reader.String();
  if (!reader.AtEnd()) return absl::DataLossError("a stored checkpoint is cut short");
  return checkpoint;
}

}  // namespace posteriord::server
