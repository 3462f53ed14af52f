#include "client/posteriorctl/posteriorctl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/util/json_util.h"
#include "tests/client/testing/fake_server.h"
#include "tests/client/testing/files.h"
#include "tests/client/testing/npz_reader.h"
#include "tests/client/testing/sample_job.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::client {
namespace {

using testing::DrawScript;
using ::testing::ElementsAre;
using testing::FakeServer;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::NpyArray;
using testing::ReadFile;
using testing::ReadNpz;
using testing::SampleDraws;
using testing::SampleJob;
using testing::SampleTrace;
using testing::SampleValue;
using testing::Script;
using ::testing::StartsWith;
using testing::TemporaryDirectory;
using testing::WriteFile;

const grpc::Status kUnavailable(grpc::StatusCode::UNAVAILABLE, "shutting down");

// A run of the program.
struct Result {
  ExitCode exit_code = kSuccess;
  std::string out;
  std::string err;
};

class PosteriorctlTest : public ::testing::Test {
 protected:
  PosteriorctlTest() {
    script_.jobs["jobs/a1"] = SampleJob();
    script_.draws = SampleDraws();
    script_.trace = SampleTrace();
    *script_.watch.emplace_back().mutable_job() = SampleJob();
    script_.watch[0].mutable_job()->set_state(v1::Job::STATE_RUNNING);
    *script_.watch.emplace_back().mutable_job() = SampleJob();
  }

  Result Call(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--server", server_.address()});
    return CallPlain(std::move(arguments), input);
  }

  Result CallPlain(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), "posteriorctl");
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    Console console = {in, out, err, *interrupts_, [this] { return screen_; }, absl::UTCTimeZone()};
    Result run;
    run.exit_code = RunPosteriorctl(static_cast<int>(argv.size()), argv.data(), console);
    run.out = out.str();
    run.err = err.str();
    return run;
  }

  // Hints name the server, whose port differs from run to run.
  std::string WithoutServer(std::string text) const {
    const std::string flag = absl::StrCat(" --server ", server_.address());
    for (std::size_t at = text.find(flag); at != std::string::npos; at = text.find(flag)) {
      text.erase(at, flag.size());
    }
    return text;
  }

  FakeServer server_;
  Script& script_ = server_.script();
  std::unique_ptr<Interrupts> interrupts_ = std::make_unique<Interrupts>();
  Screen screen_;
  TemporaryDirectory directory_;
};

// ----- Use -----

TEST_F(PosteriorctlTest, HelpAndVersionGoToStandardOutput) {
  const Result help = CallPlain({"--help"});
  EXPECT_EQ(help.exit_code, kSuccess);
  EXPECT_THAT(help.out, HasSubstr("Exit codes:"));
  EXPECT_EQ(help.err, "");
  EXPECT_THAT(CallPlain({"--version"}).out, StartsWith("posteriorctl "));
  EXPECT_THAT(CallPlain({"job", "draws", "--help"}).out, HasSubstr("cut to the"));
}

TEST_F(PosteriorctlTest, WrongUseSaysWhatIsWrongAndWhereHelpIs) {
  const auto expect_misuse = [&](std::vector<std::string> arguments, const std::string& problem,
                                 const std::string& help) {
    const Result run = CallPlain(std::move(arguments));
    EXPECT_EQ(run.exit_code, kMisuse);
    EXPECT_EQ(run.out, "");
    EXPECT_THAT(run.err, HasSubstr(problem));
    EXPECT_THAT(run.err, HasSubstr(help));
  };
  expect_misuse({}, "subcommand is required", "see posteriorctl --help");
  expect_misuse({"job"}, "subcommand is required", "see posteriorctl job --help");
  expect_misuse({"job", "submt", "file"},
                "'submt' is not a command of posteriorctl job: submit, get,",
                "see posteriorctl job --help");
  expect_misuse({"jobs", "list"}, "'jobs' is not a command of posteriorctl: dataset, job",
                "see posteriorctl --help");
  expect_misuse({"job", "get"}, "name is required", "see posteriorctl job get --help");
  expect_misuse({"job", "get", "a1", "--colour"}, "--colour", "see posteriorctl job get --help");
  expect_misuse({"job", "list", "--state", "happy"}, "happy", "see posteriorctl job list --help");
  expect_misuse({"dataset", "upload", "x.csv", "--test-fraction", "0.2", "--test-last-rows", "3"},
                "excludes", "see posteriorctl dataset upload --help");
  expect_misuse({"--timeout", "-3", "job", "list"}, "--timeout", "see posteriorctl");
}

TEST_F(PosteriorctlTest, AServerThatIsNotThereIsExplained) {
  server_.Stop();
  const Result run = Call({"job", "list"});
  EXPECT_EQ(run.exit_code, kUnreachable);
  EXPECT_THAT(run.err, HasSubstr("cannot reach the server at " + server_.address()));
  EXPECT_THAT(run.err, HasSubstr("posteriord --data-dir"));
  EXPECT_THAT(run.err, HasSubstr("POSTERIORD_SERVER"));
}

TEST_F(PosteriorctlTest, TheServerComesFromTheEnvironmentAndGlobalFlagsMayComeLast) {
  ASSERT_EQ(setenv("POSTERIORD_SERVER", server_.address().c_str(), 1), 0);
  EXPECT_EQ(CallPlain({"job", "list"}).exit_code, kSuccess);
  ASSERT_EQ(setenv("POSTERIORD_SERVER", "127.0.0.1:1", 1), 0);
  EXPECT_EQ(CallPlain({"job", "list"}).exit_code, kUnreachable);
  EXPECT_EQ(CallPlain({"job", "list", "--server", server_.address()}).exit_code, kSuccess);
  unsetenv("POSTERIORD_SERVER");
}

