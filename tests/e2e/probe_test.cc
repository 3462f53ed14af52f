// The companion of a job: whether its sampler thermalizes, and after how many sweeps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "google/protobuf/util/message_differencer.h"
#include "tests/e2e/testing/local_server.h"
#include "tests/e2e/testing/requests.h"

namespace posteriord::testing {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum absl::StatusCode;

class ProbeTest : public ::testing::Test {
 protected:
  Api& api() { return server_.api(); }

  v1::Job Create(const v1::CreateJobRequest& request) {
    const auto job = api().CreateJob(request);
    EXPECT_OK(job);
    return job.value_or(v1::Job());
  }

  // A classifier of real labels.
  v1::Job CreateClassifier() {
    const auto dataset = api().Upload(ClassesHeader(), ClassesCsv(36));
    EXPECT_OK(dataset);
    v1::CreateJobRequest request = ClassesJob(dataset.value_or(v1::Dataset()).name());
    request.mutable_job()->set_display_name("classes");
    return Create(request);
  }

  static v1::ProbeJobRequest Request(const v1::Job& job) {
    v1::ProbeJobRequest request;
    request.set_name(job.name());
    return request;
  }

  LocalServer server_;
};

TEST_F(ProbeTest, CompanionOfAJobOnRealLabelsEndsWithAVerdict) {
  const v1::Job job = CreateClassifier();
  v1::ProbeJobRequest request = Request(job);
  request.set_teacher_seed(4);
  request.set_draws(2000);
  const auto created = api().ProbeJob(request);
  ASSERT_OK(created);
  EXPECT_NE(created->name(), job.name());
  EXPECT_EQ(created->display_name(), "companion of classes");
  EXPECT_EQ(created->labels().at("companion_of"), job.name().substr(5));
  EXPECT_THAT(created->data_summary().target_columns(), IsEmpty());

  v1::JobSpec expected = job.spec();
  expected.mutable_data()->mutable_dataset()->clear_target_columns();
  expected.mutable_data()->mutable_teacher()->set_seed(4);
  expected.clear_chain_groups();
  *expected.add_chain_groups() = FromText<v1::ChainGroup>("informed {} chains: 2");
  *expected.add_chain_groups() = FromText<v1::ChainGroup>("zero {} chains: 2");
  expected.mutable_schedule()->set_draws(2000);
  EXPECT_TRUE(MessageDifferencer::Equals(created->spec(), expected))
      << created->spec().DebugString();

  const auto companion = api().AwaitEnd(created->name());
  ASSERT_OK(companion);
  EXPECT_EQ(companion->state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_EQ(companion->diagnostics().sweep(), 2000);
  EXPECT_TRUE(companion->diagnostics().state() == v1::THERMALIZATION_STATE_THERMALIZED ||
              companion->diagnostics().state() == v1::THERMALIZATION_STATE_NOT_THERMALIZED);
  EXPECT_FALSE(companion->diagnostics().explanation().empty());

  v1::ListJobsRequest list;
  (*list.mutable_labels())["companion_of"] = job.name().substr(5);
  const auto found = api().ListJobs(list);
  ASSERT_OK(found);
  ASSERT_THAT(found->jobs(), SizeIs(1));
  EXPECT_EQ(found->jobs(0).name(), companion->name());
}

TEST_F(ProbeTest, RepeatedRequestIsTheSameCompanion) {
  v1::ProbeJobRequest request = Request(CreateClassifier());
  request.set_request_id("once");
  const auto first = api().ProbeJob(request);
  ASSERT_OK(first);
  const auto second = api().ProbeJob(request);
  ASSERT_OK(second);
  EXPECT_EQ(second->name(), first->name());
  EXPECT_THAT(api().ListJobs({})->jobs(), SizeIs(2));
  request.set_teacher_seed(1);
  const absl::Status reused = api().ProbeJob(request).status();
  EXPECT_THAT(reused, StatusIs(kAlreadyExists));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(reused)->reason(), "REQUEST_ID_REUSED");
}

TEST_F(ProbeTest, ValidateOnlyCreatesNothing) {
  v1::ProbeJobRequest request = Request(CreateClassifier());
  request.set_validate_only(true);
  const auto companion = api().ProbeJob(request);
  ASSERT_OK(companion);
  EXPECT_EQ(companion->name(), "");
  EXPECT_GT(companion->estimate().memory_bytes(), 0);
  EXPECT_THAT(api().ListJobs({})->jobs(), SizeIs(1));
}

TEST_F(ProbeTest, JobOnLabelsOfATeacherIsItsOwnTest) {
  const absl::Status refused = api().ProbeJob(Request(Create(TeacherJob(10)))).status();
  EXPECT_THAT(refused, StatusIs(kFailedPrecondition, HasSubstr("labels of a teacher")));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(refused)->reason(), "JOB_HAS_TEACHER");
  // So is a companion.
  const auto companion = api().ProbeJob(Request(CreateClassifier()));
  ASSERT_OK(companion);
  EXPECT_THAT(api().ProbeJob(Request(*companion)), StatusIs(kFailedPrecondition));
}

TEST_F(ProbeTest, TemperedSoftmaxIsRefusedInItsOwnTerms) {
  const auto dataset = api().Upload(ClassesHeader(), ClassesCsv(36));
  ASSERT_OK(dataset);
  v1::CreateJobRequest request = ClassesJob(dataset->name());
  v1::JobSpec& spec = *request.mutable_job()->mutable_spec();
  spec.mutable_network()->mutable_likelihood()->mutable_softmax()->set_temperature(0.1);
  spec.mutable_schedule()->set_draws(2);
  const absl::Status refused = api().ProbeJob(Request(Create(request))).status();
  EXPECT_THAT(refused, StatusIs(kFailedPrecondition, HasSubstr("softmax of temperature 0.1")));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(refused)->reason(), "NO_EXACT_TEACHER");
}

TEST_F(ProbeTest, JobThatIsNotThereIsNotFound) {
  v1::ProbeJobRequest request;
  request.set_name("jobs/nope");
  const absl::Status missing = api().ProbeJob(request).status();
  EXPECT_THAT(missing, StatusIs(kNotFound));
  EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(missing)->resource_name(), "jobs/nope");
  request.set_name("nope");
  EXPECT_THAT(ViolatedFields(api().ProbeJob(request).status()), ElementsAre("name"));
}

TEST_F(ProbeTest, DataSetThatIsGoneIsNotFound) {
  const v1::Job job = CreateClassifier();
  ASSERT_OK(api().AwaitEnd(job.name()));
  ASSERT_OK(api().DeleteDataset(job.spec().data().dataset().dataset()));
  const absl::Status missing = api().ProbeJob(Request(job)).status();
  EXPECT_THAT(missing, StatusIs(kNotFound));
  EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(missing)->resource_name(),
            job.spec().data().dataset().dataset());
}

TEST_F(ProbeTest, BadNumbersAreNamed) {
  v1::ProbeJobRequest request = Request(CreateClassifier());
  request.set_informed_chains(0);
  request.set_draws(-1);
  EXPECT_THAT(ViolatedFields(api().ProbeJob(request).status()),
              ElementsAre("informed_chains", "draws"));
  request.clear_informed_chains();
  request.clear_draws();
  request.set_request_id(std::string(65, 'x'));
  EXPECT_THAT(ViolatedFields(api().ProbeJob(request).status()), ElementsAre("request_id"));
  EXPECT_THAT(api().ListJobs({})->jobs(), SizeIs(1));
}

}  // namespace
}  // namespace posteriord::testing
