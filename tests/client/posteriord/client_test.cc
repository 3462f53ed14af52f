#include "posteriord/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/client/testing/fake_server.h"
#include "tests/client/testing/files.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::client {
namespace {

using ::testing::ElementsAre;
using testing::FakeServer;
using ::testing::HasSubstr;
using testing::Script;
using testing::TemporaryDirectory;
using testing::WriteFile;

const grpc::Status kUnavailable(grpc::StatusCode::UNAVAILABLE, "shutting down");

// Patience that costs a test no time.
ClientOptions Quick() {
  ClientOptions options;
  options.backoff = {absl::Microseconds(1), absl::Microseconds(10), 2};
  return options;
}

class ClientTest : public ::testing::Test {
 protected:
  // Makes the client know that the server is there.
  void Reach() { ASSERT_TRUE(client_->ListJobs().ok()); }

  FakeServer server_;
  Script& script_ = server_.script();
  std::unique_ptr<Client> client_ = Client::Connect(server_.address(), Quick());
};

TEST_F(ClientTest, CreateJobIsRepeatedWithOneRequestIdAfterItsAnswerWasLost) {
  Reach();
  script_.lost_answers = {kUnavailable, kUnavailable};
  v1::CreateJobRequest request;
  request.mutable_job()->set_display_name("digits");
  const absl::StatusOr<v1::Job> job = client_->CreateJob(request);
  ASSERT_TRUE(job.ok()) << job.status();
  ASSERT_EQ(script_.created.size(), 3u);
  const std::string& id = script_.created[0].request_id();
  EXPECT_GE(id.size(), 32u);
  EXPECT_EQ(script_.created[1].request_id(), id);
  EXPECT_EQ(script_.created[2].request_id(), id);
  EXPECT_EQ(job->name(), "jobs/" + id);
  EXPECT_EQ(script_.jobs.size(), 1u);
}

TEST_F(ClientTest, ACallThatAServerOnItsWayDownCancelsIsRepeated) {
  Reach();
  script_.lost_answers = {{grpc::StatusCode::CANCELLED, "CANCELLED"}};
  const absl::StatusOr<v1::Job> job = client_->CreateJob({});
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(script_.created.size(), 2u);
}

TEST_F(ClientTest, ProbeJobIsRepeatedWithOneRequestIdAfterItsAnswerWasLost) {
  Reach();
  script_.jobs["jobs/a1"].set_name("jobs/a1");
  script_.lost_answers = {kUnavailable, kUnavailable};
  v1::ProbeJobRequest request;
  request.set_name("a1");
  request.set_teacher_seed(3);
  const absl::StatusOr<v1::Job> companion = client_->ProbeJob(request);
  ASSERT_TRUE(companion.ok()) << companion.status();
  ASSERT_EQ(script_.probed.size(), 3u);
  for (const v1::ProbeJobRequest& probed : script_.probed) {
    EXPECT_EQ(probed.name(), "jobs/a1");
    EXPECT_EQ(probed.teacher_seed(), 3u);
    EXPECT_EQ(probed.request_id(), script_.probed[0].request_id());
  }
  EXPECT_GE(script_.probed[0].request_id().size(), 32u);
  EXPECT_EQ(script_.jobs.size(), 2u);
}

TEST_F(ClientTest, TwoCreationsHaveDifferentRequestIds) {
  ASSERT_TRUE(client_->CreateJob({}).ok());
  ASSERT_TRUE(client_->CreateJob({}).ok());
  EXPECT_NE(script_.created[0].request_id(), script_.created[1].request_id());
}

TEST_F(ClientTest, AGivenRequestIdIsKept) {
  v1::CreateJobRequest request;
  request.set_request_id("mine");
  ASSERT_TRUE(client_->CreateJob(request).ok());
  EXPECT_EQ(script_.created[0].request_id(), "mine");
}

TEST_F(ClientTest, ErrorsOtherThanUnavailableAreNotRepeated) {
  Reach();
  script_.calls = 0;
  script_.answers = {{grpc::StatusCode::INTERNAL, "broken"}};
  EXPECT_EQ(client_->GetJob("a1").status(), absl::InternalError("broken"));
  EXPECT_EQ(script_.calls, 1);
}

TEST_F(ClientTest, AServerNeverReachedIsReportedAtOnce) {
  server_.Stop();
  int retries = 0;
  ClientOptions options = Quick();
  options.on_retry = [&](const absl::Status&, absl::Duration) { ++retries; };
  const auto client = Client::Connect(server_.address(), options);
  EXPECT_TRUE(absl::IsUnavailable(client->GetJob("a1").status()));
  EXPECT_EQ(retries, 0);
}

TEST_F(ClientTest, AServerThatWasReachedIsWaitedForUntilItIsBack) {
  Reach();
  const int port = server_.port();
  server_.Stop();
  FakeServer restarted(port);
  restarted.script().jobs["jobs/a1"].set_display_name("back");
  const absl::StatusOr<v1::Job> job = client_->GetJob("a1");
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->display_name(), "back");
}

TEST_F(ClientTest, AServerThatStaysAwayEndsTheCallAtItsTimeLimit) {
  ClientOptions options = Quick();
  options.timeout = absl::Milliseconds(50);
  const auto client = Client::Connect(server_.address(), options);
  ASSERT_TRUE(client->ListJobs().ok());
  server_.Stop();
  const absl::Status status = client->GetJob("a1").status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status) || absl::IsUnavailable(status)) << status;
}

