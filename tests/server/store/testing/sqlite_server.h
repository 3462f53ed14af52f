// The stores of a server in a directory of the test's own, which can be restarted.
#ifndef POSTERIORD_TESTS_SERVER_STORE_TESTING_SQLITE_SERVER_H_
#define POSTERIORD_TESTS_SERVER_STORE_TESTING_SQLITE_SERVER_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "server/store/catalog_database.h"
#include "server/store/dataset_catalog.h"
#include "server/store/sqlite_job_store.h"
#include "tests/testing/status.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::server {

class SqliteServer {
 public:
  explicit SqliteServer(SqliteJobStore::Options options = {}) : options_(options) { Start(); }

  SqliteJobStore& store() { return *store_; }
  CatalogDatabase& catalog() { return *catalog_; }
  std::string directory() const { return data_dir_ / "data"; }
  std::string JobPath(const std::string& id) const { return directory() + "/jobs/" + id + ".db"; }

  void Stop() {
    store_.reset();
    catalog_.reset();
  }
  void Start() {
    auto catalog = CatalogDatabase::Open(directory());
    ASSERT_THAT(catalog, testing::IsOk());
    catalog_ = *std::move(catalog);
    auto store = SqliteJobStore::Open(catalog_, options_);
    ASSERT_THAT(store, testing::IsOk());
    store_ = *std::move(store);
  }
  void Restart() {
    Stop();
    Start();
  }

  // A server that finds what this one would leave behind if it were killed now. REQUIRES: nothing
  // is written meanwhile.
  std::unique_ptr<SqliteServer> Crash() const {
    auto copy = std::unique_ptr<SqliteServer>(new SqliteServer(options_, /*started=*/false));
    std::filesystem::copy(directory(), copy->directory(), std::filesystem::copy_options::recursive);
    copy->Start();
    return copy;
  }

  void AddDataset(const std::string& id) {
    EXPECT_THAT(DatasetCatalog(*catalog_).Insert({id, {}, "body of " + id}), testing::IsOk());
  }

 private:
  SqliteServer(SqliteJobStore::Options options, bool) : options_(options) {}

  const SqliteJobStore::Options options_;
  const testing::TemporaryDirectory data_dir_;
  std::shared_ptr<CatalogDatabase> catalog_;
  std::unique_ptr<SqliteJobStore> store_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_TESTS_SERVER_STORE_TESTING_SQLITE_SERVER_H_
