#include "server/data/npy_header.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/status_macros.h"
#include "server/base/utf8.h"
#include "server/store/byte_codec.h"

namespace posteriord::server {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::int64_t kMaxDictionaryBytes = 64 << 10;

absl::Status Malformed() { return absl::InvalidArgumentError("the array's header is malformed"); }

// Takes apart the subset of Python literals that NumPy writes.
class LiteralReader {
 public:
  explicit LiteralReader(std::string_view text) : text_(text) {}

  // Takes `token` if it comes next.
  bool Take(std::string_view token) {
    SkipSpace();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }

  bool AtEnd() {
    SkipSpace();
    return text_.empty();
  }

  // 'text' or "text", without escapes.
  std::optional<std::string> String() {
    for (const char quote : {'\'', '"'}) {
      if (!Take({&quote, 1})) continue;
      const std::size_t end = text_.find(quote);
      if (end == std::string_view::npos) return std::nullopt;
      std::string value(text_.substr(0, end));
      text_.remove_prefix(end + 1);
      return value;
    }
    return std::nullopt;
  }

  std::optional<bool> Bool() {
    if (Take("True")) return true;
    if (Take("False")) return false;
    return std::nullopt;
  }

  // A non-negative integer; Python 2 wrote 3L.
  std::optional<std::int64_t> Int() {
    SkipSpace();
    const std::size_t digits = std::min(text_.find_first_not_of("0123456789"), text_.size());
    std::int64_t value = 0;
    if (!absl::SimpleAtoi(ToAbsl(text_.substr(0, digits)), &value)) return std::nullopt;
    text_.remove_prefix(digits);
    Take("L");
    return value;
  }

  // (), (3,) or (3, 4).
  std::optional<std::vector<std::int64_t>> IntTuple() {
    if (!Take("(")) return std::nullopt;
    std::vector<std::int64_t> values;
    bool more = !Take(")");
    while (more) {
      const std::optional<std::int64_t> value = Int();
      if (!value.has_value()) return std::nullopt;
      values.push_back(*value);
      const bool comma = Take(",");
      more = !Take(")");
      if (more && !comma) return std::nullopt;
    }
    return values;
  }

 private:
  void SkipSpace() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \n\t\r"), text_.size()));
  }

  std::string_view text_;
};

// Understands a type such as "<f8".
absl::Status ParseType(std::string_view type, NpyHeader& header) {
  const auto unsupported = [&](std::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("arrays of type '", ToValidUtf8(type, 40),
                                                   "' are not supported: ", ToAbsl(why)));
  };
  constexpr char kSupported[] =
      "items are f4, f8, i1, i2, i4, i8, u1, u2, u4, u8 or bool, little-endian";
  if (type.size() < 3) return unsupported(kSupported);
  const char order = type[0];
  const char kind = type[1];
  if (kind == 'O') return unsupported("objects hold no numbers; convert with .astype('<f8')");
  const std::string_view size = type.substr(2);
  if (size != "1" && size != "2" && size != "4" && size != "8") return unsupported(kSupported);
  header.item_bytes = size[0] - '0';
  if (order == '>' && header.item_bytes > 1) {
    return unsupported("it is big-endian; convert with .astype('<f8')");
  }
  if (order != '<' && order != '|' && order != '=' && order != '>') return unsupported(kSupported);
  if (kind == 'f' && header.item_bytes >= 4) {
    header.kind = NpyHeader::Kind::kFloat;
  } else if (kind == 'i') {
    header.kind = NpyHeader::Kind::kSigned;
  } else if (kind == 'u') {
    header.kind = NpyHeader::Kind::kUnsigned;
  } else if (kind == 'b' && header.item_bytes == 1) {
    header.kind = NpyHeader::Kind::kBool;
  } else {
    return unsupported(kSupported);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NpyHeader> ParseNpyDictionary(std::string_view text) {
  NpyHeader header;
  LiteralReader reader(text);
  std::set<std::string> keys;
  if (!reader.Take("{")) return Malformed();
  bool more = !reader.Take("}");
  while (more) {
    const std::optional<std::string> key = reader.String();
    if (!key.has_value() || !reader.Take(":") || !keys.insert(*key).second) return Malformed();
    if (*key == "descr") {
      if (reader.Take("[")) {
        return absl::InvalidArgumentError("arrays of records are not supported");
      }
      const std::optional<std::string> type = reader.String();
      if (!type.has_value()) return Malformed();
      RETURN_IF_ERROR(ParseType(*type, header));
    } else if (*key == "fortran_order") {
      const std::optional<bool> fortran_order = reader.Bool();
      if (!fortran_order.has_value()) return Malformed();
      header.fortran_order = *fortran_order;
    } else if (*key == "shape") {
      std::optional<std::vector<std::int64_t>> shape = reader.IntTuple();
      if (!shape.has_value()) return Malformed();
      header.shape = *std::move(shape);
    } else {
      return Malformed();
    }
    const bool comma = reader.Take(",");
    more = !reader.Take("}");
    if (more && !comma) return Malformed();
  }
  if (keys.size() != 3 || !reader.AtEnd()) return Malformed();
  return header;
}

absl::StatusOr<NpyHeader> ReadNpyHeader(const File& file, std::int64_t begin, std::int64_t end) {
  std::string preamble(static_cast<std::size_t>(std::min<std::int64_t>(end - begin, 12)), '\0');
  RETURN_IF_ERROR(file.ReadAt(begin, preamble.size(), preamble.data()));
  if (!preamble.starts_with(kMagic) || preamble.size() < 10) {
    return absl::InvalidArgumentError("not a NumPy array file");
  }
  const int version = preamble[6];
  if (version < 1 || version > 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("version ", version, " of the NumPy array format is not supported"));
  }
  ByteReader length(std::string_view(preamble).substr(8));
  const std::int64_t bytes =
      version == 1 ? length.Number<std::uint16_t>() : length.Number<std::uint32_t>();
  const std::int64_t dictionary_begin = begin + (version == 1 ? 10 : 12);
  if (!length.ok() || bytes > end - dictionary_begin) {
    return absl::InvalidArgumentError("the file ends inside the array's header");
  }
  if (bytes > kMaxDictionaryBytes) return Malformed();
  std::string dictionary(static_cast<std::size_t>(bytes), '\0');
  RETURN_IF_ERROR(file.ReadAt(dictionary_begin, dictionary.size(), dictionary.data()));
  ASSIGN_OR_RETURN(NpyHeader header, ParseNpyDictionary(dictionary));
  header.data_offset = dictionary_begin + bytes;
  return header;
}

}  // namespace posteriord::server
