#include "server/data/dataset_store.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/absl_string.h"
#include "server/base/random_id.h"
#include "server/base/status_macros.h"
#include "server/data/csv_source.h"
#include "server/data/npy_source.h"
#include "server/data/npz_source.h"
#include "server/data/table_source.h"
#include "server/data/upload_header.h"
#include "server/store/byte_codec.h"

namespace posteriord::server {
namespace {

constexpr char kUnfinishedSuffix[] = ".part";

RequestKey KeyOf(const v1::UploadDatasetHeader& header) {
  return {header.request_id(), header.SerializeAsString()};
}

absl::StatusOr<v1::Dataset> ParseDataset(const DatasetEntry& entry) {
  v1::Dataset dataset;
  if (!dataset.ParseFromString(entry.body)) {
    return absl::DataLossError(
        absl::StrCat("the description of data set '", entry.id, "' is damaged"));
  }
  return dataset;
}

// The catalog's entry as kept in the table's file, so that a lost catalog can be made anew.
std::string EncodeEntry(const DatasetEntry& entry) {
  return ByteWriter()
      .String(entry.request.id)
      .String(entry.request.fingerprint)
      .String(entry.body)
      .bytes();
}

absl::StatusOr<DatasetEntry> DecodeEntry(const std::string& id, const std::string& bytes) {
  DatasetEntry entry{.id = id};
  ByteReader reader(bytes);
  entry.request.id = reader.String();
  entry.request.fingerprint = reader.String();
  entry.body = reader.String();
  if (!reader.AtEnd()) {
    return absl::DataLossError(absl::StrCat("the description of data set '", id, "' is damaged"));
  }
  return entry;
}

absl::StatusOr<std::unique_ptr<TableSource>> OpenSource(v1::DatasetFormat format, const File& file,
                                                        const DatasetLimits& limits,
                                                        const std::string& directory) {
  ASSIGN_OR_RETURN(const std::int64_t size, file.Size());
  switch (format) {
    case v1::DATASET_FORMAT_CSV:
      return CsvSource::Open(file, size, limits);
    case v1::DATASET_FORMAT_NPY:
      return NpySource::Open(file, 0, size, "data", limits);
    default:
      return NpzSource::Open(file, size, limits, directory);
  }
}

absl::Status CopyRows(TableSource& source, TableWriter& writer) {
  while (true) {
    ASSIGN_OR_RETURN(const std::int64_t rows, source.Read(writer.group()));
    if (rows > 0) RETURN_IF_ERROR(writer.WriteGroup(rows));
    if (rows < writer.full_group_rows()) return absl::OkStatus();
  }
}

// Removes a file on destruction unless told to keep it.
class UnfinishedFile {
 public:
  explicit UnfinishedFile(std::string path) : path_(std::move(path)) {}
  ~UnfinishedFile() {
    if (!path_.empty()) RemoveFile(path_).IgnoreError();  // else the next start does it
  }
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

  const std::string& path() const { return path_; }
  absl::Status RenameTo(const std::string& path) {
    RETURN_IF_ERROR(RenameFile(path_, path));
    path_ = path;
    return absl::OkStatus();
  }
  void Keep() { path_.clear(); }

