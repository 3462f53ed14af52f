// Files in tests.
#ifndef POSTERIORD_TESTS_CLIENT_TESTING_FILES_H_
#define POSTERIORD_TESTS_CLIENT_TESTING_FILES_H_

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace posteriord::testing {

inline void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline int CountEntries(const std::string& directory) {
  int entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    entries += entry.exists() ? 1 : 0;
  }
  return entries;
}

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CLIENT_TESTING_FILES_H_
