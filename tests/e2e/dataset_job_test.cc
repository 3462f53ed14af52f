// Data sets and the jobs that read them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/e2e/testing/local_server.h"
#include "tests/e2e/testing/requests.h"

namespace posteriord::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using enum absl::StatusCode;

class DatasetJobTest : public ::testing::Test {
 protected:
  Api& api() { return server_.api(); }

  std::string Upload() {
    const auto dataset = api().Upload(ClassesHeader(), ClassesCsv(36));
    EXPECT_OK(dataset);
    return dataset.value_or(v1::Dataset()).name();
  }

  LocalServer server_;
};

TEST_F(DatasetJobTest, UploadedTableIsDescribed) {
  const auto dataset = api().GetDataset(Upload());
  ASSERT_OK(dataset);
  EXPECT_EQ(dataset->row_count(), 36);
  ASSERT_THAT(dataset->columns(), SizeIs(3));
  EXPECT_EQ(dataset->columns(0).role(), v1::COLUMN_ROLE_INPUT);
  EXPECT_EQ(dataset->columns(2).name(), "label");
  EXPECT_EQ(dataset->columns(2).role(), v1::COLUMN_ROLE_TARGET);
}

TEST_F(DatasetJobTest, ClassifierReadsTheDataSetAndRecordsHow) {
  v1::CreateJobRequest request = ClassesJob(Upload());
  request.mutable_job()->mutable_spec()->mutable_data()->mutable_dataset()->set_standardization(
      v1::STANDARDIZATION_INPUTS);
  const auto created = api().CreateJob(request);
  ASSERT_OK(created);
  EXPECT_EQ(created->data_summary().train_samples(), 30);
  EXPECT_EQ(created->data_summary().test_samples(), 6);
  EXPECT_THAT(created->data_summary().input_columns(), ElementsAre("a", "b"));
  EXPECT_THAT(created->data_summary().target_columns(), ElementsAre("label"));
  EXPECT_THAT(created->data_summary().input_means(), SizeIs(2));
  EXPECT_EQ(created->spec().data().dataset().split().last_rows(), 6);
  const auto job = api().AwaitEnd(created->name());
  ASSERT_OK(job);
  EXPECT_EQ(job->state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_LT(job->diagnostics().pooled_predictive_test_error(), 0.5);
}

TEST_F(DatasetJobTest, CompanionJobLabelsTheInputsByATeacher) {
  v1::CreateJobRequest request = ClassesJob(Upload());
  request.mutable_job()->mutable_spec()->mutable_data()->mutable_teacher()->set_seed(5);
  const auto created = api().CreateJob(request);
  ASSERT_OK(created);
  EXPECT_THAT(created->data_summary().target_columns(), SizeIs(0));
  const auto job = api().AwaitEnd(created->name());
  ASSERT_OK(job);
  EXPECT_EQ(job->state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_TRUE(job->diagnostics().has_informed_predictive_test_error());
}

TEST_F(DatasetJobTest, DataSetInUseIsKept) {
  const std::string dataset = Upload();
  v1::CreateJobRequest request = ClassesJob(dataset);
  request.mutable_job()->mutable_spec()->mutable_schedule()->set_draws(1'000'000'000);
  const auto job = api().CreateJob(request);
  ASSERT_OK(job);
  EXPECT_THAT(api().DeleteDataset(dataset), StatusIs(kFailedPrecondition));
  ASSERT_OK(api().CancelJob(job->name()));
  EXPECT_OK(api().DeleteDataset(dataset));
  EXPECT_THAT(api().GetDataset(dataset), StatusIs(kNotFound));
}

TEST_F(DatasetJobTest, RepeatedUploadIsTheSameDataSet) {
  v1::UploadDatasetHeader header = ClassesHeader();
  header.set_request_id("once");
  const auto first = api().Upload(header, ClassesCsv(36));
  ASSERT_OK(first);
  const auto second = api().Upload(header, ClassesCsv(36));
  ASSERT_OK(second);
  EXPECT_EQ(first->name(), second->name());
  EXPECT_THAT(api().ListDatasets({})->datasets(), SizeIs(1));
}

TEST_F(DatasetJobTest, UploadGivenUpLeavesNothing) {
  {
    grpc::ClientContext context;
    v1::Dataset dataset;
    const auto writer = api().datasets().UploadDataset(&context, &dataset);
    v1::UploadDatasetRequest request;
    *request.mutable_header() = ClassesHeader();
    ASSERT_TRUE(writer->Write(request));
    request.set_chunk(ClassesCsv(36));
    ASSERT_TRUE(writer->Write(request));
    context.TryCancel();
    EXPECT_FALSE(writer->Finish().ok());
  }
  EXPECT_THAT(api().ListDatasets({})->datasets(), SizeIs(0));
}

}  // namespace
}  // namespace posteriord::testing