TEST_F(PosteriorctlTest, WhatTheServerRefusesIsReported) {
  const Result run = Call({"job", "get", "nope"});
  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_EQ(run.err, "posteriorctl: NOT_FOUND: jobs/nope does not exist\n");
  EXPECT_EQ(run.out, "");
}

// ----- Data sets -----

TEST_F(PosteriorctlTest, UploadTellsTheServerEverythingAndPrintsTheName) {
  const std::string path = directory_ / "digits.csv";
  WriteFile(path, "a,b,c\n1,2,3\n");
  const Result run =
      Call({"dataset", "upload", path, "--target", "c", "--ignore", "a", "--ignore", "b",
            "--test-fraction", "0.25", "--split-seed", "9", "--standardize", "jointly"});
  ASSERT_EQ(run.exit_code, kSuccess) << run.err;
  const v1::UploadDatasetHeader& header = script_.headers.at(0);
  EXPECT_EQ(run.out, absl::StrCat("datasets/", header.request_id(), "\n"));
  EXPECT_EQ(header.display_name(), "digits");
  EXPECT_EQ(header.format(), v1::DATASET_FORMAT_CSV);
  EXPECT_THAT(header.target_columns(), ElementsAre("c"));
  EXPECT_THAT(header.ignored_columns(), ElementsAre("a", "b"));
  EXPECT_EQ(header.split().test_fraction(), 0.25);
  EXPECT_EQ(header.split().seed(), 9u);
  EXPECT_EQ(header.standardization(), v1::STANDARDIZATION_INPUTS_JOINTLY);
  EXPECT_EQ(script_.uploaded, "a,b,c\n1,2,3\n");
}

TEST_F(PosteriorctlTest, UploadLeavesTheDefaultsToTheServer) {
  const std::string path = directory_ / "x";
  WriteFile(path, "1");
  ASSERT_EQ(Call({"dataset", "upload", path, "--format", "npy", "--test-last-rows", "5",
                  "--display-name", "mine"})
                .exit_code,
            kSuccess);
  const v1::UploadDatasetHeader& header = script_.headers.at(0);
  EXPECT_EQ(header.display_name(), "mine");
  EXPECT_EQ(header.format(), v1::DATASET_FORMAT_NPY);
  EXPECT_EQ(header.split().last_rows(), 5);
  EXPECT_EQ(header.standardization(), v1::STANDARDIZATION_NONE);
}

TEST_F(PosteriorctlTest, UploadOfAFileOfUnknownFormatAsksForIt) {
  const Result run = Call({"dataset", "upload", "data.parquet"});
  EXPECT_EQ(run.exit_code, kMisuse);
  EXPECT_THAT(run.err, HasSubstr("--format"));
}

TEST_F(PosteriorctlTest, UploadDrawsABarOnATerminalOnly) {
  const std::string path = directory_ / "digits.csv";
  WriteFile(path, "a\n1\n");
  EXPECT_THAT(Call({"dataset", "upload", path}).err, Not(HasSubstr("\x1b")));
  screen_.live = true;
  EXPECT_THAT(Call({"dataset", "upload", path}).err, HasSubstr("[############"));
}

TEST_F(PosteriorctlTest, DatasetsAreListedDescribedAndDeleted) {
  v1::Dataset& dataset = script_.datasets["datasets/d1"];
  dataset.set_name("datasets/d1");
  dataset.set_display_name("digits");
  dataset.set_row_count(1797);
  dataset.set_size_bytes(928000);
  dataset.mutable_create_time()->set_seconds(1740837900);
  dataset.mutable_split()->set_test_fraction(0.2);
  for (int i = 0; i < 64; ++i) {
    v1::Dataset::Column& column = *dataset.add_columns();
    column.set_name(absl::StrCat("pixel", i));
    column.set_role(v1::COLUMN_ROLE_INPUT);
  }
  dataset.add_columns()->set_name("digit");
  dataset.mutable_columns(64)->set_role(v1::COLUMN_ROLE_TARGET);
  EXPECT_EQ(Call({"dataset", "list"}).out,
            "NAME          ROWS  INPUTS  TARGETS      SIZE  CREATED              DISPLAY NAME\n"
            "datasets/d1  1,797      64        1  928.0 kB  2025-03-01 14:05:00  digits\n");
  EXPECT_EQ(Call({"dataset", "get", "d1"}).out,
            "datasets/d1  \"digits\"\n"
            "  rows         1,797 (928.0 kB)\n"
            "  inputs       64: pixel0, pixel1, pixel2, pixel3, pixel4, pixel5, pixel6, ..., "
            "pixel63\n"
            "  targets      1: digit\n"
            "  test rows    20.0% of the rows at random, seed 0\n"
            "  standardize  none\n"
            "  created      2025-03-01 14:05:00\n");
  EXPECT_EQ(Call({"dataset", "delete", "d1"}).exit_code, kSuccess);
  EXPECT_EQ(Call({"dataset", "delete", "d1"}).exit_code, kRefused);
}

// ----- Jobs -----

constexpr char kJobFile[] = R"(
display_name: "from the file"
labels { key: "suite" value: "file" }
spec { data { dataset { dataset: "datasets/old" standardization: STANDARDIZATION_INPUTS } } }
)";

