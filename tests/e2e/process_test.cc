// The daemon as a process: its command line, its end, and its sudden death.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/testing/requests.h"
#include "tests/e2e/testing/results.h"
#include "tests/e2e/testing/server_process.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ProcessTest : public ::testing::Test {
 protected:
  std::string data_dir() const { return directory_ / "data"; }

  const TemporaryDirectory directory_;
};

TEST_F(ProcessTest, HelpTeachesTheFlags) {
  ChildProcess help(POSTERIORD_PROGRAM, {"--help"});
  EXPECT_EQ(help.Wait(), 0);
  EXPECT_THAT(help.Output(), AllOf(HasSubstr("--data-dir"), HasSubstr("--listen"),
                                   HasSubstr("--threads"), HasSubstr("--memory-limit")));
}

TEST_F(ProcessTest, VersionIsTold) {
  ChildProcess version(POSTERIORD_PROGRAM, {"--version"});
  EXPECT_EQ(version.Wait(), 0);
  EXPECT_THAT(version.Output(), HasSubstr("posteriord "));
}

TEST_F(ProcessTest, WrongUseExplainsItself) {
  ChildProcess missing(POSTERIORD_PROGRAM, {});
  EXPECT_EQ(missing.Wait(), 2);
  EXPECT_THAT(missing.Output(), HasSubstr("--data-dir"));
  ChildProcess unknown(POSTERIORD_PROGRAM, {"--data-dir", data_dir(), "--nonsense"});
  EXPECT_EQ(unknown.Wait(), 2);
  EXPECT_THAT(unknown.Output(), HasSubstr("--nonsense"));
  ChildProcess threads(POSTERIORD_PROGRAM, {"--data-dir", data_dir(), "--threads", "0"});
  EXPECT_EQ(threads.Wait(), 2);
  EXPECT_THAT(threads.Output(), HasSubstr("--threads"));
}

TEST_F(ProcessTest, PortFileHoldsThePort) {
  const std::string port_file = directory_ / "port";
  ServerProcess server(data_dir(), {"--port-file", port_file});
  const std::string address = server.AwaitAddress();
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
  std::string port;
  std::ifstream(port_file) >> port;
  EXPECT_EQ("127.0.0.1:" + port, address);
}

TEST_F(ProcessTest, TakenPortAndTakenDirectoryEndTheSecondServer) {
  ServerProcess first(data_dir());
  const std::string address = first.AwaitAddress();
  ServerProcess same_directory(data_dir());
  EXPECT_EQ(same_directory.Wait(), 1);
  EXPECT_THAT(same_directory.Output(), HasSubstr(data_dir()));
  ChildProcess same_port(POSTERIORD_PROGRAM,
                         {"--data-dir", directory_ / "other", "--listen", address});
  EXPECT_EQ(same_port.Wait(), 1);
  EXPECT_THAT(same_port.Output(), HasSubstr(address));
}

