// A damaged job file yields what was written, or DATA_LOSS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/store/job_file.h"
#include "tests/server/store/testing/damage.h"
#include "tests/server/store/testing/records.h"
#include "tests/testing/status.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::server {
namespace {

using ::posteriord::testing::StatusIs;

constexpr char kDataLoss[] = "DATA_LOSS";
constexpr int kChains = 2;

std::string TextOf(const JobDescription& value) {
  const JobRecord& record = value.record;
  std::string text = absl::StrCat(record.id, "|", static_cast<int>(record.state), "|", record.body,
                                  "|", record.dataset_id, "|", record.outcome, "|",
                                  record.create_time_us, "|", record.start_time_us, "|");
  for (const auto& [key, label] : record.labels) absl::StrAppend(&text, key, "=", label, ";");
  return absl::StrCat(text, value.request.id, "|", value.request.fingerprint);
}
std::string TextOf(const JobStatus& value) {
  return absl::StrCat(static_cast<int>(value.state), "|", value.start_time_us, "|",
                      value.end_time_us, "|", value.outcome);
}
std::string TextOf(const std::string& value) { return value; }
std::string TextOf(const ChainPosition& value) {
  return absl::StrCat(value.draws, "|", value.points, "|", value.sweeps, "|", value.busy_seconds);
}
std::string TextOf(const DrawRecord& value) {
  return ByteWriter()
      .Number(value.first_draw)
      .Number(value.warmup_draws)
      .String(BytesOf(value.sweeps))
      .String(value.values)
      .bytes();
}
std::string TextOf(const TraceRecord& value) {
  return ByteWriter()
      .Number(value.index)
      .Number(value.sweep)
      .Number(2 * value.even + value.logarithmic)
      .String(BytesOf(value.values))
      .bytes();
}
std::string TextOf(const PredictiveRecord& value) {
  return ByteWriter().Number(value.sweep).Number(value.draws).String(BytesOf(value.values)).bytes();
}
std::string TextOf(const DiagnosticsRecord& value) {
  return ByteWriter().Number(value.index).Number(value.sweep).String(value.body).bytes();
}
template <typename T>
std::string TextOf(const std::optional<T>& value) {
  return value.has_value() ? "some " + TextOf(*value) : "none";
}
template <typename T>
std::string TextOf(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) absl::StrAppend(&text, "[", TextOf(value), "]");
  return text;
}
template <typename T>
std::string TextOf(const absl::StatusOr<T>& result) {
  return result.ok() ? "OK " + TextOf(*result) : absl::StatusCodeToString(result.status().code());
}

// Whatever can be read, by name.
std::map<std::string, std::string> ReadEverything(const std::string& directory) {
  JobFile file(directory, "a");
  std::map<std::string, std::string> results;
  results["description"] = TextOf(file.Describe());
  results["status"] = TextOf(file.ReadStatus());
  results["positions"] = TextOf(file.Positions());
  results["evaluations"] = TextOf(file.ReadDiagnostics(0, 100));
  results["latest evaluation"] = TextOf(file.LatestDiagnostics());
  for (int chain = 0; chain < kChains; ++chain) {
    for (int draw = 0; draw < 7; ++draw) {
      results[absl::StrCat("draw ", chain, " ", draw)] = TextOf(file.ReadDraws(chain, draw));
    }
    for (int index = 0; index < 6; ++index) {
      results[absl::StrCat("point ", chain, " ", index)] = TextOf(file.ReadTrace(chain, index, 1));
    }
    results[absl::StrCat("trace ", chain)] = TextOf(file.ReadTrace(chain, 0, 100));
    results[absl::StrCat("checkpoint ", chain)] = TextOf(file.ReadCheckpoint(chain));
    for (const int sweep : {20, 30, 40}) {
      results[absl::StrCat("sum ", chain, " ", sweep)] = TextOf(file.ReadPredictive(chain, sweep));
    }
  }
  return results;
}

