// Whatever is wrong with a request is said in terms of its fields, and nothing comes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "tests/e2e/testing/local_server.h"
#include "tests/e2e/testing/requests.h"

namespace posteriord::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using enum absl::StatusCode;

class BadInputTest : public ::testing::Test {
 protected:
  // The status of a job on a teacher's labels after `spoil` has changed its spec.
  absl::Status Refused(const std::function<void(v1::JobSpec&)>& spoil) {
    v1::CreateJobRequest request = TeacherJob(10);
    spoil(*request.mutable_job()->mutable_spec());
    return server_.api().CreateJob(request).status();
  }

  // The same for a classifier of a data set.
  absl::Status RefusedOnData(const std::function<void(v1::JobSpec&)>& spoil) {
    const auto dataset = server_.api().Upload(ClassesHeader(), ClassesCsv(30));
    EXPECT_OK(dataset);
    v1::CreateJobRequest request = ClassesJob(dataset->name());
    spoil(*request.mutable_job()->mutable_spec());
    return server_.api().CreateJob(request).status();
  }

  absl::Status UploadRefused(const std::string& csv) {
    return server_.api().Upload(ClassesHeader(), csv).status();
  }

  void ExpectNoJobs() {
    const auto jobs = server_.api().ListJobs({});
    ASSERT_OK(jobs);
    EXPECT_THAT(jobs->jobs(), IsEmpty());
  }
  void ExpectNoDatasets() {
    const auto datasets = server_.api().ListDatasets({});
    ASSERT_OK(datasets);
    EXPECT_THAT(datasets->datasets(), IsEmpty());
  }

  static void ExpectViolation(const absl::Status& status, const std::string& field) {
    EXPECT_THAT(status, StatusIs(kInvalidArgument));
    EXPECT_THAT(ViolatedFields(status), ElementsAre(field)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(field));
  }

  LocalServer server_;
};

TEST_F(BadInputTest, ZeroNegativeAndNonFiniteVariances) {
  for (const double variance : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    ExpectViolation(Refused([variance](v1::JobSpec& spec) {
                      spec.mutable_network()->mutable_layers(1)->set_noise_variance(variance);
                    }),
                    "spec.network.layers[1].noise_variance");
    ExpectViolation(
        Refused([variance](v1::JobSpec& spec) {
          spec.mutable_network()->mutable_layers(0)->mutable_dense()->set_weight_precision(
              variance);
        }),
        "spec.network.layers[0].dense.weight_precision");
  }
  ExpectNoJobs();
}

TEST_F(BadInputTest, DataThatAreNotFinite) {
  for (const std::string value : {"nan", "inf", "-inf", "1e999"}) {
    const absl::Status status = UploadRefused("a,b,label\n1,2,0\n" + value + ",4,1\n");
    EXPECT_THAT(status, StatusIs(kInvalidArgument)) << value;
  }
  ExpectNoDatasets();
}

TEST_F(BadInputTest, RaggedRows) {
  EXPECT_THAT(UploadRefused("a,b,label\n1,2,0\n3,4\n"), StatusIs(kInvalidArgument));
  EXPECT_THAT(UploadRefused("a,b,label\n1,2,0\n3,4,1,5\n"), StatusIs(kInvalidArgument));
  ExpectNoDatasets();
}

TEST_F(BadInputTest, UnknownColumnsInAnUpload) {
  v1::UploadDatasetHeader header = ClassesHeader();
  header.add_ignored_columns("nosuch");
  const auto dataset = server_.api().Upload(header, ClassesCsv(30));
  EXPECT_THAT(dataset, StatusIs(kInvalidArgument, HasSubstr("nosuch")));
  ExpectNoDatasets();
}

TEST_F(BadInputTest, UploadWithoutHeaderOrWithTwo) {
  for (const int headers : {0, 2}) {
    grpc::ClientContext context;
    v1::Dataset dataset;
    const auto writer = server_.api().datasets().UploadDataset(&context, &dataset);
    v1::UploadDatasetRequest request;
    *request.mutable_header() = ClassesHeader();
    for (int i = 0; i < headers; ++i) writer->Write(request);
    request.set_chunk(ClassesCsv(30));
    writer->Write(request);
    writer->WritesDone();
    ExpectViolation(FromGrpc(writer->Finish()), "header");
  }
  ExpectNoDatasets();
}