TEST_F(ProcessTest, TermEndsItCleanlyWithStreamsInFlight) {
  for (const int signal : {SIGTERM, SIGINT}) {
    ServerProcess server(data_dir(), {"--threads", "2"});
    Api api(server.AwaitAddress());
    const auto job = api.CreateJob(EndlessJob());
    ASSERT_OK(job);
    grpc::ClientContext context;
    v1::StreamDrawsRequest request;
    request.set_name(job->name());
    request.set_follow(true);
    const auto reader = api.jobs().StreamDraws(&context, request);
    v1::StreamDrawsResponse response;
    ASSERT_TRUE(reader->Read(&response));
    const auto start = std::chrono::steady_clock::now();
    server.Signal(signal);
    EXPECT_EQ(server.Wait(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
    while (reader->Read(&response)) {
    }
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  }
}

// Checkpoints of many chains are being stored when the job is cancelled.
TEST_F(ProcessTest, CancellationsDuringTheEndDoNotDisturbIt) {
  for (int round = 0; round < 3; ++round) {
    ServerProcess server(data_dir(), {"--threads", "2", "--slice", "5"});
    Api api(server.AwaitAddress());
    v1::CreateJobRequest request = EndlessJob();
    v1::ChainGroup& group = *request.mutable_job()->mutable_spec()->add_chain_groups();
    group.mutable_zero();
    group.set_chains(200);
    const auto job = api.CreateJob(request);
    ASSERT_OK(job);
    AwaitDraws(api, job->name(), 200);
    server.Signal(SIGTERM);
    for (int attempt = 0; attempt < 20; ++attempt) (void)api.CancelJob(job->name());
    EXPECT_EQ(server.Wait(), 0);
  }
}

TEST_F(ProcessTest, WrongFlagsEndItWithAnExplanation) {
  const auto run = [this](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"--data-dir", data_dir()});
    ChildProcess server(POSTERIORD_PROGRAM, flags);
    return std::pair(server.Wait(), server.Output());
  };
  for (const char* listen : {"127.0.0.1:99999", "127.0.0.1", ":80", "127.0.0.1:http"}) {
    const auto [exit, output] = run({"--listen", listen});
    EXPECT_EQ(exit, 1);
    EXPECT_THAT(output, HasSubstr("HOST:PORT")) << listen;
  }
  for (const char* limit : {"-5", "0", "99999999999999999999"}) {
    const auto [exit, output] = run({"--memory-limit", limit});
    EXPECT_EQ(exit, 2);
    EXPECT_THAT(output, HasSubstr("--memory-limit")) << limit;
  }
}

TEST_F(ProcessTest, KilledServerLosesNothingAndTheDrawsAreTheSame) {
  const v1::CreateJobRequest request = TeacherJob(20'000);
  Results expected;
  {
    ServerProcess server(directory_ / "undisturbed");
    Api api(server.AwaitAddress());
    const auto job = api.CreateJob(request);
    ASSERT_OK(job);
    ASSERT_OK(api.AwaitEnd(job->name()));
    expected = ReadResults(api, job->name());
    ASSERT_EQ(expected.state, v1::Job::STATE_SUCCEEDED);
  }

  std::string name;
  for (const std::int64_t draws : {1, 3000, 9000, 15'000}) {
    ServerProcess server(data_dir(), {"--slice", "20", "--threads", "3"});
    Api api(server.AwaitAddress());
    if (name.empty()) {
      const auto job = api.CreateJob(request);
      ASSERT_OK(job);
      name = job->name();
    }
    // What has been streamed is durable and stays as it is.
    AwaitDraws(api, name, draws);
    server.Signal(SIGKILL);
    EXPECT_EQ(server.Wait(), -SIGKILL);
  }
  ServerProcess server(data_dir());
  Api api(server.AwaitAddress());
  ASSERT_OK(api.AwaitEnd(name));
  EXPECT_TRUE(ReadResults(api, name) == expected);
}

TEST_F(ProcessTest, AcknowledgedJobsSurviveAKillAtOnce) {
  std::vector<std::string> names;
  for (int round = 0; round < 3; ++round) {
    ServerProcess server(data_dir());
    Api api(server.AwaitAddress());
    for (int i = 0; i < 3; ++i) {
      v1::CreateJobRequest request = TeacherJob(100);
      request.set_request_id(absl::StrCat("request-", round, "-", i));
      const auto job = api.CreateJob(request);
      ASSERT_OK(job);
      names.push_back(job->name());
    }
    server.Signal(SIGKILL);
    server.Wait();
  }
  ServerProcess server(data_dir());
  Api api(server.AwaitAddress());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto job = api.AwaitEnd(names[i]);
    ASSERT_OK(job);
    EXPECT_EQ(job->state(), v1::Job::STATE_SUCCEEDED);
    v1::CreateJobRequest request = TeacherJob(100);
    request.set_request_id(absl::StrCat("request-", i / 3, "-", i % 3));
    EXPECT_EQ(api.CreateJob(request)->name(), names[i]);
  }
}

}  // namespace
}  // namespace posteriord::testing
