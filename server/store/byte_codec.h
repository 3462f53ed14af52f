// Small structures as bytes: little-endian integers and strings that carry their length.
#ifndef POSTERIORD_SERVER_STORE_BYTE_CODEC_H_
#define POSTERIORD_SERVER_STORE_BYTE_CODEC_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace posteriord::server {

static_assert(std::endian::native == std::endian::little,
              "files hold numbers as they are in memory");

class ByteWriter {
 public:
  template <typename T>
  ByteWriter& Number(T value) {
    static_assert(std::is_arithmetic_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  ByteWriter& String(std::string_view value) {
    Number<std::uint64_t>(value.size());
    bytes_.append(value);
    return *this;
  }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Reading beyond the end yields zeros and clears ok(); no length is trusted before it is checked.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Number() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    const std::string_view taken = Take(sizeof value);
    if (ok_) std::memcpy(&value, taken.data(), sizeof value);
    return value;
  }
  std::string_view String() { return Take(Number<std::uint64_t>()); }

  bool ok() const { return ok_; }
  // Whether everything was read and nothing is left.
  bool AtEnd() const { return ok_ && bytes_.empty(); }

 private:
  std::string_view Take(std::uint64_t size) {
    if (!ok_ || size > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

// The memory of an array of numbers, and back.
template <typename T>
std::string_view BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// REQUIRES: the size is a multiple of sizeof(T).
template <typename T>
std::vector<T> NumbersOf(std::string_view bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_BYTE_CODEC_H_
