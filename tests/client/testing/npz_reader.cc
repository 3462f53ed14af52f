#include "tests/client/testing/npz_reader.h"

#include <zip.h>

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace posteriord::testing {
namespace {

std::optional<NpyArray> ParseNpy(const std::string& file) {
  constexpr std::size_t kPrefix = 10;
  if (file.size() < kPrefix || file.compare(0, 8, std::string("\x93NUMPY\x01\x00", 8)) != 0) {
    return std::nullopt;
  }
  const std::size_t header_size =
      static_cast<unsigned char>(file[8]) + 256 * static_cast<unsigned char>(file[9]);
  const std::size_t data = kPrefix + header_size;
  if (data % 64 != 0 || data > file.size() || file[data - 1] != '\n') return std::nullopt;
  // {'descr': '<f8', 'fortran_order': False, 'shape': (4, 2), }
  const std::string header = file.substr(kPrefix, header_size);
  const std::string before_type = "{'descr': '";
  const std::string before_shape = "', 'fortran_order': False, 'shape': (";
  const std::size_t shape = before_type.size() + 3 + before_shape.size();
  const std::size_t shape_end = header.find("), }", shape);
  if (header.rfind(before_type, 0) != 0 || shape_end == std::string::npos ||
      header.compare(shape - before_shape.size(), before_shape.size(), before_shape) != 0 ||
      header.find_first_not_of(' ', shape_end + 4) != header.size() - 1) {
    return std::nullopt;
  }
  NpyArray array;
  array.type = header.substr(before_type.size(), 3);
  std::size_t bytes = static_cast<std::size_t>(array.type[2] - '0');
  for (const absl::string_view axis : absl::StrSplit(header.substr(shape, shape_end - shape),
                                                     absl::ByAnyChar(", "), absl::SkipEmpty())) {
    std::int64_t size = 0;
    if (!absl::SimpleAtoi(axis, &size)) return std::nullopt;
    array.shape.push_back(size);
    bytes *= static_cast<std::size_t>(size);
  }
  array.bytes = file.substr(data);
  if (array.bytes.size() != bytes) return std::nullopt;
  return array;
}

}  // namespace

std::map<std::string, NpyArray> ReadNpz(const std::string& path) {
  std::map<std::string, NpyArray> arrays;
  int error = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &error);
  if (archive == nullptr) return arrays;
  const zip_int64_t entries = zip_get_num_entries(archive, 0);
  for (zip_int64_t i = 0; i < entries; ++i) {
    zip_stat_t stat;
    zip_stat_index(archive, static_cast<zip_uint64_t>(i), 0, &stat);
    std::string content(stat.size, '\0');
    zip_file_t* file = zip_fopen_index(archive, static_cast<zip_uint64_t>(i), 0);
    const zip_int64_t got = zip_fread(file, content.data(), content.size());
    zip_fclose(file);
    const std::string name = stat.name;
    const std::optional<NpyArray> array = ParseNpy(content);
    const bool named = name.size() > 4 && name.substr(name.size() - 4) == ".npy";
    if (got != static_cast<zip_int64_t>(content.size()) || !named || !array.has_value()) {
      arrays.clear();
      break;
    }
    arrays[name.substr(0, name.size() - 4)] = *array;
  }
  zip_discard(archive);
  return arrays;
}

}  // namespace posteriord::testing
