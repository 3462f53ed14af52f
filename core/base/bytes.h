// Numbers as plain bytes, in the byte order of the machine (little-endian by the numeric profile
// that guards a checkpoint).
#ifndef POSTERIORD_CORE_BASE_BYTES_H_
#define POSTERIORD_CORE_BASE_BYTES_H_

#include <Eigen/Core>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace posteriord::core {

class ByteWriter {
 public:
  explicit ByteWriter(std::size_t size) { bytes_.reserve(size); }

  template <typename Value>
  requires std::is_trivially_copyable_v<Value>
  void Put(const Value& value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(Value));
  }
  // Column by column; not its shape. Each column has to be contiguous.
  template <typename MatrixType>
  void PutMatrix(const MatrixType& matrix) {
    for (Eigen::Index column = 0; column < matrix.cols(); ++column) {
      bytes_.append(reinterpret_cast<const char*>(matrix.data() + column * matrix.outerStride()),
                    static_cast<std::size_t>(matrix.rows()) * sizeof(*matrix.data()));
    }
  }

  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what ByteWriter wrote. What the bytes are too few for is left alone, so check their size.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <typename Value>
  requires std::is_trivially_copyable_v<Value>
  void Get(Value& value) { Copy(&value, sizeof(Value)); }
  // The matrix has its shape already.
  template <typename MatrixType>
  void GetMatrix(MatrixType&& matrix) {
    if (matrix.rows() == 0) return;
    for (Eigen::Index column = 0; column < matrix.cols(); ++column) {
      Copy(&matrix.coeffRef(0, column),
           static_cast<std::size_t>(matrix.rows()) * sizeof(*matrix.data()));
    }
  }

 private:
  void Copy(void* to, std::size_t size) {
    if (size == 0 || size > rest_.size()) return;
    std::memcpy(to, rest_.data(), size);
    rest_.remove_prefix(size);
  }

  std::string_view rest_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_BASE_BYTES_H_