TEST_F(BadInputTest, LabelsOutsideTheClasses) {
  const absl::Status status = RefusedOnData([](v1::JobSpec& spec) {
    spec.mutable_network()->mutable_layers(2)->mutable_dense()->set_units(2);
  });
  EXPECT_THAT(status, StatusIs(kInvalidArgument, AllOf(HasSubstr("row"), HasSubstr("label"))));
  ExpectNoJobs();
}

TEST_F(BadInputTest, LayerShapesThatDoNotMatchTheData) {
  ExpectViolation(RefusedOnData([](v1::JobSpec& spec) {
                    spec.mutable_network()->mutable_likelihood()->mutable_gaussian();
                  }),
                  "spec.network.layers[2].dense.units");
  ExpectViolation(Refused([](v1::JobSpec& spec) {
                    spec.mutable_data()->mutable_teacher()->mutable_parameters()->add_values(1);
                  }),
                  "spec.data.teacher.parameters.values");
  ExpectNoJobs();
}

TEST_F(BadInputTest, UnknownColumnsInAJob) {
  const absl::Status status = RefusedOnData([](v1::JobSpec& spec) {
    spec.mutable_data()->mutable_dataset()->add_input_columns("nosuch");
  });
  ExpectViolation(status, "spec.data.dataset.input_columns[0]");
  ExpectNoJobs();
}

TEST_F(BadInputTest, MissingDataSet) {
  const absl::Status status = RefusedOnData([](v1::JobSpec& spec) {
    spec.mutable_data()->mutable_dataset()->set_dataset("datasets/nosuch");
  });
  EXPECT_THAT(status, StatusIs(kNotFound));
  EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(status)->resource_name(), "datasets/nosuch");
  ExpectNoJobs();
}

TEST_F(BadInputTest, ZeroChains) {
  ExpectViolation(Refused([](v1::JobSpec& spec) { spec.add_chain_groups()->set_chains(0); }),
                  "spec.chain_groups[0].chains");
  ExpectNoJobs();
}

TEST_F(BadInputTest, InformedStartWithoutATeacher) {
  ExpectViolation(
      RefusedOnData([](v1::JobSpec& spec) { spec.add_chain_groups()->mutable_informed(); }),
      "spec.chain_groups[0].informed");
  ExpectNoJobs();
}

TEST_F(BadInputTest, JobLargerThanTheMemoryLimit) {
  const absl::Status status = Refused([](v1::JobSpec& spec) {
    spec.mutable_data()->mutable_gaussian()->set_train_samples(100'000'000);
  });
  EXPECT_THAT(status, StatusIs(kResourceExhausted, HasSubstr("1073741824 bytes")));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status)->reason(), "MEMORY_LIMIT_EXCEEDED");
  ExpectNoJobs();
}

TEST_F(BadInputTest, FieldsThatTheServerDoesNotKnow) {
  ExpectViolation(Refused([](v1::JobSpec& spec) {
                    spec.GetReflection()->MutableUnknownFields(&spec)->AddVarint(4711, 1);
                  }),
                  "spec");
  ExpectNoJobs();
}

TEST_F(BadInputTest, UnknownAndMalformedJobNames) {
  Api& api = server_.api();
  v1::StreamDrawsRequest draws;
  v1::StreamTraceRequest trace;
  draws.set_name("jobs/nosuch");
  trace.set_name("jobs/nosuch");
  for (const absl::Status& status :
       {api.GetJob("jobs/nosuch").status(), api.CancelJob("jobs/nosuch").status(),
        api.DeleteJob("jobs/nosuch"), api.AwaitEnd("jobs/nosuch").status(),
        api.ReadDraws(draws).status, api.ReadTrace(trace).status()}) {
    EXPECT_THAT(status, StatusIs(kNotFound));
    EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status)->domain(), "posteriord");
  }
  draws.set_name("nonsense");
  trace.set_name("nonsense");
  for (const absl::Status& status :
       {api.GetJob("nonsense").status(), api.CancelJob("nonsense").status(),
        api.DeleteJob("nonsense"), api.AwaitEnd("nonsense").status(), api.ReadDraws(draws).status,
        api.ReadTrace(trace).status()}) {
    ExpectViolation(status, "name");
  }
}

