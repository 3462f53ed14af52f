// Reads back the NPZ files that tests write.
#ifndef POSTERIORD_TESTS_CLIENT_TESTING_NPZ_READER_H_
#define POSTERIORD_TESTS_CLIENT_TESTING_NPZ_READER_H_

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace posteriord::testing {

struct NpyArray {
  std::string type;  // such as "<f8"
  std::vector<std::int64_t> shape;
  std::string bytes;

  template <typename T>
  std::vector<T> values() const {
    std::vector<T> result(bytes.size() / sizeof(T));
    std::memcpy(result.data(), bytes.data(), result.size() * sizeof(T));
    return result;
  }
};

// The arrays by name; empty when the file is not an archive of NumPy arrays in C order, each with
// the bytes that its shape asks for.
std::map<std::string, NpyArray> ReadNpz(const std::string& path);

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CLIENT_TESTING_NPZ_READER_H_