 private:
  std::string path_;
};

}  // namespace

// ----- Uploading -----

DatasetUpload::DatasetUpload(DatasetStore& store, v1::UploadDatasetHeader header, File file)
    : store_(store), header_(std::move(header)), file_(std::move(file)) {}

absl::Status DatasetUpload::Append(std::string_view bytes) {
  if (static_cast<std::int64_t>(bytes.size()) > store_.limits_.max_file_bytes - size_) {
    return absl::ResourceExhaustedError(absl::StrCat("the file is larger than the limit of ",
                                                     store_.limits_.max_file_bytes, " bytes"));
  }
  RETURN_IF_ERROR(file_.WriteAt(size_, bytes));
  size_ += static_cast<std::int64_t>(bytes.size());
  return absl::OkStatus();
}

absl::StatusOr<v1::Dataset> DatasetUpload::Commit(absl::Time create_time) {
  return store_.Store(header_, file_, create_time);
}

absl::StatusOr<std::optional<v1::Dataset>> DatasetStore::FindUpload(
    const v1::UploadDatasetHeader& header) {
  ASSIGN_OR_RETURN(const std::optional<DatasetEntry> entry, catalog_.FindRequest(KeyOf(header)));
  if (!entry.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(v1::Dataset dataset, ParseDataset(*entry));
  return dataset;
}

absl::StatusOr<std::unique_ptr<DatasetUpload>> DatasetStore::BeginUpload(
    v1::UploadDatasetHeader header) {
  RETURN_IF_ERROR(CheckUploadHeader(header));
  ASSIGN_OR_RETURN(File file, File::CreateUnnamed(directory_));
  return std::unique_ptr<DatasetUpload>(
      new DatasetUpload(*this, std::move(header), std::move(file)));
}

absl::StatusOr<v1::Dataset> DatasetStore::Store(const v1::UploadDatasetHeader& header,
                                                const File& upload, absl::Time create_time) {
  ASSIGN_OR_RETURN(const std::unique_ptr<TableSource> source,
                   OpenSource(header.format(), upload, limits_, directory_));
  ASSIGN_OR_RETURN(const std::vector<v1::Dataset::Column> columns,
                   AssignRoles(header, source->columns()));

  const std::string id = RandomId();
  UnfinishedFile unfinished(absl::StrCat(PathOf(id), kUnfinishedSuffix));
  ASSIGN_OR_RETURN(File file, File::Create(unfinished.path()));
  TableWriter writer(std::move(file), id, static_cast<std::int64_t>(columns.size()));
  RETURN_IF_ERROR(CopyRows(*source, writer));
  RETURN_IF_ERROR(CheckRowCount(header, writer.rows()));

  v1::Dataset dataset;
  dataset.set_name(absl::StrCat("datasets/", id));
  dataset.set_display_name(header.display_name());
  dataset.mutable_columns()->Assign(columns.begin(), columns.end());
  dataset.set_row_count(writer.rows());
  dataset.set_size_bytes(writer.data_bytes());
  const std::int64_t micros = absl::ToUnixMicros(create_time);
  dataset.mutable_create_time()->set_seconds(micros / 1'000'000);
  dataset.mutable_create_time()->set_nanos(static_cast<int>(micros % 1'000'000 * 1'000));
  if (header.has_split()) *dataset.mutable_split() = header.split();
  dataset.set_standardization(header.standardization() == v1::STANDARDIZATION_UNSPECIFIED
                                  ? v1::STANDARDIZATION_NONE
                                  : header.standardization());
  const DatasetEntry entry{id, KeyOf(header), dataset.SerializeAsString()};
  RETURN_IF_ERROR(writer.Finish(EncodeEntry(entry)));

  MutexLock lock(publish_mutex_);
  ASSIGN_OR_RETURN(std::optional<v1::Dataset> earlier, FindUpload(header));
  if (earlier.has_value()) return *std::move(earlier);
  RETURN_IF_ERROR(unfinished.RenameTo(PathOf(id)));
  RETURN_IF_ERROR(SyncDirectory(directory_));
  // From here on a crash leaves a data set that the next start adopts, as if the answer had been
  // lost.
  RETURN_IF_ERROR(catalog_.Insert(entry));
  unfinished.Keep();
  return dataset;
}

// ----- Reading -----

std::string DatasetStore::PathOf(std::string_view id) const {
  return absl::StrCat(directory_, "/", ToAbsl(id));
}

absl::StatusOr<v1::Dataset> DatasetStore::Get(std::string_view id) {
  ASSIGN_OR_RETURN(const DatasetEntry entry, catalog_.Get(id));
  return ParseDataset(entry);
}

absl::StatusOr<std::vector<v1::Dataset>> DatasetStore::List(std::string_view after_id, int limit) {
  ASSIGN_OR_RETURN(const std::vector<DatasetEntry> entries, catalog_.List(after_id, limit));
  std::vector<v1::Dataset> datasets;
  for (const DatasetEntry& entry : entries) {
    ASSIGN_OR_RETURN(v1::Dataset dataset, ParseDataset(entry));
    datasets.push_back(std::move(dataset));
  }
  return datasets;
}

absl::Status DatasetStore::Delete(std::string_view id) {
  RETURN_IF_ERROR(catalog_.Delete(id));
  // The data set is gone. A file that cannot be removed now is removed at the next start.
  RemoveFile(PathOf(id)).IgnoreError();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<TableReader>> DatasetStore::OpenTable(std::string_view id) {
  RETURN_IF_ERROR(catalog_.Get(id).status());  // also: the id is no path
  absl::StatusOr<std::unique_ptr<TableReader>> table =
      TableReader::Open(PathOf(id), std::string(id));
  if (absl::IsDataLoss(table.status())) {
    RETURN_IF_ERROR(catalog_.Get(id).status());  // deleted just now?
  }
  return table;
}

// ----- Recovery -----

absl::StatusOr<std::unique_ptr<DatasetStore>> DatasetStore::Open(
    std::shared_ptr<CatalogDatabase> database, const DatasetLimits& limits) {
  ASSIGN_OR_RETURN(std::string directory, database->directory().Subdirectory("datasets"));
  std::unique_ptr<DatasetStore> store(
      new DatasetStore(std::move(database), limits, std::move(directory)));
  RETURN_IF_ERROR(store->Recover());
  return store;
}

DatasetStore::DatasetStore(std::shared_ptr<CatalogDatabase> database, const DatasetLimits& limits,
                           std::string directory)
    : database_(std::move(database)),
      limits_(limits),
      directory_(std::move(directory)),
      catalog_(*database_) {}

absl::Status DatasetStore::Recover() {
  ASSIGN_OR_RETURN(std::set<std::string> missing, catalog_.Ids());
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(directory_));
  std::vector<DatasetEntry> unknown;
  for (const std::string& name : names) {
    if (missing.erase(name) > 0) continue;
    ASSIGN_OR_RETURN(const bool deleted, catalog_.WasDeleted(name));
    if (deleted || absl::EndsWith(name, kUnfinishedSuffix)) {
      RETURN_IF_ERROR(RemoveFile(PathOf(name)));
      recovery_report_.removed.push_back(name);
      continue;
    }
    const auto table = TableReader::Open(PathOf(name), name);
    absl::StatusOr<DatasetEntry> entry =
        table.ok() ? DecodeEntry(name, (*table)->description()) : table.status();
    if (entry.ok()) {
      unknown.push_back(*std::move(entry));
    } else {
      recovery_report_.unreadable.push_back(name);
    }
  }
  recovery_report_.missing.assign(missing.begin(), missing.end());
  RETURN_IF_ERROR(SyncDirectory(directory_));
  return Adopt(std::move(unknown));
}

absl::Status DatasetStore::Adopt(std::vector<DatasetEntry> unknown) {
  std::vector<std::pair<std::int64_t, DatasetEntry>> by_time;
  for (DatasetEntry& entry : unknown) {
    ASSIGN_OR_RETURN(const v1::Dataset dataset, ParseDataset(entry));
    const auto& time = dataset.create_time();
    by_time.emplace_back(time.seconds() * 1'000'000 + time.nanos() / 1'000, std::move(entry));
  }
  std::stable_sort(by_time.begin(), by_time.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [time, entry] : by_time) {
    const absl::Status entered = catalog_.Insert(entry);
    if (!entered.ok() && !absl::IsAlreadyExists(entered)) return entered;
    (entered.ok() ? recovery_report_.adopted : recovery_report_.unreadable).push_back(entry.id);
  }
  return absl::OkStatus();
}

}  // namespace posteriord::server