TEST_F(ClientTest, EveryUnaryCallHasADeadlineAndNoStreamHas) {
  Reach();
  script_.calls = script_.deadlines = 0;
  (void)client_->GetJob("a1");
  (void)client_->CancelJob("a1");
  (void)client_->DeleteJob("a1");
  (void)client_->GetDataset("d1");
  EXPECT_EQ(script_.deadlines, 4);
  v1::WatchJobRequest request;
  request.set_name("a1");
  (void)client_->WatchJob(request)->Next();
  EXPECT_EQ(script_.calls, 5);
  EXPECT_EQ(script_.deadlines, 4);
}

TEST_F(ClientTest, ListsAllPagesWithTheSameFilter) {
  for (const char* name : {"jobs/a", "jobs/b", "jobs/c", "jobs/d", "jobs/e"}) {
    script_.jobs[name].set_name(name);
  }
  v1::ListJobsRequest filter;
  filter.add_states(v1::Job::STATE_RUNNING);
  (*filter.mutable_labels())["suite"] = "demo";
  const absl::StatusOr<std::vector<v1::Job>> jobs = client_->ListJobs(filter);
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  std::vector<std::string> names;
  for (const v1::Job& job : *jobs) names.push_back(job.name());
  EXPECT_THAT(names, ElementsAre("jobs/a", "jobs/b", "jobs/c", "jobs/d", "jobs/e"));
  ASSERT_EQ(script_.listed.size(), 3u);
  for (const v1::ListJobsRequest& listed : script_.listed) {
    EXPECT_THAT(listed.states(), ElementsAre(v1::Job::STATE_RUNNING));
    EXPECT_EQ(listed.labels().at("suite"), "demo");
  }
}

TEST_F(ClientTest, ADeletionWhoseAnswerWasLostSucceeds) {
  Reach();
  script_.jobs["jobs/a1"];
  script_.lost_answers = {kUnavailable};
  EXPECT_EQ(client_->DeleteJob("a1"), absl::OkStatus());
}

TEST_F(ClientTest, DeletingWhatDoesNotExistIsAnError) {
  EXPECT_TRUE(absl::IsNotFound(client_->DeleteJob("a1")));
  EXPECT_TRUE(absl::IsNotFound(client_->DeleteDataset("d1")));
}

// ----- Uploads -----

class UploadTest : public ClientTest {
 protected:
  UploadTest() { WriteFile(path_, content_); }

  static std::string Content(std::size_t size) {
    std::string content(size, '\0');
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 % 251);
    return content;
  }

  TemporaryDirectory directory_;
  const std::string content_ = Content(1000000);
  const std::string path_ = directory_ / "data.csv";
};

TEST_F(UploadTest, SendsTheHeaderThenTheWholeFileAndTellsProgress) {
  v1::UploadDatasetHeader header;
  header.set_display_name("digits");
  std::int64_t last = 0;
  const absl::StatusOr<v1::Dataset> dataset =
      client_->UploadDataset(header, path_, [&](std::int64_t sent, std::int64_t total) {
        EXPECT_GT(sent, last);
        EXPECT_EQ(total, 1000000);
        last = sent;
      });
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(last, 1000000);
  EXPECT_EQ(script_.uploaded, content_);
  EXPECT_EQ(script_.headers.at(0).display_name(), "digits");
}

TEST_F(UploadTest, AnEmptyFileIsSentAsSuch) {
  WriteFile(path_, "");
  const absl::StatusOr<v1::Dataset> dataset = client_->UploadDataset({}, path_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(script_.uploaded, "");
}

TEST_F(UploadTest, StartsOverWithTheSameRequestIdAfterItWasBrokenOff) {
  Reach();
  script_.upload_breaks = {0, 300000, 999999};
  script_.lost_answers = {kUnavailable};
  const absl::StatusOr<v1::Dataset> dataset = client_->UploadDataset({}, path_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(script_.uploaded, content_);
  ASSERT_EQ(script_.headers.size(), 5u);
  EXPECT_FALSE(script_.headers[0].request_id().empty());
  for (const v1::UploadDatasetHeader& header : script_.headers) {
    EXPECT_EQ(header.request_id(), script_.headers[0].request_id());
  }
}

TEST_F(UploadTest, GivesUpOnAServerThatNeverTakesIt) {
  ClientOptions options = Quick();
  options.reconnect_timeout = absl::ZeroDuration();
  const auto client = Client::Connect(server_.address(), options);
  ASSERT_TRUE(client->ListJobs().ok());
  script_.upload_breaks = {0, 0};
  EXPECT_TRUE(absl::IsUnavailable(client->UploadDataset({}, path_).status()));
  EXPECT_EQ(script_.headers.size(), 1u);
}

TEST_F(UploadTest, ARefusalIsReportedAsTheServerGaveIt) {
  script_.answers = {{grpc::StatusCode::INVALID_ARGUMENT, "row 7 has 3 columns"}};
  EXPECT_EQ(client_->UploadDataset({}, path_).status(),
            absl::InvalidArgumentError("row 7 has 3 columns"));
}

TEST_F(UploadTest, AFileThatCannotBeReadIsNamed) {
  const absl::Status missing = client_->UploadDataset({}, directory_ / "missing.csv").status();
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_THAT(std::string(missing.message()), HasSubstr("missing.csv"));
  EXPECT_FALSE(client_->UploadDataset({}, directory_.path()).ok());
  EXPECT_EQ(script_.calls, 0);
}

}  // namespace
}  // namespace posteriord::client
