// Which data sets exist.
#ifndef POSTERIORD_SERVER_STORE_DATASET_CATALOG_H_
#define POSTERIORD_SERVER_STORE_DATASET_CATALOG_H_

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/catalog_database.h"
#include "server/store/request_key.h"

namespace posteriord::server {

// What the catalog knows of a data set. The store does not read the body.
struct DatasetEntry {
  std::string id;
  RequestKey request;
  std::string body;  // a serialized Dataset message
};

// The data set tables of the catalog. Thread-safe.
class DatasetCatalog {
 public:
  // REQUIRES: `database` outlives this.
  explicit DatasetCatalog(CatalogDatabase& database) : connections_(database.connections()) {}

  // The data set that carries a request; nothing when none does or the request has no id.
  // ALREADY_EXISTS when its fingerprint differs.
  absl::StatusOr<std::optional<DatasetEntry>> FindRequest(const RequestKey& request);

  // Errors: ALREADY_EXISTS (id or request id taken, or id once deleted).
  absl::Status Insert(const DatasetEntry& entry);

  absl::StatusOr<DatasetEntry> Get(std::string_view id);
  // Newest first, after `after_id`; see DatasetStore::List.
  absl::StatusOr<std::vector<DatasetEntry>> List(std::string_view after_id, int limit);
  // All data sets, after every entry's checksum was verified.
  absl::StatusOr<std::set<std::string>> Ids();
  absl::StatusOr<bool> WasDeleted(std::string_view id);

  // Replaces the entry by a tombstone. FAILED_PRECONDITION while a job that is not final reads it.
  absl::Status Delete(std::string_view id);

 private:
  ConnectionPool& connections_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_DATASET_CATALOG_H_