TEST_F(PosteriorctlTest, SubmitSendsTheFileWithWhatTheFlagsReplace) {
  const std::string path = directory_ / "job.textproto";
  WriteFile(path, kJobFile);
  const Result run = Call({"job", "submit", path, "--display-name", "mine", "--label", "suite=demo",
                           "--label", "who=me=you", "--dataset", "d1"});
  ASSERT_EQ(run.exit_code, kSuccess) << run.err;
  ASSERT_EQ(script_.created.size(), 1u);
  const v1::CreateJobRequest& request = script_.created[0];
  EXPECT_EQ(run.out, absl::StrCat("jobs/", request.request_id(), "\n"));
  EXPECT_THAT(run.err, HasSubstr("job watch jobs/"));
  EXPECT_EQ(request.job().display_name(), "mine");
  EXPECT_EQ(request.job().labels().at("suite"), "demo");
  EXPECT_EQ(request.job().labels().at("who"), "me=you");
  EXPECT_EQ(request.job().spec().data().dataset().dataset(), "datasets/d1");
  EXPECT_EQ(request.job().spec().data().dataset().standardization(), v1::STANDARDIZATION_INPUTS);
  EXPECT_FALSE(request.validate_only());
}

TEST_F(PosteriorctlTest, SubmitReadsStandardInput) {
  ASSERT_EQ(Call({"job", "submit", "-"}, R"({"display_name": "piped"})").exit_code, kSuccess);
  EXPECT_EQ(script_.created.at(0).job().display_name(), "piped");
}

TEST_F(PosteriorctlTest, SubmitThatOnlyValidatesCreatesNothing) {
  const Result run = Call({"job", "submit", "-", "--validate-only"}, kJobFile);
  ASSERT_EQ(run.exit_code, kSuccess) << run.err;
  EXPECT_EQ(run.out, "the job is valid; predicted needs: 1.0 kB of memory, 0 B of disk\n");
  EXPECT_TRUE(script_.created.at(0).validate_only());
  EXPECT_EQ(script_.jobs.size(), 1u);
}

TEST_F(PosteriorctlTest, SubmitRefusesWhatItCannotRead) {
  const Result missing = Call({"job", "submit", directory_ / "missing.json"});
  EXPECT_EQ(missing.exit_code, kMisuse);
  EXPECT_THAT(missing.err, HasSubstr("missing.json"));
  EXPECT_EQ(Call({"job", "submit", directory_.path()}).exit_code, kMisuse);
  const Result broken = Call({"job", "submit", "-"}, "spec {\n  sed: 1\n}");
  EXPECT_EQ(broken.exit_code, kMisuse);
  EXPECT_THAT(broken.err, HasSubstr("standard input:2:6: "));
  EXPECT_EQ(Call({"job", "submit", "-", "--label", "suite"}, kJobFile).exit_code, kMisuse);
  const Result gaussian = Call({"job", "submit", "-", "--dataset", "d1"},
                               "spec { data { gaussian { dimension: 3 } } }");
  EXPECT_EQ(gaussian.exit_code, kMisuse);
  EXPECT_THAT(gaussian.err, HasSubstr("Gaussian inputs"));
  EXPECT_TRUE(script_.created.empty());
}

TEST_F(PosteriorctlTest, SubmitAndWatchShowsProgressAndTheSummary) {
  const Result run = Call({"job", "submit", "-", "--watch"}, kJobFile);
  EXPECT_EQ(run.exit_code, kSuccess) << run.err;
  EXPECT_THAT(run.out, HasSubstr("jobs/a1  succeeded"));
  EXPECT_THAT(run.err, HasSubstr("jobs/a1 running: 100%"));
  EXPECT_THAT(run.err, HasSubstr("jobs/a1 succeeded: 100%"));
}

TEST_F(PosteriorctlTest, JobsAreListedWithTheFilterAsked) {
  const Result run =
      Call({"job", "list", "--state", "running", "--state", "failed", "--label", "suite=demo"});
  ASSERT_EQ(run.exit_code, kSuccess) << run.err;
  EXPECT_EQ(run.out,
            "NAME     STATE      SWEEPS  CHAINS  DRAWS  CREATED              DISPLAY NAME         "
            "LABELS\n"
            "jobs/a1  succeeded  100.0%       4     24  2025-03-01 14:05:00  student and teacher  "
            "suite=demo\n");
  EXPECT_THAT(script_.listed.at(0).states(),
              ElementsAre(v1::Job::STATE_RUNNING, v1::Job::STATE_FAILED));
  EXPECT_EQ(script_.listed.at(0).labels().at("suite"), "demo");
}

TEST_F(PosteriorctlTest, JsonOutputIsTheMessageWithTheNamesOfTheContract) {
  const Result run = Call({"job", "get", "jobs/a1", "--output", "json"});
  ASSERT_EQ(run.exit_code, kSuccess) << run.err;
  EXPECT_THAT(run.out, HasSubstr("\"display_name\": \"student and teacher\""));
  v1::Job job;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(run.out, &job).ok());
  EXPECT_EQ(job.SerializeAsString(), SampleJob().SerializeAsString());
  v1::ListJobsResponse list;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(
                  Call({"job", "list", "--output", "json"}).out, &list)
                  .ok());
  EXPECT_EQ(list.jobs_size(), 1);
}

TEST_F(PosteriorctlTest, CancelKeepsDrawsAndDeleteRemovesJobs) {
  EXPECT_EQ(Call({"job", "cancel", "a1"}).out, "jobs/a1  cancelled, 24 draws kept\n");
  EXPECT_EQ(Call({"job", "delete", "a1"}).exit_code, kSuccess);
  EXPECT_EQ(script_.jobs.size(), 0u);
}