class JobFileDamageTest : public ::testing::Test {
 protected:
  // The checkpoint of a chain is that many equal bytes.
  explicit JobFileDamageTest(std::size_t checkpoint_size = 1'500'000) {
    JobRecord record = MakeJob("a");
    record.labels = {{"team", "red"}};
    record.dataset_id = "digits";
    EXPECT_OK(JobFile::Create(directory_.path(), {record, {"request", "print"}}, kChains));
    JobFile file(directory_.path(), "a");
    for (int chain = 0; chain < kChains; ++chain) {
      ChainCommit commit = MakeCommit(chain, 0, 3, 0, 3);
      commit.draws[0].warmup_draws = 1;
      commit.checkpoint = std::string(checkpoint_size, static_cast<char>('a' + chain));
      commit.predictive = {MakePredictive(chain, 20), MakePredictive(chain, 40)};
      EXPECT_OK(file.Commit(commit));
      EXPECT_OK(file.Commit(MakeCommit(chain, 3, 2, 3, 2)));
    }
    EXPECT_OK(file.AppendDiagnostics({0, 10, "first"}));
    EXPECT_OK(file.AppendDiagnostics({1, 20, "second"}));
    EXPECT_OK(file.WriteStatus({JobState::kFailed, 100, 200, "because"}));
    EXPECT_OK(file.Seal());
    bytes_ = ReadFile(path_);
    expected_ = ReadEverything(directory_.path());
  }

  // Number of reads that are DATA_LOSS. All others must be as before the damage.
  int CountDataLosses(const std::string& damage) {
    int losses = 0;
    for (const auto& [name, result] : ReadEverything(directory_.path())) {
      if (result == kDataLoss) {
        ++losses;
      } else if (result != expected_.at(name)) {
        ADD_FAILURE() << damage << ": wrong " << name << ": " << result.substr(0, 100);
      }
    }
    return losses;
  }

  void Restore() { WriteFile(path_, bytes_); }

  const testing::TemporaryDirectory directory_;
  const std::string path_ = JobFile::PathOf(directory_.path(), "a");
  std::string bytes_;
  std::map<std::string, std::string> expected_;
};

