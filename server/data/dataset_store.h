// Durable storage of data sets.
#ifndef POSTERIORD_SERVER_DATA_DATASET_STORE_H_
#define POSTERIORD_SERVER_DATA_DATASET_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "posteriord/v1/dataset.pb.h"
#include "posteriord/v1/dataset_service.pb.h"
#include "server/data/dataset_limits.h"
#include "server/data/table_file.h"
#include "server/store/catalog_database.h"
#include "server/store/dataset_catalog.h"
#include "server/store/file.h"

namespace posteriord::server {

class DatasetStore;

// A data set on its way in: gathers the bytes of a file on disk. Destroying it without Commit()
// leaves nothing behind. Not thread-safe; must not outlive its store.
class DatasetUpload {
 public:
  // Adds the next bytes. Errors: RESOURCE_EXHAUSTED beyond the limit on files or on a full disk.
  absl::Status Append(std::string_view bytes);

  // Reads the file, stores the table and records the data set, durably. Once. Errors:
  // INVALID_ARGUMENT, saying where the file or header is wrong; RESOURCE_EXHAUSTED. When another
  // upload with the same request_id was faster, its data set is the answer.
  absl::StatusOr<v1::Dataset> Commit(absl::Time create_time);

 private:
  friend class DatasetStore;

  DatasetUpload(DatasetStore& store, v1::UploadDatasetHeader header, File file);

  DatasetStore& store_;
  const v1::UploadDatasetHeader header_;
  const File file_;  // without a name, so that it is gone with the process
  std::int64_t size_ = 0;
};

// Data sets are immutable files <data_dir>/datasets/<id> (table_file.h) with an entry in the
// catalog. Thread-safe; all methods block on the disk. Errors common to all: NOT_FOUND, DATA_LOSS
// (damaged), RESOURCE_EXHAUSTED (disk full), UNAVAILABLE (input/output error).
class DatasetStore {
 public:
  // What opening mended after an unclean end of the process before: names of files.
  struct RecoveryReport {
    std::vector<std::string> adopted;     // whole, but not in the catalog: entered
    std::vector<std::string> removed;     // leftovers of interrupted uploads and deletions
    std::vector<std::string> missing;     // in the catalog without a file
    std::vector<std::string> unreadable;  // not data sets; left alone
  };

  static absl::StatusOr<std::unique_ptr<DatasetStore>> Open(
      std::shared_ptr<CatalogDatabase> database, const DatasetLimits& limits);

  const RecoveryReport& recovery_report() const { return recovery_report_; }

  // The data set that an earlier upload with the header's request_id made, if any. ALREADY_EXISTS
  // when that upload's header was another.
  absl::StatusOr<std::optional<v1::Dataset>> FindUpload(const v1::UploadDatasetHeader& header);

  // Begins an upload. Errors: INVALID_ARGUMENT, naming the fields of the header at fault.
  absl::StatusOr<std::unique_ptr<DatasetUpload>> BeginUpload(v1::UploadDatasetHeader header);

  // By id: the part of the name after "datasets/".
  absl::StatusOr<v1::Dataset> Get(std::string_view id);

  // Newest first, at most `limit`, starting after the data set `after_id` (empty: at the newest),
  // which may have been deleted since; INVALID_ARGUMENT when there never was one.
  absl::StatusOr<std::vector<v1::Dataset>> List(std::string_view after_id, int limit);

  // Errors: FAILED_PRECONDITION while a job that is not final reads the data set. No job can be
  // created in between: the check and the removal are one transaction, and so is
  // JobStore::CreateJob.
  absl::Status Delete(std::string_view id);

  // The stored numbers. Stay readable even if the data set is deleted meanwhile.
  absl::StatusOr<std::unique_ptr<TableReader>> OpenTable(std::string_view id);

 private:
  friend class DatasetUpload;

  DatasetStore(std::shared_ptr<CatalogDatabase> database, const DatasetLimits& limits,
               std::string directory);

  std::string PathOf(std::string_view id) const;

  // Brings catalog and files into agreement; fills the report.
  absl::Status Recover();
  // Enters data sets whose files the catalog does not know, oldest first.
  absl::Status Adopt(std::vector<DatasetEntry> unknown);

  // Makes a data set of an uploaded file.
  absl::StatusOr<v1::Dataset> Store(const v1::UploadDatasetHeader& header, const File& upload,
                                    absl::Time create_time);

  const std::shared_ptr<CatalogDatabase> database_;
  const DatasetLimits limits_;
  const std::string directory_;
  DatasetCatalog catalog_;
  RecoveryReport recovery_report_;

  // Held while a file gets its name and its entry, so that of two uploads with one request_id the
  // slower leaves nothing behind.
  Mutex publish_mutex_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_DATA_DATASET_STORE_H_