TEST_F(BadInputTest, UnknownDataSets) {
  for (const absl::Status& status : {server_.api().GetDataset("datasets/nosuch").status(),
                                     server_.api().DeleteDataset("datasets/nosuch")}) {
    EXPECT_THAT(status, StatusIs(kNotFound));
  }
}

TEST_F(BadInputTest, MalformedCursorsAndTokens) {
  const auto job = server_.api().CreateJob(TeacherJob(10));
  ASSERT_OK(job);
  v1::StreamDrawsRequest draws;
  draws.set_name(job->name());
  draws.set_cursor("nonsense");
  ExpectViolation(server_.api().ReadDraws(draws).status, "cursor");
  v1::StreamTraceRequest trace;
  trace.set_name(job->name());
  trace.set_cursor("nonsense");
  ExpectViolation(server_.api().ReadTrace(trace).status(), "cursor");
  v1::ListJobsRequest list;
  list.set_page_token("nonsense");
  ExpectViolation(server_.api().ListJobs(list).status(), "page_token");
}

TEST_F(BadInputTest, CursorOfAnotherSelection) {
  const auto job = server_.api().CreateJob(TeacherJob(10));
  ASSERT_OK(job);
  ASSERT_OK(server_.api().AwaitEnd(job->name()));
  v1::StreamDrawsRequest request;
  request.set_name(job->name());
  const DrawStream stream = server_.api().ReadDraws(request);
  ASSERT_OK(stream.status);
  request.set_cursor(stream.cursors[0]);
  request.set_thinning(2);
  ExpectViolation(server_.api().ReadDraws(request).status, "cursor");
}

TEST_F(BadInputTest, StreamSelectionsThatDoNotExist) {
  const auto job = server_.api().CreateJob(TeacherJob(10));
  ASSERT_OK(job);
  const auto refused = [&](const std::function<void(v1::StreamDrawsRequest&)>& spoil) {
    v1::StreamDrawsRequest request;
    request.set_name(job->name());
    spoil(request);
    return server_.api().ReadDraws(request).status;
  };
  ExpectViolation(refused([](auto& request) { request.add_chains(4); }), "chains[0]");
  ExpectViolation(refused([](auto& request) { request.add_parameters("nosuch"); }),
                  "parameters[0]");
  ExpectViolation(refused([](auto& request) { request.set_thinning(-1); }), "thinning");
  ExpectViolation(refused([](auto& request) { request.set_chunk_bytes(10); }), "chunk_bytes");
}

TEST_F(BadInputTest, PageSizesOutOfRange) {
  v1::ListJobsRequest request;
  request.set_page_size(1001);
  ExpectViolation(server_.api().ListJobs(request).status(), "page_size");
  request.set_page_size(-1);
  ExpectViolation(server_.api().ListJobs(request).status(), "page_size");
}

TEST_F(BadInputTest, ServerLivesOnAfterBadInput) {
  EXPECT_THAT(Refused([](v1::JobSpec& spec) { spec.Clear(); }), StatusIs(kInvalidArgument));
  EXPECT_THAT(UploadRefused(""), StatusIs(kInvalidArgument));
  const auto job = server_.api().CreateJob(TeacherJob(10));
  ASSERT_OK(job);
  const auto ended = server_.api().AwaitEnd(job->name());
  ASSERT_OK(ended);
  EXPECT_EQ(ended->state(), v1::Job::STATE_SUCCEEDED);
}

}  // namespace
}  // namespace posteriord::testing