// ----- Watching -----

TEST_F(PosteriorctlTest, WatchEndsWithTheExitCodeOfTheOutcome) {
  EXPECT_EQ(Call({"job", "watch", "a1"}).exit_code, kSuccess);
  script_.watch[1].mutable_job()->set_state(v1::Job::STATE_FAILED);
  EXPECT_EQ(Call({"job", "watch", "a1"}).exit_code, kJobFailed);
  script_.watch[1].mutable_job()->set_state(v1::Job::STATE_CANCELLED);
  EXPECT_EQ(Call({"job", "watch", "a1"}).exit_code, kJobCancelled);
}

TEST_F(PosteriorctlTest, WatchPrintsTheSameSummaryAsGet) {
  EXPECT_EQ(Call({"job", "watch", "a1"}).out, Call({"job", "get", "a1"}).out);
}

TEST_F(PosteriorctlTest, WatchDrawsBarsOnATerminal) {
  screen_.live = true;
  screen_.unicode = true;
  const Result run = Call({"job", "watch", "a1"});
  EXPECT_THAT(run.err, HasSubstr("████"));
  EXPECT_THAT(run.out, Not(HasSubstr("\x1b")));
}

TEST_F(PosteriorctlTest, WatchInJsonPrintsEverySnapshotInALine) {
  const Result run = Call({"job", "watch", "a1", "--output", "json"});
  const std::vector<std::string> lines = absl::StrSplit(run.out, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 2u);
  v1::Job job;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(lines[1], &job).ok());
  EXPECT_EQ(job.state(), v1::Job::STATE_SUCCEEDED);
}

TEST_F(PosteriorctlTest, WatchSurvivesALostConnectionAndSaysSo) {
  script_.breaks = {1};
  const Result run = Call({"job", "watch", "a1"});
  EXPECT_EQ(run.exit_code, kSuccess) << run.err;
  EXPECT_THAT(run.out, HasSubstr("jobs/a1  succeeded"));
}

TEST_F(PosteriorctlTest, AnInterruptedWatchLeavesTheJobAlone) {
  script_.watch.pop_back();
  script_.hang = true;
  std::atomic<bool> done{false};
  std::thread interrupter([&] {
    while (!interrupts_->Deliver() && !done) std::this_thread::yield();
  });
  const Result run = Call({"job", "watch", "a1"});
  done = true;
  interrupter.join();
  EXPECT_EQ(run.exit_code, kInterrupted);
  EXPECT_THAT(WithoutServer(run.err), HasSubstr("posteriorctl job watch jobs/a1"));
  EXPECT_THAT(WithoutServer(run.err), HasSubstr("posteriorctl job cancel jobs/a1"));
  EXPECT_EQ(run.out, "");
}

// ----- Probing -----

// The job a1 reads real labels, and the watch tells of its companion, which ends as `edit` says.
template <typename Edit>
void ScriptProbe(Script& script, Edit edit) {
  script.jobs["jobs/a1"].mutable_spec()->mutable_data()->clear_teacher();
  for (v1::WatchJobResponse& message : script.watch) {
    v1::Job& companion = *message.mutable_job();
    companion.set_name("jobs/c1");
    companion.mutable_spec()->mutable_thermalization()->set_tolerance(1);
    companion.mutable_spec()->mutable_thermalization()->set_min_effective_sample_size(50);
    edit(companion);
  }
}

void SetNotThermalized(v1::Job& companion) {
  companion.mutable_diagnostics()->set_state(v1::THERMALIZATION_STATE_NOT_THERMALIZED);
  companion.mutable_diagnostics()->clear_thermalized_since_sweep();
  v1::ObservableDiagnostics& observable = *companion.mutable_diagnostics()->mutable_observables(0);
  observable.set_state(v1::THERMALIZATION_STATE_NOT_THERMALIZED);
  observable.clear_thermalized_since_sweep();
  observable.set_worst_distance(7.5);
}

