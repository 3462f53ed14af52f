// Labels of a job as one column.
#ifndef POSTERIORD_SERVER_STORE_JOB_LABELS_H_
#define POSTERIORD_SERVER_STORE_JOB_LABELS_H_

#include <map>
#include <string>
#include <string_view>

#include "server/store/byte_codec.h"

namespace posteriord::server {

inline std::string EncodeLabels(const std::map<std::string, std::string>& labels) {
  ByteWriter writer;
  for (const auto& [key, value] : labels) writer.String(key).String(value);
  return writer.bytes();
}

// Bytes that are no labels yield others; the caller's checksum tells.
inline std::map<std::string, std::string> DecodeLabels(std::string_view bytes) {
  std::map<std::string, std::string> labels;
  ByteReader reader(bytes);
  while (reader.ok() && !reader.AtEnd()) {
    const std::string key(reader.String());
    labels[key] = reader.String();
  }
  return labels;
}

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_JOB_LABELS_H_
