#include "client/posteriorctl/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace posteriord::client {
namespace {

// Bytes of the valid UTF-8 sequence at `position`; 0 when there is none.
std::size_t SequenceLength(const std::string& text, std::size_t position) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(position);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length == 0 || position + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(position + i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

bool StartsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

}  // namespace

std::string Grouped(std::int64_t number) {
  std::string digits = absl::StrCat(number);
  const std::size_t sign = number < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > sign + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string Rounded(double number) {
  if (std::isnan(number)) return "-";
  if (std::abs(number) >= 999.5 && std::abs(number) < 1e15) return Grouped(std::llround(number));
  return absl::StrFormat("%.3g", number);
}

std::string Percent(double share) { return absl::StrFormat("%.1f%%", 100 * share); }

std::string ShortDuration(absl::Duration duration) {
  const double exact = std::max(0.0, absl::ToDoubleSeconds(duration));
  if (exact < 9.95) return absl::StrFormat("%.1fs", exact);
  if (exact > 1e9) return "years";
  const std::int64_t seconds = std::llround(exact);
  if (seconds < 60) return absl::StrFormat("%ds", seconds);
  if (seconds < 3600) return absl::StrFormat("%dm %02ds", seconds / 60, seconds % 60);
  const std::int64_t minutes = seconds / 60;
  if (minutes < 24 * 60) return absl::StrFormat("%dh %02dm", minutes / 60, minutes % 60);
  return absl::StrFormat("%dd %02dh", minutes / (24 * 60), minutes / 60 % 24);
}

std::string Bytes(std::int64_t bytes) {
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  auto value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string Tuple(const std::vector<std::int64_t>& sizes) {
  return absl::StrCat("(", absl::StrJoin(sizes, ", "), sizes.size() == 1 ? ",)" : ")");
}

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string LocalTime(const google::protobuf::Timestamp& time, absl::TimeZone zone) {
  if (time.seconds() == 0 && time.nanos() == 0) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", ToTime(time), zone);
}

std::string Printable(const std::string& text) {
  std::string printable;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = SequenceLength(text, i);
    const auto first = static_cast<unsigned char>(text[i]);
    const bool control =
        first < 0x20 || first == 0x7f ||
        (first == 0xc2 && length == 2 && static_cast<unsigned char>(text[i + 1]) < 0xa0);
    if (length == 0 || control) {
      printable += '?';
    } else {
      printable.append(text, i, length);
    }
    i += std::max<std::size_t>(length, 1);
  }
  return printable;
}

int DisplayWidth(const std::string& text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), StartsCharacter));
}

std::string Truncated(const std::string& text, int width) {
  if (DisplayWidth(text) <= width) return text;
  const int kept = std::max(0, width - 3);
  int characters = 0;
  std::size_t end = 0;
  while (end < text.size() && (characters < kept || !StartsCharacter(text[end]))) {
    if (StartsCharacter(text[end])) ++characters;
    ++end;
  }
  return text.substr(0, end) + std::string(static_cast<std::size_t>(std::clamp(width, 0, 3)), '.');
}

}  // namespace posteriord::client