class SmallJobFileDamageTest : public JobFileDamageTest {
 protected:
  SmallJobFileDamageTest() : JobFileDamageTest(5'000) {}
};

TEST_F(JobFileDamageTest, IntactFileHasNoLoss) {
  EXPECT_EQ(CountDataLosses("none"), 0);
  EXPECT_EQ(expected_.at("draw 0 6"), "NOT_FOUND");
  EXPECT_EQ(expected_.at("draw 1 4").substr(0, 2), "OK");
}

TEST_F(SmallJobFileDamageTest, ChangedColumnOfAnyRowIsDataLoss) {
  struct Column {
    std::string table, name, type;
  };
  std::vector<Column> columns;
  std::map<std::string, std::int64_t> rows;
  {
    ASSERT_OK_AND_ASSIGN(const auto database, Database::Open(path_, Database::Mode::kRead));
    Statement row = database->PrepareOnce(
        "SELECT t.name, c.name, c.type FROM sqlite_schema AS t, pragma_table_info(t.name) AS c "
        "WHERE t.type = 'table'");
    while (*row.Step()) {
      columns.push_back(
          {std::string(row.Bytes(0)), std::string(row.Bytes(1)), std::string(row.Bytes(2))});
      ASSERT_OK_AND_ASSIGN(
          rows[columns.back().table],
          database->QueryInt(absl::StrCat("SELECT count(*) FROM ", columns.back().table).c_str()));
    }
  }
  EXPECT_EQ(rows.size(), 8u);
  for (const Column& column : columns) {
    ASSERT_GT(rows[column.table], 0) << column.table;
    for (std::int64_t row = 0; row < rows[column.table]; ++row) {
      const bool is_flag = column.name == "even" || column.name == "logarithmic";
      const std::string value = is_flag                    ? absl::StrCat("1 - ", column.name)
                                : column.type == "INTEGER" ? absl::StrCat(column.name, " + 1000")
                                : column.type == "REAL"    ? absl::StrCat(column.name, " + 0.125")
                                : column.type == "TEXT"
                                    ? absl::StrCat(column.name, " || 'x'")
                                    : absl::StrCat("CAST(substr(", column.name, ", 1, length(",
                                                   column.name, ") - 1) || x'FE' AS BLOB)");
      const bool by_key = column.table == "trace";  // has no rowid
      const std::string damage = absl::StrCat(
          "UPDATE ", column.table, " SET ", column.name, " = ", value, " WHERE ",
          by_key ? absl::StrCat("(chain, point) = (SELECT chain, point FROM trace LIMIT 1 OFFSET ",
                                row, ")")
                 : absl::StrCat("rowid = (SELECT rowid FROM ", column.table, " LIMIT 1 OFFSET ",
                                row, ")"));
      RunSql(path_, damage);
      EXPECT_GT(CountDataLosses(damage), 0) << damage;
      Restore();
    }
  }
}

TEST_F(JobFileDamageTest, LostRowIsDataLoss) {
  for (const std::string table :
       {"job", "status", "chains", "draws", "trace", "predictive", "checkpoints", "diagnostics"}) {
    const std::string key = table == "trace" ? "(chain, point)" : "rowid";
    const std::string columns = table == "trace" ? "chain, point" : "rowid";
    for (int row = 0; row < 2; ++row) {
      const std::string damage =
          absl::StrCat("DELETE FROM ", table, " WHERE ", key, " = (SELECT ", columns, " FROM ",
                       table, " LIMIT 1 OFFSET ", row, ")");
      if (row == 1 && (table == "job" || table == "status")) continue;
      RunSql(path_, damage);
      EXPECT_GT(CountDataLosses(damage), 0) << damage;
      Restore();
    }
  }
}

TEST_F(JobFileDamageTest, ExchangedRowsAreDataLoss) {
  for (const std::string damage : {
           "UPDATE draws SET chain = 1 - chain",
           "UPDATE draws SET first_draw = 3 - first_draw",
           "UPDATE trace SET chain = 1 - chain",
           "UPDATE trace SET point = 3 - point WHERE point IN (1, 2)",
           "UPDATE predictive SET chain = 1 - chain",
           "UPDATE predictive SET sweep = 60 - sweep",
           "UPDATE checkpoints SET chain = 1 - chain",
           "UPDATE checkpoints SET part = 1 - part",
           "UPDATE chains SET chain = 1 - chain",
           "UPDATE diagnostics SET evaluation = 1 - evaluation",
       }) {
    // Away and back: a direct exchange would violate unique keys on its way.
    const std::string column =
        damage.substr(damage.find("SET ") + 4, damage.find(" =") - damage.find("SET ") - 4);
    const std::string table = damage.substr(7, damage.find(" SET") - 7);
    std::string away = damage;
    away.insert(away.find("= ") + 2, "1000 + ");
    RunSql(path_, away);
    RunSql(path_, absl::StrCat("UPDATE ", table, " SET ", column, " = ", column, " - 1000 WHERE ",
                               column, " > 500"));
    EXPECT_GT(CountDataLosses(damage), 0) << damage;
    Restore();
  }
}

TEST_F(SmallJobFileDamageTest, FlippedBitAnywhereNeverYieldsWrongBytes) {
  constexpr std::size_t kHeader = 100;  // of SQLite: there, other refusals are as good
  int losses = 0;
  std::size_t step;
  for (std::size_t offset = kHeader; offset < bytes_.size(); offset += step) {
    PutByte(path_, offset, static_cast<char>(bytes_[offset] ^ (1 << offset % 8)));
    losses += CountDataLosses(absl::StrCat("bit at ", offset)) > 0 ? 1 : 0;
    PutByte(path_, offset, bytes_[offset]);
    // Of long stretches of equal bytes, such as free space, a sample is enough.
    const bool is_stretch = bytes_.compare(offset, 16, std::string(16, bytes_[offset])) == 0;
    step = is_stretch ? 997 : 5;
  }
  EXPECT_GT(losses, 200);
}

TEST_F(JobFileDamageTest, TruncatedFileNeverYieldsWrongBytes) {
  for (const double part : {0.0, 0.00001, 0.01, 0.1, 0.5, 0.9, 0.99}) {
    const auto size = static_cast<std::size_t>(part * static_cast<double>(bytes_.size()));
    WriteFile(path_, bytes_.substr(0, size));
    EXPECT_GT(CountDataLosses(absl::StrCat("cut to ", size)), 0) << size;
  }
  ASSERT_OK(JobFile(directory_.path(), "a").Remove());
  EXPECT_EQ(CountDataLosses("removed"), static_cast<int>(expected_.size()));
}

TEST_F(JobFileDamageTest, FileOfAnotherJobIsDataLoss) {
  EXPECT_OK(JobFile::Create(directory_.path(), {MakeJob("b"), {}}, kChains));
  WriteFile(path_, ReadFile(JobFile::PathOf(directory_.path(), "b")));
  EXPECT_EQ(TextOf(JobFile(directory_.path(), "a").Positions()), kDataLoss);
}

TEST_F(JobFileDamageTest, FileOfANewerServerIsRefused) {
  RunSql(path_, "PRAGMA user_version = 2");
  EXPECT_THAT(JobFile(directory_.path(), "a").Positions(),
              StatusIs(absl::StatusCode::kFailedPrecondition, ::testing::HasSubstr("newer")));
}

}  // namespace
}  // namespace posteriord::server
