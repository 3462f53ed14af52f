#include "server/data/dataset_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/store/sqlite_job_store.h"
#include "tests/server/data/testing/source_files.h"
#include "tests/server/store/testing/damage.h"
#include "tests/server/store/testing/records.h"
#include "tests/testing/proto.h"
#include "tests/testing/status.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::server {
namespace {

using ::posteriord::testing::FromText;
using ::posteriord::testing::IsOk;
using ::posteriord::testing::IsOkAndHolds;
using ::posteriord::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr char kCsv[] = "a,b,c\n1,2,3\n4,5,6\n";

v1::UploadDatasetHeader Header(const std::string& text = "format: DATASET_FORMAT_CSV") {
  return FromText<v1::UploadDatasetHeader>(text);
}

class DatasetStoreTest : public ::testing::Test {
 protected:
  DatasetStoreTest() { Start(); }

  void Stop() {
    jobs_.reset();
    store_.reset();
    catalog_.reset();
  }
  void Start() {
    auto catalog = CatalogDatabase::Open(directory_.path());
    ASSERT_THAT(catalog, IsOk());
    catalog_ = *std::move(catalog);
    auto store = DatasetStore::Open(catalog_, limits_);
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
    auto jobs = SqliteJobStore::Open(catalog_, {});
    ASSERT_THAT(jobs, IsOk());
    jobs_ = *std::move(jobs);
  }

  absl::StatusOr<v1::Dataset> Upload(const v1::UploadDatasetHeader& header,
                                     const std::string& bytes = kCsv, std::int64_t seconds = 1000) {
    auto upload = store_->BeginUpload(header);
    if (!upload.ok()) return upload.status();
    for (std::size_t begin = 0; begin < bytes.size(); begin += 5) {
      const absl::Status appended = (*upload)->Append(std::string_view(bytes).substr(begin, 5));
      if (!appended.ok()) return appended;
    }
    return (*upload)->Commit(absl::FromUnixSeconds(seconds));
  }

  // Id of a new data set.
  std::string MustUpload(const v1::UploadDatasetHeader& header = Header(),
                         const std::string& bytes = kCsv, std::int64_t seconds = 1000) {
    const auto dataset = Upload(header, bytes, seconds);
    EXPECT_THAT(dataset, IsOk());
    return IdOf(*dataset);
  }

  static std::string IdOf(const v1::Dataset& dataset) {
    return dataset.name().substr(std::string("datasets/").size());
  }

  std::vector<std::string> List(const std::string& after, int limit) {
    const auto datasets = store_->List(after, limit);
    EXPECT_THAT(datasets, IsOk());
    std::vector<std::string> ids;
    for (const v1::Dataset& dataset : *datasets) ids.push_back(IdOf(dataset));
    return ids;
  }

  absl::StatusOr<Eigen::MatrixXd> ReadTable(const std::string& id) {
    const auto table = store_->OpenTable(id);
    if (!table.ok()) return table.status();
    Eigen::MatrixXd rows;
    const absl::Status status = (*table)->ReadGroup(0, rows);
    if (!status.ok()) return status;
    return rows;
  }

  std::string PathOf(const std::string& name) const { return directory_ / ("datasets/" + name); }
  std::set<std::string> Files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "datasets")) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  DatasetLimits limits_;
  const testing::TemporaryDirectory directory_;
  std::shared_ptr<CatalogDatabase> catalog_;
  std::unique_ptr<DatasetStore> store_;
  std::unique_ptr<SqliteJobStore> jobs_;
};

// ----- Uploading -----

