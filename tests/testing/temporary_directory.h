// A directory of a test's own.
#ifndef POSTERIORD_TESTS_TESTING_TEMPORARY_DIRECTORY_H_
#define POSTERIORD_TESTS_TESTING_TEMPORARY_DIRECTORY_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace posteriord::testing {

// Removed, with what it holds, on destruction.
class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(::testing::TempDir() + "posteriord.XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "cannot make " << path_;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  // Path of something inside.
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_TESTING_TEMPORARY_DIRECTORY_H_
