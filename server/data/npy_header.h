// The header of a NumPy array file.
#ifndef POSTERIORD_SERVER_DATA_NPY_HEADER_H_
#define POSTERIORD_SERVER_DATA_NPY_HEADER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/file.h"

namespace posteriord::server {

// numpy.lib.format, versions 1 to 3.
struct NpyHeader {
  enum class Kind { kFloat, kSigned, kUnsigned, kBool };

  Kind kind = Kind::kFloat;
  int item_bytes = 0;  // 1, 2, 4 or 8; floats 4 or 8; bool 1
  bool fortran_order = false;
  std::vector<std::int64_t> shape;  // as written, unchecked but for >= 0
  std::int64_t data_offset = 0;     // of the first item in the file
};

// Reads the header of an array that takes the bytes from `begin` to `end` of a file. Errors:
// INVALID_ARGUMENT, saying what is wrong or not supported.
absl::StatusOr<NpyHeader> ReadNpyHeader(const File& file, std::int64_t begin, std::int64_t end);

// The part in braces: a Python dictionary literal.
absl::StatusOr<NpyHeader> ParseNpyDictionary(std::string_view text);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_DATA_NPY_HEADER_H_