TEST_F(PosteriorctlTest, ProbeOfASamplerThatThermalizesTellsTheWarmUp) {
  ScriptProbe(script_, [](v1::Job&) {});
  const Result run = Call({"job", "probe", "a1"});
  EXPECT_EQ(run.exit_code, kSuccess) << run.err;
  ASSERT_EQ(script_.probed.size(), 1u);
  const v1::ProbeJobRequest& request = script_.probed[0];
  EXPECT_EQ(request.name(), "jobs/a1");
  EXPECT_EQ(request.teacher_seed(), 0u);
  EXPECT_EQ(request.informed_chains(), 2);
  EXPECT_EQ(request.other_chains(), 2);
  EXPECT_FALSE(request.has_warmup_sweeps());
  EXPECT_FALSE(request.has_draws());
  EXPECT_EQ(WithoutServer(run.out), absl::StrCat("jobs/", request.request_id(), R"(
The sampler thermalizes: from sweep 60 on the companion's chains agree with the informed ones.
  Give jobs/a1 at least warmup_sweeps: 60 (it has 40: its first 20 sweeps after warm-up are not to be trusted).
  test_error agrees least of the 2 monitored observables: to 0.71 of the 1 informed standard deviation tolerated.
  All observables: posteriorctl job get jobs/c1
)"));
  EXPECT_THAT(run.err, HasSubstr("is the companion of jobs/a1"));
  EXPECT_THAT(run.err, HasSubstr("jobs/c1 running: 100%"));
}

TEST_F(PosteriorctlTest, ProbeOfASamplerThatFailsWarnsOfTheDraws) {
  ScriptProbe(script_, SetNotThermalized);
  const Result run = Call({"job", "probe", "a1"});
  EXPECT_EQ(run.exit_code, kNotProven) << run.err;
  EXPECT_THAT(run.out, HasSubstr("The sampler did not thermalize within 100 sweeps: do not trust "
                                 "the draws of jobs/a1.\n"));
  EXPECT_THAT(run.out, HasSubstr("1 of 2 monitored observables is apart, most of all test_error"));
}

TEST_F(PosteriorctlTest, ProbeThatCannotTellAsksForMoreSweeps) {
  ScriptProbe(script_, [](v1::Job& companion) {
    SetNotThermalized(companion);
    companion.mutable_diagnostics()->mutable_observables(0)->set_min_chain_effective_sample_size(
        10);
  });
  const Result run = Call({"job", "probe", "a1"});
  EXPECT_EQ(run.exit_code, kNotProven) << run.err;
  EXPECT_THAT(run.out, HasSubstr("Too early to tell after 100 sweeps"));
  EXPECT_THAT(WithoutServer(run.out), HasSubstr("posteriorctl job probe jobs/a1 --sweeps 1000\n"));
}

TEST_F(PosteriorctlTest, ProbeSendsWhatTheFlagsSay) {
  ScriptProbe(script_, [](v1::Job&) {});
  ASSERT_EQ(Call({"job", "probe", "a1", "--teacher-seed", "9", "--chains", "3", "--sweeps", "95",
                  "--detach"})
                .exit_code,
            kSuccess);
  EXPECT_EQ(script_.probed.at(0).teacher_seed(), 9u);
  EXPECT_EQ(script_.probed[0].informed_chains(), 3);
  EXPECT_EQ(script_.probed[0].other_chains(), 3);
  EXPECT_FALSE(script_.probed[0].has_warmup_sweeps());
  EXPECT_EQ(script_.probed[0].draws(), 6);  // after 40 sweeps of warm-up, one every 10
  // Fewer sweeps than the job's warm-up.
  ASSERT_EQ(Call({"job", "probe", "a1", "--sweeps", "30", "--detach"}).exit_code, kSuccess);
  EXPECT_EQ(script_.probed.at(1).warmup_sweeps(), 20);
  EXPECT_EQ(script_.probed[1].draws(), 1);
  ASSERT_EQ(
      Call({"job", "probe", "a1", "--sweeps", "30", "--warmup-sweeps", "0", "--detach"}).exit_code,
      kSuccess);
  EXPECT_EQ(script_.probed.at(2).warmup_sweeps(), 0);
  EXPECT_EQ(script_.probed[2].draws(), 3);
  EXPECT_EQ(Call({"job", "probe", "a1", "--sweeps", "30", "--warmup-sweeps", "30"}).exit_code,
            kMisuse);
  EXPECT_EQ(Call({"job", "probe", "a1", "--chains", "0"}).exit_code, kMisuse);
  EXPECT_EQ(script_.probed.size(), 3u);
}

TEST_F(PosteriorctlTest, DetachedProbePrintsTheCompanionAndHowToWatchIt) {
  ScriptProbe(script_, [](v1::Job&) {});
  const Result run = Call({"job", "probe", "a1", "--detach"});
  EXPECT_EQ(run.exit_code, kSuccess);
  const std::string name = absl::StrCat("jobs/", script_.probed.at(0).request_id());
  EXPECT_EQ(run.out, name + "\n");
  EXPECT_THAT(WithoutServer(run.err), HasSubstr("posteriorctl job watch " + name));
}

TEST_F(PosteriorctlTest, ProbeInJsonPrintsTheCompanionThenEverySnapshot) {
  ScriptProbe(script_, [](v1::Job&) {});
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--json"}, {"--output", "json"}}) {
    std::vector<std::string> arguments = {"job", "probe", "a1"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const Result run = Call(arguments);
    EXPECT_EQ(run.exit_code, kSuccess);
    const std::vector<std::string> lines = absl::StrSplit(run.out, '\n', absl::SkipEmpty());
    ASSERT_EQ(lines.size(), 3u);
    v1::Job job;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(lines[2], &job).ok());
    EXPECT_EQ(job.diagnostics().thermalized_since_sweep(), 60);
  }
}

TEST_F(PosteriorctlTest, ProbeWhoseCompanionDidNotFinishEndsAsAWatchOfIt) {
  ScriptProbe(script_, [](v1::Job&) {});
  script_.watch[1].mutable_job()->set_state(v1::Job::STATE_CANCELLED);
  const Result cancelled = Call({"job", "probe", "a1"});
  EXPECT_EQ(cancelled.exit_code, kJobCancelled);
  EXPECT_THAT(cancelled.out, HasSubstr("The companion was cancelled"));
  script_.watch[1].mutable_job()->set_state(v1::Job::STATE_FAILED);
  const Result failed = Call({"job", "probe", "a1"});
  EXPECT_EQ(failed.exit_code, kJobFailed);
  EXPECT_THAT(failed.out, HasSubstr("The companion failed, so there is no answer."));
  EXPECT_THAT(failed.out, Not(HasSubstr("thermalizes")));
}

