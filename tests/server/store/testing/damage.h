// Damaging files.
#ifndef POSTERIORD_TESTS_SERVER_STORE_TESTING_DAMAGE_H_
#define POSTERIORD_TESTS_SERVER_STORE_TESTING_DAMAGE_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>

#include "server/store/sqlite.h"
#include "tests/testing/status.h"

namespace posteriord::server {

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
}

// Overwrites one byte of a file in place.
inline void PutByte(const std::string& path, std::size_t offset, char byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset)).put(byte);
}

// Runs SQL on a SQLite file behind the store's back.
inline void RunSql(const std::string& path, const std::string& sql) {
  ASSERT_OK_AND_ASSIGN(const auto database, Database::Open(path, Database::Mode::kWrite));
  ASSERT_OK(database->Execute(sql.c_str())) << sql;
}

}  // namespace posteriord::server

#endif  // POSTERIORD_TESTS_SERVER_STORE_TESTING_DAMAGE_H_
