// The file that knows which jobs and data sets exist.
#ifndef POSTERIORD_SERVER_STORE_CATALOG_DATABASE_H_
#define POSTERIORD_SERVER_STORE_CATALOG_DATABASE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/connection_pool.h"
#include "server/store/data_directory.h"

namespace posteriord::server {

// <data_dir>/catalog.db: its schema and connections, shared by JobCatalog and DatasetCatalog so
// that one transaction can look at both. Holds the data directory's lock. Thread-safe.
class CatalogDatabase {
 public:
  // Errors: those of DataDirectory::Open; DATA_LOSS when the file is damaged; FAILED_PRECONDITION
  // when a newer server wrote it.
  static absl::StatusOr<std::shared_ptr<CatalogDatabase>> Open(const std::string& data_dir);

  const DataDirectory& directory() const { return *directory_; }
  ConnectionPool& connections() { return connections_; }

 private:
  explicit CatalogDatabase(std::unique_ptr<DataDirectory> directory);

  const std::unique_ptr<DataDirectory> directory_;
  ConnectionPool connections_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_CATALOG_DATABASE_H_