TEST_F(PosteriorctlTest, AnInterruptedProbeLeavesTheCompanionRunning) {
  ScriptProbe(script_, [](v1::Job&) {});
  script_.watch.pop_back();
  script_.hang = true;
  std::atomic<bool> done{false};
  std::thread interrupter([&] {
    while (!interrupts_->Deliver() && !done) std::this_thread::yield();
  });
  const Result run = Call({"job", "probe", "a1"});
  done = true;
  interrupter.join();
  EXPECT_EQ(run.exit_code, kInterrupted);
  const std::string name = absl::StrCat("jobs/", script_.probed.at(0).request_id());
  EXPECT_THAT(WithoutServer(run.err), HasSubstr("posteriorctl job watch " + name));
  EXPECT_THAT(WithoutServer(run.err), HasSubstr("posteriorctl job cancel " + name));
}

TEST_F(PosteriorctlTest, ProbeOfAJobThatIsNotThereIsRefused) {
  EXPECT_EQ(Call({"job", "probe", "nope"}).exit_code, kRefused);
  EXPECT_TRUE(script_.probed.empty());
}

// ----- Draws -----

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

TEST_F(PosteriorctlTest, DrawsGoToStandardOutputAsLines) {
  const Result run = Call({"job", "draws", "a1"});
  ASSERT_EQ(run.exit_code, kSuccess) << run.err;
  const std::vector<std::string> lines = Lines(run.out);
  ASSERT_EQ(lines.size(), 24u);
  EXPECT_THAT(lines[2], StartsWith("{\"chain\":1,\"draw\":0,\"sweep\":10,"));
}

TEST_F(PosteriorctlTest, TheSelectionIsSentInTheOrderOfTheLayout) {
  script_.draws = {script_.draws.back()};
  ASSERT_EQ(Call({"job", "draws", "a1", "--chains", "2,0", "--parameters",
                  "dense1.bias,dense1.weight,dense1.bias", "--thinning", "3", "--warmup",
                  "--follow", "--precision", "float32", "--cursor", "0"})
                .exit_code,
            kSuccess);
  const v1::StreamDrawsRequest& request = script_.draw_requests.at(0);
  EXPECT_THAT(request.chains(), ElementsAre(2, 0));
  EXPECT_THAT(request.parameters(), ElementsAre("dense1.weight", "dense1.bias"));
  EXPECT_EQ(request.thinning(), 3);
  EXPECT_TRUE(request.include_warmup());
  EXPECT_TRUE(request.follow());
  EXPECT_EQ(request.precision(), v1::PRECISION_FLOAT32);
  EXPECT_EQ(request.cursor(), "0");
}

TEST_F(PosteriorctlTest, DrawsBrokenOffAnywhereAreWholeInTheEnd) {
  const std::string whole = Call({"job", "draws", "a1"}).out;
  for (int k = 0; k < static_cast<int>(script_.draws.size()); ++k) {
    script_.breaks = {k};
    EXPECT_EQ(Call({"job", "draws", "a1"}).out, whole) << k;
  }
}

TEST_F(PosteriorctlTest, ARunThatFailedIsContinuedByTheNextWithACursorFile) {
  const std::string whole = Call({"job", "draws", "a1"}).out;
  const std::string out = directory_ / "draws.ndjson";
  const std::vector<std::string> arguments = {
      "--reconnect-timeout", "0", "job", "draws", "a1", "--out", out, "--cursor-file",
      directory_ / "cursor"};
  script_.breaks = {4, 0, 3};
  EXPECT_EQ(Call(arguments).exit_code, kUnreachable);
  EXPECT_EQ(Lines(ReadFile(out)).size(), 8u);
  EXPECT_EQ(Call(arguments).exit_code, kUnreachable);
  EXPECT_EQ(Call(arguments).exit_code, kUnreachable);
  EXPECT_EQ(Call(arguments).exit_code, kSuccess);
  EXPECT_EQ(ReadFile(out), whole);
  EXPECT_EQ(Call(arguments).exit_code, kSuccess);
  EXPECT_EQ(ReadFile(out), whole);
}

TEST_F(PosteriorctlTest, ACursorWithinADrawIsNotKept) {
  DrawScript script;
  script.draws_per_chain = {3, 3};
  script.parameters_per_chunk = 3;
  script_.draws = SampleDraws(script);
  const std::string whole = Call({"job", "draws", "a1"}).out;
  const std::string out = directory_ / "draws.ndjson";
  const std::vector<std::string> arguments = {
      "--reconnect-timeout", "0", "job", "draws", "a1", "--out", out, "--cursor-file",
      directory_ / "cursor"};
  script_.breaks = {5};
  EXPECT_EQ(Call(arguments).exit_code, kUnreachable);
  EXPECT_EQ(Lines(ReadFile(out)).size(), 1u);
  EXPECT_EQ(Call(arguments).exit_code, kSuccess);
  EXPECT_EQ(ReadFile(out), whole);
}

TEST_F(PosteriorctlTest, AnInterruptedExportCanBeContinued) {
  const std::string whole = Call({"job", "draws", "a1"}).out;
  const std::string out = directory_ / "draws.ndjson";
  const std::vector<std::string> arguments = {
      "job", "draws", "a1", "--out", out, "--cursor-file", directory_ / "cursor"};
  const std::vector<v1::StreamDrawsResponse> all = script_.draws;
  script_.draws.resize(5);
  script_.hang = true;
  std::atomic<bool> done{false};
  std::thread interrupter([&] {
    while (!interrupts_->Deliver() && !done) std::this_thread::yield();
  });
  const Result run = Call(arguments);
  done = true;
  interrupter.join();
  EXPECT_EQ(run.exit_code, kInterrupted);
  EXPECT_THAT(run.err, HasSubstr("the same command continues"));
  script_.draws = all;
  script_.hang = false;
  interrupts_ = std::make_unique<Interrupts>();
  EXPECT_EQ(Call(arguments).exit_code, kSuccess);
  EXPECT_EQ(ReadFile(out), whole);
}