TEST_F(DatasetStoreTest, UploadedDataSetIsDescribedAndReadBack) {
  ASSERT_OK_AND_ASSIGN(
      const v1::Dataset dataset,
      Upload(Header(R"(display_name: "digits" format: DATASET_FORMAT_CSV target_columns: "c"
                       ignored_columns: "b" split { test_fraction: 0.5 seed: 7 }
                       standardization: STANDARDIZATION_INPUTS)")));
  EXPECT_EQ(dataset.name(), "datasets/" + IdOf(dataset));
  v1::Dataset expected = FromText<v1::Dataset>(R"(
      display_name: "digits" row_count: 2 create_time { seconds: 1000 }
      columns { name: "a" role: COLUMN_ROLE_INPUT }
      columns { name: "b" role: COLUMN_ROLE_IGNORED }
      columns { name: "c" role: COLUMN_ROLE_TARGET }
      split { test_fraction: 0.5 seed: 7 } standardization: STANDARDIZATION_INPUTS)");
  expected.set_name(dataset.name());
  expected.set_size_bytes(48 + 6 * 8 + 4);
  EXPECT_EQ(dataset.DebugString(), expected.DebugString());
  for (int round = 0; round < 2; ++round) {
    ASSERT_OK_AND_ASSIGN(const v1::Dataset again, store_->Get(IdOf(dataset)));
    EXPECT_EQ(again.SerializeAsString(), dataset.SerializeAsString());
    EXPECT_THAT(ReadTable(IdOf(dataset)), IsOkAndHolds(Matrix({{1, 2, 3}, {4, 5, 6}})));
    Stop();
    Start();
  }
}

TEST_F(DatasetStoreTest, EveryFormatIsRead) {
  const std::string array = NpyFile<double>("<f8", "(2, 3)", {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(ReadTable(MustUpload(Header("format: DATASET_FORMAT_NPY"), array)),
              IsOkAndHolds(Matrix({{1, 2, 3}, {4, 5, 6}})));
  ASSERT_OK_AND_ASSIGN(const v1::Dataset npz,
                       Upload(Header("format: DATASET_FORMAT_NPZ target_columns: 'x'"),
                              ZipFile({{"x.npy", array}, {"z.npy", array}})));
  EXPECT_THAT(ReadTable(IdOf(npz)), IsOkAndHolds(Matrix({{1, 2, 3, 1, 2, 3}, {4, 5, 6, 4, 5, 6}})));
  EXPECT_EQ(npz.columns(2).name(), "x.2");
  EXPECT_EQ(npz.columns(2).role(), v1::COLUMN_ROLE_TARGET);
  EXPECT_EQ(npz.columns(3).role(), v1::COLUMN_ROLE_INPUT);
}

TEST_F(DatasetStoreTest, TablesOfSeveralGroupsAreStoredWhole) {
  std::string csv = "x\n";
  for (int i = 0; i < 2 * 65536; ++i) absl::StrAppend(&csv, i, "\n");  // exactly two groups
  auto upload = *store_->BeginUpload(Header());
  ASSERT_OK(upload->Append(csv));
  ASSERT_OK_AND_ASSIGN(const v1::Dataset dataset, upload->Commit(absl::UnixEpoch()));
  EXPECT_EQ(dataset.row_count(), 2 * 65536);
  ASSERT_OK_AND_ASSIGN(const auto table, store_->OpenTable(IdOf(dataset)));
  Eigen::MatrixXd rows;
  ASSERT_EQ(table->group_count(), 2);
  ASSERT_OK(table->ReadGroup(1, rows));
  EXPECT_EQ(rows(65535, 0), 2 * 65536 - 1);
}

TEST_F(DatasetStoreTest, BadHeaderIsRefusedByField) {
  const auto refuse = [&](const std::string& text, const std::string& field) {
    EXPECT_THAT(Upload(Header(text)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("header." + field)))
        << text;
  };
  refuse("", "format");
  const std::string csv = "format: DATASET_FORMAT_CSV ";
  refuse(csv + "display_name: '" + std::string(129, 'x') + "'", "display_name");
  refuse(csv + "request_id: '" + std::string(65, 'x') + "'", "request_id");
  refuse(csv + "request_id: 'tab\\t'", "request_id");
  refuse(csv + "split { test_fraction: 1.5 }", "split.test_fraction");
  refuse(csv + "split { test_fraction: nan }", "split.test_fraction");
  refuse(csv + "split { last_rows: -1 }", "split.last_rows");
  refuse(csv + "split { last_rows: 2 }", "split.last_rows");  // all of them
  refuse(csv + "target_columns: 'a' target_columns: 'x'", "target_columns[1]");
  refuse(csv + "ignored_columns: 'x'", "ignored_columns[0]");
  refuse(csv + "target_columns: 'a' ignored_columns: 'a'", "ignored_columns[0]");
  refuse(csv + "target_columns: 'a' ignored_columns: 'b' ignored_columns: 'c'", "target_columns");
  v1::UploadDatasetHeader unknown = Header();
  unknown.set_standardization(static_cast<v1::Standardization>(77));
  EXPECT_THAT(Upload(unknown),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("header.standardization")));
  EXPECT_THAT(List("", 9), IsEmpty());
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(DatasetStoreTest, UnreadableFileLeavesNothing) {
  EXPECT_THAT(Upload(Header(), "a,b\n1,2\n3\n"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line 3")));
  EXPECT_THAT(Upload(Header("format: DATASET_FORMAT_NPZ"), kCsv),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("zip")));
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_THAT(List("", 9), IsEmpty());
}

TEST_F(DatasetStoreTest, AbandonedUploadLeavesNothing) {
  {
    auto upload = store_->BeginUpload(Header());
    ASSERT_OK(upload);
    ASSERT_OK((*upload)->Append(kCsv));
    EXPECT_THAT(Files(), IsEmpty());
  }
  EXPECT_THAT(List("", 9), IsEmpty());
}

TEST_F(DatasetStoreTest, FileBeyondTheLimitIsRefused) {
  limits_.max_file_bytes = 18;
  Stop();
  Start();
  EXPECT_THAT(Upload(Header(), kCsv), IsOk());
  EXPECT_THAT(Upload(Header(), std::string(kCsv) + "\n"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("18 bytes")));
}

// ----- Idempotency -----

TEST_F(DatasetStoreTest, RepeatedUploadReturnsTheFirstDataSet) {
  const auto header = Header("format: DATASET_FORMAT_CSV request_id: 'r1'");
  EXPECT_THAT(store_->FindUpload(header), IsOkAndHolds(::testing::Eq(std::nullopt)));
  const std::string id = MustUpload(header);
  Stop();
  Start();
  ASSERT_OK_AND_ASSIGN(const auto found, store_->FindUpload(header));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(IdOf(*found), id);
  ASSERT_OK_AND_ASSIGN(const v1::Dataset again, Upload(header));
  EXPECT_EQ(IdOf(again), id);
  EXPECT_THAT(Files(), ElementsAre(id));
}

TEST_F(DatasetStoreTest, RequestIdWithAnotherHeaderAlreadyExists) {
  MustUpload(Header("format: DATASET_FORMAT_CSV request_id: 'r1'"));
  const auto other = Header("format: DATASET_FORMAT_CSV request_id: 'r1' target_columns: 'c'");
  EXPECT_THAT(store_->FindUpload(other), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Upload(other), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Files(), SizeIs(1));
}

TEST_F(DatasetStoreTest, UploadsAtOnceWithOneRequestIdMakeOneDataSet) {
  const auto header = Header("format: DATASET_FORMAT_CSV request_id: 'r1'");
  std::vector<std::string> ids(6);
  {
    std::vector<std::jthread> threads;
    for (std::string& id : ids) threads.emplace_back([&] { id = MustUpload(header); });
  }
  EXPECT_THAT(std::set<std::string>(ids.begin(), ids.end()), SizeIs(1));
  EXPECT_THAT(Files(), ElementsAre(ids[0]));
}

// ----- Listing and deleting -----

TEST_F(DatasetStoreTest, ListIsNewestFirstAndInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(MustUpload());
  EXPECT_THAT(List("", 3), ElementsAre(ids[3], ids[2], ids[1]));
  ASSERT_OK(store_->Delete(ids[1]));
  MustUpload();
  EXPECT_THAT(List(ids[1], 3), ElementsAre(ids[0]));
  EXPECT_THAT(List(ids[0], 3), IsEmpty());
  EXPECT_THAT(store_->List("nope", 3), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(DatasetStoreTest, DeletedDataSetIsGone) {
  const std::string id = MustUpload();
  ASSERT_OK_AND_ASSIGN(const auto table, store_->OpenTable(id));
  ASSERT_OK(store_->Delete(id));
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_THAT(store_->Get(id), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->OpenTable(id), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->Delete(id), StatusIs(absl::StatusCode::kNotFound));
  Eigen::MatrixXd rows;
  EXPECT_OK(table->ReadGroup(0, rows));  // who reads it already goes on
}

TEST_F(DatasetStoreTest, UnknownDataSetIsNotFound) {
  EXPECT_THAT(store_->Get("nope"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->OpenTable("../catalog.db"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->Delete("../catalog.db"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DatasetStoreTest, DataSetOfAnUnfinishedJobIsNotDeleted) {
  const std::string id = MustUpload();
  JobRecord job = MakeJob("a");
  job.dataset_id = id;
  ASSERT_OK(jobs_->CreateJob(job, 1, "", ""));
  EXPECT_THAT(store_->Delete(id), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(id)));
  EXPECT_THAT(ReadTable(id), IsOk());
  ASSERT_OK(jobs_->SetState("a", {JobState::kQueued}, JobState::kCancelled, 1, ""));
  ASSERT_OK(store_->Delete(id));
}

TEST_F(DatasetStoreTest, JobIsNeverCreatedForADataSetBeingDeleted) {
  for (int round = 0; round < 10; ++round) {
    const std::string id = MustUpload();
    JobRecord job = MakeJob(absl::StrCat("job", round));
    job.dataset_id = id;
    absl::Status created, deleted;
    {
      std::jthread creator([&] { created = jobs_->CreateJob(job, 1, "", "").status(); });
      deleted = store_->Delete(id);
    }
    EXPECT_NE(created.ok(), deleted.ok()) << created << deleted;
    EXPECT_THAT(created.ok() ? deleted : created,
                StatusIs(created.ok() ? absl::StatusCode::kFailedPrecondition
                                      : absl::StatusCode::kNotFound));
  }
}

// ----- Recovery and damage -----

TEST_F(DatasetStoreTest, LeftoversOfInterruptedUploadsAndDeletionsAreRemoved) {
  const std::string id = MustUpload();
  const std::string deleted = MustUpload();
  const std::string bytes = ReadFile(PathOf(deleted));
  ASSERT_OK(store_->Delete(deleted));
  Stop();
  WriteFile(PathOf("abc.part"), "half");
  WriteFile(PathOf(deleted), bytes);
  WriteFile(PathOf("notes.txt"), "mine");
  Start();
  EXPECT_THAT(store_->recovery_report().removed, UnorderedElementsAre("abc.part", deleted));
  EXPECT_THAT(store_->recovery_report().unreadable, ElementsAre("notes.txt"));
  EXPECT_THAT(Files(), UnorderedElementsAre(id, "notes.txt"));
  EXPECT_THAT(List("", 9), ElementsAre(id));
}

TEST_F(DatasetStoreTest, LostCatalogIsMadeAnewFromTheFiles) {
  const auto header = Header("format: DATASET_FORMAT_CSV request_id: 'r1'");
  const std::string newest = MustUpload(Header(), kCsv, 3000);
  const std::string oldest = MustUpload(header, kCsv, 1000);
  const std::string middle = MustUpload(Header(), kCsv, 2000);
  ASSERT_OK_AND_ASSIGN(const v1::Dataset before, store_->Get(middle));
  Stop();
  std::filesystem::remove(directory_ / "catalog.db");
  Start();
  EXPECT_THAT(store_->recovery_report().adopted, ElementsAre(oldest, middle, newest));
  EXPECT_THAT(List("", 9), ElementsAre(newest, middle, oldest));
  ASSERT_OK_AND_ASSIGN(const v1::Dataset after, store_->Get(middle));
  EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const v1::Dataset repeated, Upload(header));
  EXPECT_EQ(IdOf(repeated), oldest);
}

TEST_F(DatasetStoreTest, DamagedAndMissingFilesAreDataLoss) {
  const std::string damaged = MustUpload();
  const std::string missing = MustUpload();
  Stop();
  std::string bytes = ReadFile(PathOf(damaged));
  bytes[60] ^= 1;
  WriteFile(PathOf(damaged), bytes);
  std::filesystem::remove(PathOf(missing));
  Start();
  EXPECT_THAT(store_->recovery_report().missing, ElementsAre(missing));
  EXPECT_THAT(ReadTable(damaged), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(damaged)));
  EXPECT_THAT(ReadTable(missing), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(missing)));
  EXPECT_OK(store_->Delete(missing));
}

TEST_F(DatasetStoreTest, DamagedEntryOfTheCatalogIsDataLoss) {
  MustUpload();
  Stop();
  const std::string path = directory_ / "catalog.db";
  const std::string bytes = ReadFile(path);
  for (const std::string damage :
       {"id = 'b'", "request_id = 'x'", "fingerprint = x'00'", "body = x'00'", "crc = 1"}) {
    RunSql(path, absl::StrCat("UPDATE datasets SET ", damage));
    ASSERT_OK_AND_ASSIGN(const auto catalog, CatalogDatabase::Open(directory_.path()));
    EXPECT_THAT(DatasetStore::Open(catalog, {}), StatusIs(absl::StatusCode::kDataLoss)) << damage;
    WriteFile(path, bytes);
  }
}

}  // namespace
}  // namespace posteriord::server
