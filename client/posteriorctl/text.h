// Numbers, times and foreign text for people.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_TEXT_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace posteriord::client {

// 1234567 -> "1,234,567".
std::string Grouped(std::int64_t number);

// Three significant digits: "0.0312", "1.64e-05"; thousands and more in full: "-12,346"; "-" for
// NaN.
std::string Rounded(double number);

// A share in percent with one decimal: 0.0251 -> "2.5%".
std::string Percent(double share);

// "4.2s", "42s", "3m 12s", "2h 05m", "3d 04h".
std::string ShortDuration(absl::Duration duration);

// "812 B", "61.7 MB".
std::string Bytes(std::int64_t bytes);

// "(4, 800, 32)", as Python writes a tuple.
std::string Tuple(const std::vector<std::int64_t>& sizes);

// "2025-03-01 14:05:09"; "-" when unset.
std::string LocalTime(const google::protobuf::Timestamp& time, absl::TimeZone zone);
absl::Time ToTime(const google::protobuf::Timestamp& time);

// `text` with everything that could steer a terminal replaced by "?". For text that users chose.
std::string Printable(const std::string& text);

// Columns that `text`, valid UTF-8 without control characters, takes on a terminal.
int DisplayWidth(const std::string& text);

// At most `width` columns of `text`; ends in "..." when something was cut.
std::string Truncated(const std::string& text, int width);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_TEXT_H_