TEST_F(PosteriorctlTest, DamagedDrawsAreNotPrinted) {
  script_.draws[3].mutable_chunk()->mutable_values()->pop_back();
  const Result run = Call({"job", "draws", "a1"});
  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_EQ(Lines(run.out).size(), 6u);
}

// The values that an array of draws must hold: entries [first, first + size) of draws
// [begin, end) of chains 0 .. chains - 1.
std::vector<double> Expected(int chains, int begin, int end, int first, int size) {
  std::vector<double> values;
  for (int chain = 0; chain < chains; ++chain) {
    for (int draw = begin; draw < end; ++draw) {
      for (int i = first; i < first + size; ++i) values.push_back(SampleValue(chain, draw, i));
    }
  }
  return values;
}

TEST_F(PosteriorctlTest, NpzHoldsAnArrayPerParameter) {
  const std::string out = directory_ / "draws.npz";
  const Result run = Call({"job", "draws", "a1", "--out", out});
  ASSERT_EQ(run.exit_code, kSuccess) << run.err;
  EXPECT_EQ(run.err, absl::StrCat("wrote ", out, ": 4 arrays, 6 draws in each of 4 chains\n"));
  const auto arrays = ReadNpz(out);
  ASSERT_EQ(arrays.size(), 4u);
  EXPECT_EQ(arrays.at("dense1.weight").type, "<f8");
  EXPECT_THAT(arrays.at("dense1.weight").shape, ElementsAre(4, 6, 2, 3));
  EXPECT_EQ(arrays.at("dense1.weight").values<double>(), Expected(4, 0, 6, 0, 6));
  EXPECT_THAT(arrays.at("dense1.bias").shape, ElementsAre(4, 6, 2));
  EXPECT_EQ(arrays.at("dense1.bias").values<double>(), Expected(4, 0, 6, 6, 2));
  EXPECT_THAT(arrays.at("sweep").shape, ElementsAre(4, 6));
  EXPECT_EQ(arrays.at("sweep").values<std::int64_t>()[7], 20);
  EXPECT_THAT(arrays.at("chain").values<std::int32_t>(), ElementsAre(0, 1, 2, 3));
}

TEST_F(PosteriorctlTest, NpzIsTheSameHoweverTheStreamIsCutUpAndBroken) {
  ASSERT_EQ(Call({"job", "draws", "a1", "--out", directory_ / "whole.npz"}).exit_code, kSuccess);
  DrawScript script;
  script.parameters_per_chunk = 3;
  script_.draws = SampleDraws(script);
  script_.breaks.assign(30, 2);
  ASSERT_EQ(Call({"job", "draws", "a1", "--out", directory_ / "parts.npz"}).exit_code, kSuccess);
  EXPECT_EQ(ReadFile(directory_ / "parts.npz"), ReadFile(directory_ / "whole.npz"));
}

TEST_F(PosteriorctlTest, NpzCutsChainsToTheShortestAndSaysSo) {
  DrawScript script;
  script.draws_per_chain = {6, 3, 5, 4};
  script_.draws = SampleDraws(script);
  const std::string out = directory_ / "draws.npz";
  const Result run = Call({"job", "draws", "a1", "--out", out});
  ASSERT_EQ(run.exit_code, kSuccess) << run.err;
  EXPECT_THAT(run.err, HasSubstr("the chains hold 6, 3, 5, 4 draws; the arrays are cut to the "
                                 "shortest, 3"));
  EXPECT_EQ(ReadNpz(out).at("dense1.bias").values<double>(), Expected(4, 0, 3, 6, 2));
  EXPECT_EQ(ReadNpz(out).at("dense1.weight").values<double>(), Expected(4, 0, 3, 0, 6));
  ASSERT_EQ(Call({"job", "draws", "a1", "--out", out, "--chains", "0"}).exit_code, kSuccess);
  EXPECT_EQ(ReadNpz(out).at("dense1.weight").values<double>(), Expected(1, 0, 6, 0, 6));
}

TEST_F(PosteriorctlTest, NpzSeparatesWarmUp) {
  DrawScript script;
  script.warmup_draws = 3;
  script_.draws = SampleDraws(script);
  const std::string out = directory_ / "draws.npz";
  ASSERT_EQ(Call({"job", "draws", "a1", "--out", out, "--warmup"}).exit_code, kSuccess);
  const auto arrays = ReadNpz(out);
  ASSERT_EQ(arrays.size(), 7u);
  EXPECT_EQ(arrays.at("warmup/dense1.weight").values<double>(), Expected(4, 0, 3, 0, 6));
  EXPECT_EQ(arrays.at("dense1.weight").values<double>(), Expected(4, 3, 6, 0, 6));
  EXPECT_THAT(arrays.at("warmup/sweep").shape, ElementsAre(4, 3));
  // Draws that were not asked for are not mixed in.
  EXPECT_EQ(Call({"job", "draws", "a1", "--out", out}).exit_code, kRefused);
}

