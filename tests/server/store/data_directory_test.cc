#include "server/store/data_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/testing/status.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::server {
namespace {

using ::posteriord::testing::IsOk;
using ::posteriord::testing::StatusIs;
using ::posteriord::testing::TemporaryDirectory;
using ::testing::HasSubstr;

TEST(DataDirectoryTest, MissingDirectoriesAreCreatedForTheOwnerOnly) {
  const TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(const auto data, DataDirectory::Open(directory / "not/yet/there/"));
  EXPECT_EQ(data->path(), directory / "not/yet/there");
  EXPECT_EQ(std::filesystem::status(data->path()).permissions(), std::filesystem::perms::owner_all);
}

TEST(DataDirectoryTest, SecondUserIsRefusedByNameUntilTheFirstIsGone) {
  const TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(auto first, DataDirectory::Open(directory / "data"));
  EXPECT_THAT(DataDirectory::Open(directory / "data"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(directory / "data")));
  EXPECT_THAT(DataDirectory::Open(directory / "other"), IsOk());
  first.reset();
  EXPECT_THAT(DataDirectory::Open(directory / "data"), IsOk());
}

TEST(DataDirectoryTest, FileInTheWayIsAnErrorThatNamesIt) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "file") << "x";
  EXPECT_THAT(DataDirectory::Open(directory / "file"),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(directory / "file")));
  EXPECT_THAT(DataDirectory::Open(""), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace posteriord::server
