// What a server stream sends, without the stream: replay and live follow are the same code.
#ifndef POSTERIORD_SERVER_SERVICES_STREAM_SOURCE_H_
#define POSTERIORD_SERVER_SERVICES_STREAM_SOURCE_H_

#include <chrono>
#include <optional>

#include "absl/status/statusor.h"

namespace posteriord::server {

// Owned by one stream and called by one thread at a time, on the I/O executor: it may block on the
// store.
template <typename Response>
class StreamSource {
 public:
  virtual ~StreamSource() = default;

  // The next message; nothing when there is none at present. An error ends the stream with it.
  virtual absl::StatusOr<std::optional<Response>> Next() = 0;

  // Whether the last message was handed out; the stream then ends OK.
  virtual bool finished() const = 0;

  // After Next() had nothing: when to ask again even if nobody wakes the stream.
  virtual std::optional<std::chrono::system_clock::time_point> retry_at() const {
    return std::nullopt;
  }
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_STREAM_SOURCE_H_