TEST_F(PosteriorctlTest, NpzTakesTheNumbersInThePrecisionAskedFor) {
  DrawScript script;
  script.precision = v1::PRECISION_FLOAT32;
  script_.draws = SampleDraws(script);
  const std::string out = directory_ / "draws.npz";
  ASSERT_EQ(Call({"job", "draws", "a1", "--out", out, "--precision", "float32"}).exit_code,
            kSuccess);
  const NpyArray array = ReadNpz(out).at("dense1.bias");
  EXPECT_EQ(array.type, "<f4");
  const std::vector<double> expected = Expected(4, 0, 6, 6, 2);
  EXPECT_EQ(array.values<float>(), std::vector<float>(expected.begin(), expected.end()));
}

TEST_F(PosteriorctlTest, NpzOfARunningJobWaitsForItsEndWhenFollowing) {
  const std::string out = directory_ / "draws.npz";
  const Result run = Call({"job", "draws", "a1", "--out", out, "--follow"});
  ASSERT_EQ(run.exit_code, kSuccess) << run.err;
  EXPECT_THAT(run.err, HasSubstr("jobs/a1 running"));
  EXPECT_EQ(ReadNpz(out).size(), 4u);
}

TEST_F(PosteriorctlTest, AnNpzThatFailsLeavesNothingBehind) {
  script_.draws.at(9).mutable_chunk()->mutable_values()->pop_back();
  EXPECT_EQ(Call({"job", "draws", "a1", "--out", directory_ / "draws.npz"}).exit_code, kRefused);
  EXPECT_EQ(testing::CountEntries(directory_.path()), 0);
}

TEST_F(PosteriorctlTest, ExportsThatMakeNoSenseAreExplained) {
  const Result nowhere = Call({"job", "draws", "a1", "--format", "npz"});
  EXPECT_EQ(nowhere.exit_code, kMisuse);
  EXPECT_THAT(nowhere.err, HasSubstr("--out FILE.npz"));
  const Result cursor = Call({"job", "draws", "a1", "--out", "x.npz", "--cursor-file", "c"});
  EXPECT_EQ(cursor.exit_code, kMisuse);
  EXPECT_THAT(cursor.err, HasSubstr("always written whole"));
  const Result extension = Call({"job", "draws", "a1", "--out", "x.parquet"});
  EXPECT_EQ(extension.exit_code, kMisuse);
  EXPECT_THAT(extension.err, HasSubstr("--format"));
  EXPECT_EQ(Call({"job", "trace", "a1", "--diagnostics"}).exit_code, kMisuse);
  EXPECT_EQ(script_.calls, 0);
}

// ----- Traces -----

TEST_F(PosteriorctlTest, TracesGoToStandardOutputAsCsv) {
  const Result run = Call({"job", "trace", "a1"});
  ASSERT_EQ(run.exit_code, kSuccess) << run.err;
  const std::vector<std::string> lines = Lines(run.out);
  ASSERT_EQ(lines.size(), 17u);
  EXPECT_EQ(lines[0], "chain,sweep,test_error,dense1.weight_norm");
  EXPECT_EQ(lines[1], "0,0,0,nan");
  EXPECT_EQ(script_.trace_requests.at(0).points(), v1::StreamTraceRequest::POINTS_EVEN);
}

TEST_F(PosteriorctlTest, ATraceThatFailedIsContinuedByTheNextRunWithOneHeader) {
  const std::string whole = Call({"job", "trace", "a1"}).out;
  const std::string out = directory_ / "trace.csv";
  const std::vector<std::string> arguments = {
      "--reconnect-timeout", "0", "job", "trace", "a1", "--out", out, "--cursor-file",
      directory_ / "cursor"};
  for (const int messages : {0, 1, 3}) {
    script_.breaks = {messages};
    EXPECT_EQ(Call(arguments).exit_code, kUnreachable);
  }
  EXPECT_EQ(Call(arguments).exit_code, kSuccess);
  EXPECT_EQ(ReadFile(out), whole);
}

TEST_F(PosteriorctlTest, TracesAsLinesCarryDiagnosticsWhenAskedFor) {
  v1::StreamTraceResponse diagnostics;
  diagnostics.mutable_diagnostics()->set_sweep(100);
  script_.trace.insert(script_.trace.begin() + 1, diagnostics);
  const Result run =
      Call({"job", "trace", "a1", "--format", "ndjson", "--diagnostics", "--points", "log"});
  ASSERT_EQ(run.exit_code, kSuccess) << run.err;
  EXPECT_EQ(Lines(run.out).at(2), "{\"diagnostics\":{\"sweep\":\"100\"}}");
  EXPECT_TRUE(script_.trace_requests.at(0).include_diagnostics());
  EXPECT_EQ(script_.trace_requests.at(0).points(), v1::StreamTraceRequest::POINTS_LOGARITHMIC);
}

TEST_F(PosteriorctlTest, TracesAsNpzHaveAnArrayPerObservable) {
  const std::string out = directory_ / "trace.npz";
  const Result run = Call({"job", "trace", "a1", "--out", out});
  ASSERT_EQ(run.exit_code, kSuccess) << run.err;
  const auto arrays = ReadNpz(out);
  ASSERT_EQ(arrays.size(), 4u);
  EXPECT_THAT(arrays.at("test_error").shape, ElementsAre(4, 4));
  const std::vector<double> errors = arrays.at("test_error").values<double>();
  EXPECT_EQ(errors[5], 1.125);
  EXPECT_TRUE(std::isnan(arrays.at("dense1.weight_norm").values<double>()[4]));
  EXPECT_THAT(arrays.at("sweep").shape, ElementsAre(4, 4));
}

}  // namespace
}  // namespace posteriord::client
