// Files that users upload.
#ifndef POSTERIORD_TESTS_SERVER_DATA_TESTING_SOURCE_FILES_H_
#define POSTERIORD_TESTS_SERVER_DATA_TESTING_SOURCE_FILES_H_

#include <gtest/gtest.h>
#include <zip.h>

#include <Eigen/Core>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "server/data/table_source.h"
#include "server/store/byte_codec.h"
#include "server/store/file.h"
#include "tests/testing/status.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::server {

// A file with given contents.
class UploadedFile {
 public:
  explicit UploadedFile(const std::string& bytes)
      : file_(*File::CreateUnnamed(directory_.path())),
        size_(static_cast<std::int64_t>(bytes.size())) {
    EXPECT_THAT(file_.WriteAt(0, bytes), testing::IsOk());
  }
  const File& file() const { return file_; }
  std::int64_t size() const { return size_; }
  // Where archives are unpacked.
  const std::string& directory() const { return directory_.path(); }

 private:
  const testing::TemporaryDirectory directory_;
  const File file_;
  const std::int64_t size_;
};

// An array file with a dictionary as NumPy writes it: padded so that the data begin at a multiple
// of 64.
inline std::string NpyFile(std::string dictionary, const std::string& data, int version = 1) {
  const std::size_t preamble = version == 1 ? 10 : 12;
  while ((preamble + dictionary.size() + 1) % 64 != 0) dictionary += ' ';
  dictionary += '\n';
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  const auto size = dictionary.size();
  file += version == 1 ? ByteWriter().Number(static_cast<std::uint16_t>(size)).bytes()
                       : ByteWriter().Number(static_cast<std::uint32_t>(size)).bytes();
  return file + dictionary + data;
}

inline std::string NpyDictionary(const std::string& type, const std::string& shape,
                                 bool fortran_order = false) {
  return "{'descr': '" + type + "', 'fortran_order': " + (fortran_order ? "True" : "False") +
         ", 'shape': " + shape + ", }";
}

template <typename T>
std::string NpyFile(const std::string& type, const std::string& shape, const std::vector<T>& items,
                    bool fortran_order = false) {
  return NpyFile(NpyDictionary(type, shape, fortran_order), std::string(BytesOf(items)));
}

struct ZipEntry {
  std::string name;
  std::string contents;
  int method = ZIP_CM_DEFLATE;
};

inline std::string ZipFile(const std::vector<ZipEntry>& entries) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "archive.zip";
  int error = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE, &error);
  for (const ZipEntry& entry : entries) {
    zip_source_t* source =
        zip_source_buffer(archive, entry.contents.data(), entry.contents.size(), 0);
    const zip_int64_t index = zip_file_add(archive, entry.name.c_str(), source, ZIP_FL_ENC_UTF_8);
    EXPECT_GE(index, 0) << zip_strerror(archive);
    EXPECT_EQ(zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), entry.method, 0),
              0);
  }
  EXPECT_EQ(zip_close(archive), 0) << zip_strerror(archive);
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// All rows of a source, read `step` at a time.
inline absl::StatusOr<Eigen::MatrixXd> ReadAll(TableSource& source, std::int64_t step = 3) {
  const auto columns = static_cast<Eigen::Index>(source.columns().size());
  Eigen::MatrixXd all(0, columns);
  Eigen::Index filled = 0;
  while (true) {
    if (filled + step > all.rows()) all.conservativeResize(2 * (filled + step), Eigen::NoChange);
    const absl::StatusOr<std::int64_t> count = source.Read(all.middleRows(filled, step));
    if (!count.ok()) return count.status();
    filled += *count;
    if (*count < step) break;
  }
  all.conservativeResize(filled, Eigen::NoChange);
  return all;
}

inline Eigen::MatrixXd Matrix(const std::vector<std::vector<double>>& rows) {
  Eigen::MatrixXd matrix(static_cast<Eigen::Index>(rows.size()),
                         static_cast<Eigen::Index>(rows.at(0).size()));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t column = 0; column < rows[row].size(); ++column) {
      matrix(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(column)) = rows[row][column];
    }
  }
  return matrix;
}

}  // namespace posteriord::server

#endif  // POSTERIORD_TESTS_SERVER_DATA_TESTING_SOURCE_FILES_H_
