#include "server/data/job_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "tests/server/data/testing/source_files.h"
#include "tests/testing/proto.h"
#include "tests/testing/status.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::server {
namespace {

using ::posteriord::testing::FromText;
using ::posteriord::testing::IsOk;
using ::posteriord::testing::StatusIs;
using ::testing::AllOf;
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class JobDataTest : public ::testing::Test {
 protected:
  // Six rows: inputs x.0, x.1; a spare column; a real target y and a class k.
  const Eigen::MatrixXd table_ = Matrix({{1, 10, 5, 0.5, 0},
                                         {2, 20, 5, 1.5, 1},
                                         {3, 30, 5, 2.5, 2},
                                         {4, 40, 5, 3.5, 0},
                                         {5, 50, 5, 4.5, 1},
                                         {6, 60, 5, 5.5, 2}});
  v1::Dataset dataset_ = FromText<v1::Dataset>(R"(
      row_count: 6
      columns { name: "x.0" role: COLUMN_ROLE_INPUT }
      columns { name: "x.1" role: COLUMN_ROLE_INPUT }
      columns { name: "spare" role: COLUMN_ROLE_IGNORED }
      columns { name: "y" role: COLUMN_ROLE_TARGET }
      columns { name: "k" role: COLUMN_ROLE_IGNORED }
      split { last_rows: 2 }
      standardization: STANDARDIZATION_NONE)");

  absl::StatusOr<DataPlan> Plan(const std::string& request, TargetUse use = TargetUse::kReal) {
    return PlanData(dataset_, FromText<v1::DatasetInputs>(request), use);
  }

  // Plans and loads.
  absl::StatusOr<JobData> Load(const std::string& request, TargetUse use = TargetUse::kReal,
                               int classes = 3) {
    return Load(table_, request, use, classes);
  }
  absl::StatusOr<JobData> Load(const Eigen::MatrixXd& rows, const std::string& request,
                               TargetUse use, int classes) {
    const auto plan = Plan(request, use);
    if (!plan.ok()) return plan.status();
    const testing::TemporaryDirectory directory;
    const std::string path = directory / "table";
    TableWriter writer(*File::Create(path), "id", rows.cols());
    writer.group().topRows(rows.rows()) = rows;
    EXPECT_OK(writer.WriteGroup(rows.rows()));
    EXPECT_OK(writer.Finish(""));
    const auto table = TableReader::Open(path, "id");
    EXPECT_THAT(table, IsOk());
    return LoadData(**table, *plan, classes);
  }

  void ExpectRefused(const std::string& request, TargetUse use, const std::string& field) {
    EXPECT_THAT(Plan(request, use), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("spec.data.dataset." + field)))
        << request;
  }
};

// ----- Plans -----

TEST_F(JobDataTest, EmptyRequestTakesWhatTheDataSetSays) {
  dataset_.set_standardization(v1::STANDARDIZATION_INPUTS);
  ASSERT_OK_AND_ASSIGN(const DataPlan plan, Plan(""));
  EXPECT_THAT(plan.input_columns, ElementsAre("x.0", "x.1"));
  EXPECT_THAT(plan.target_columns, ElementsAre("y"));
  EXPECT_EQ(plan.split.last_rows(), 2);
  EXPECT_EQ(plan.standardization, v1::STANDARDIZATION_INPUTS);
  EXPECT_EQ(plan.train_row_count(), 4);
  EXPECT_EQ(plan.test_row_count, 2);
}

TEST_F(JobDataTest, RequestOverridesTheDataSet) {
  dataset_.set_standardization(v1::STANDARDIZATION_INPUTS);
  ASSERT_OK_AND_ASSIGN(const DataPlan plan, Plan(R"(
      input_columns: "spare" input_columns: "x" target_columns: "k" split { last_rows: 1 }
      standardization: STANDARDIZATION_NONE)",
                                                 TargetUse::kClass));
  EXPECT_THAT(plan.input_columns, ElementsAre("spare", "x.0", "x.1"));  // x: an array
  EXPECT_THAT(plan.target_columns, ElementsAre("k"));
  EXPECT_EQ(plan.test_row_count, 1);
  EXPECT_EQ(plan.standardization, v1::STANDARDIZATION_NONE);
}

TEST_F(JobDataTest, EmptySplitOfTheRequestMeansNoTestRows) {
  ASSERT_OK_AND_ASSIGN(const DataPlan plan, Plan("split {}"));
  EXPECT_EQ(plan.test_row_count, 0);
  EXPECT_EQ(plan.train_row_count(), 6);
}

TEST_F(JobDataTest, TeacherNeedsNoTargets) {
  ASSERT_OK_AND_ASSIGN(const DataPlan plan, Plan("", TargetUse::kNone));
  EXPECT_THAT(plan.targets, IsEmpty());
  ExpectRefused("target_columns: 'y'", TargetUse::kNone, "target_columns");
}

TEST_F(JobDataTest, ImpossibleRequestsAreRefusedByField) {
  ExpectRefused("input_columns: 'x.0' input_columns: 'nope'", TargetUse::kReal, "input_columns[1]");
  ExpectRefused("target_columns: 'nope'", TargetUse::kReal, "target_columns[0]");
  ExpectRefused("input_columns: 'x.0' input_columns: 'x'", TargetUse::kReal, "input_columns");
  ExpectRefused("input_columns: 'y'", TargetUse::kReal, "target_columns");  // and the target
  ExpectRefused("target_columns: 'y' target_columns: 'k'", TargetUse::kClass, "target_columns");
  ExpectRefused("split { last_rows: 6 }", TargetUse::kReal, "split.last_rows");
  ExpectRefused("split { test_fraction: 1 }", TargetUse::kReal, "split.test_fraction");
  ExpectRefused("standardization: STANDARDIZATION_INPUTS_AND_TARGETS", TargetUse::kClass,
                "standardization");
  ExpectRefused("standardization: STANDARDIZATION_INPUTS_AND_TARGETS", TargetUse::kNone,
                "standardization");
  dataset_.mutable_columns(3)->set_role(v1::COLUMN_ROLE_IGNORED);
  ExpectRefused("", TargetUse::kReal, "target_columns");
  dataset_.mutable_columns(0)->set_role(v1::COLUMN_ROLE_TARGET);
  dataset_.mutable_columns(1)->set_role(v1::COLUMN_ROLE_TARGET);
  ExpectRefused("", TargetUse::kReal, "input_columns");
}

TEST_F(JobDataTest, EveryViolationOfARequestIsNamed) {
  const auto plan = Plan("input_columns: 'no' input_columns: 'nor' split { last_rows: -1 }");
  EXPECT_THAT(plan, StatusIs(absl::StatusCode::kInvalidArgument,
                             AllOf(HasSubstr("input_columns[0]"), HasSubstr("input_columns[1]"),
                                   HasSubstr("split.last_rows"))));
}

// ----- Data -----

TEST_F(JobDataTest, RowsAreDividedInFileOrder) {
  ASSERT_OK_AND_ASSIGN(const JobData data, Load(""));
  EXPECT_EQ(data.train.inputs, Matrix({{1, 10}, {2, 20}, {3, 30}, {4, 40}}));
  EXPECT_EQ(data.train.targets, Matrix({{0.5}, {1.5}, {2.5}, {3.5}}));
  EXPECT_EQ(data.test.inputs, Matrix({{5, 50}, {6, 60}}));
  EXPECT_EQ(data.test.targets, Matrix({{4.5}, {5.5}}));
  EXPECT_THAT(data.input_scaling.means, IsEmpty());
  EXPECT_THAT(data.target_scaling.scales, IsEmpty());
}

TEST_F(JobDataTest, ColumnsComeInTheOrderOfTheRequest) {
  ASSERT_OK_AND_ASSIGN(
      const JobData data,
      Load("input_columns: 'x.1' input_columns: 'x.0' target_columns: 'k' target_columns: 'y'"));
  EXPECT_EQ(data.train.inputs.row(0), Matrix({{10, 1}}));
  EXPECT_EQ(data.train.targets.row(1), Matrix({{1, 1.5}}));
}

TEST_F(JobDataTest, RandomSplitKeepsPairsTogetherAndDependsOnTheSeedOnly) {
  const std::string request = "split { test_fraction: 0.5 seed: ";
  ASSERT_OK_AND_ASSIGN(const JobData data, Load(request + "1 }"));
  ASSERT_OK_AND_ASSIGN(const JobData again, Load(request + "1 }"));
  EXPECT_EQ(data.test.inputs, again.test.inputs);
  EXPECT_EQ(data.test.inputs.rows(), 3);
  double sum = 0;
  for (const core::Samples* samples : {&data.train, &data.test}) {
    EXPECT_EQ(samples->inputs.col(0), samples->targets.col(0) + Eigen::VectorXd::Constant(3, 0.5));
    sum += samples->inputs.col(0).sum();
  }
  EXPECT_EQ(sum, 21);
  bool differs = false;
  for (int seed = 2; seed < 12; ++seed) {
    ASSERT_OK_AND_ASSIGN(const JobData other, Load(request + std::to_string(seed) + " }"));
    differs = differs || other.test.inputs != data.test.inputs;
  }
  EXPECT_TRUE(differs);
}

TEST_F(JobDataTest, TeacherGetsInputsOnly) {
  ASSERT_OK_AND_ASSIGN(const JobData data, Load("", TargetUse::kNone));
  EXPECT_EQ(data.train.inputs.rows(), 4);
  EXPECT_EQ(data.train.targets.size(), 0);
  EXPECT_EQ(data.test.targets.size(), 0);
}

TEST_F(JobDataTest, InputsAreStandardizedByTheTrainingRows) {
  ASSERT_OK_AND_ASSIGN(const JobData data, Load("standardization: STANDARDIZATION_INPUTS"));
  const double deviation = std::sqrt(1.25);  // of 1, 2, 3, 4
  EXPECT_THAT(data.input_scaling.means, ElementsAre(DoubleEq(2.5), DoubleEq(25)));
  EXPECT_THAT(data.input_scaling.scales,
              ElementsAre(DoubleEq(deviation), DoubleEq(10 * deviation)));
  EXPECT_THAT(data.target_scaling.means, IsEmpty());
  EXPECT_NEAR(data.train.inputs(0, 0), -1.5 / deviation, 1e-15);
  EXPECT_NEAR(data.test.inputs(1, 1), 35 / (10 * deviation), 1e-15);
  EXPECT_EQ(data.train.targets(0, 0), 0.5);
}

TEST_F(JobDataTest, TargetsAreStandardizedOnRequest) {
  ASSERT_OK_AND_ASSIGN(const JobData data,
                       Load("standardization: STANDARDIZATION_INPUTS_AND_TARGETS"));
  EXPECT_THAT(data.target_scaling.means, ElementsAre(DoubleEq(2)));
  EXPECT_THAT(data.target_scaling.scales, ElementsAre(DoubleEq(std::sqrt(1.25))));
  EXPECT_NEAR(data.test.targets(1, 0), 3.5 / std::sqrt(1.25), 1e-15);
}

TEST_F(JobDataTest, JointStandardizationUsesOneScaleForAllInputs) {
  ASSERT_OK_AND_ASSIGN(const JobData data, Load("standardization: STANDARDIZATION_INPUTS_JOINTLY"));
  EXPECT_THAT(data.input_scaling.means, ElementsAre(DoubleEq(13.75), DoubleEq(13.75)));
  EXPECT_EQ(data.input_scaling.scales[0], data.input_scaling.scales[1]);
  EXPECT_NEAR(data.train.inputs.array().square().mean(), 1, 1e-12);
  EXPECT_NEAR(data.train.inputs.mean(), 0, 1e-12);
}

TEST_F(JobDataTest, ConstantColumnIsOnlyShifted) {
  ASSERT_OK_AND_ASSIGN(
      const JobData data,
      Load("input_columns: 'spare' input_columns: 'x' standardization: STANDARDIZATION_INPUTS"));
  EXPECT_EQ(data.input_scaling.means[0], 5);
  EXPECT_EQ(data.input_scaling.scales[0], 1);
  EXPECT_TRUE((data.train.inputs.col(0).array() == 0).all());
}

TEST_F(JobDataTest, ConstantThatIsNoBinaryFractionBecomesExactlyZero) {
  Eigen::MatrixXd rows = table_;
  rows.col(2).setConstant(0.1);  // whose computed mean need not be 0.1
  ASSERT_OK_AND_ASSIGN(const JobData data,
                       Load(rows, "input_columns: 'spare' standardization: STANDARDIZATION_INPUTS",
                            TargetUse::kReal, 0));
  EXPECT_TRUE((data.train.inputs.array() == 0).all());
}

TEST_F(JobDataTest, NumbersTooLargeToStandardizeAreRefusedByColumn) {
  Eigen::MatrixXd rows = table_;
  rows.col(1) << 1e308, -1e308, 1e308, 1e308, 1, 1;
  EXPECT_THAT(Load(rows, "standardization: STANDARDIZATION_INPUTS", TargetUse::kReal, 0),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'x.1'")));
}

TEST_F(JobDataTest, ClassIndicesAreKept) {
  ASSERT_OK_AND_ASSIGN(const JobData data, Load("target_columns: 'k'", TargetUse::kClass, 3));
  EXPECT_EQ(data.train.targets, Matrix({{0}, {1}, {2}, {0}}));
  EXPECT_EQ(data.test.targets, Matrix({{1}, {2}}));
}

TEST_F(JobDataTest, TargetThatIsNoClassIsRefusedByRowAndColumn) {
  const auto refuse = [&](double value) {
    Eigen::MatrixXd rows = table_;
    rows(4, 4) = value;  // a test row
    EXPECT_THAT(Load(rows, "target_columns: 'k'", TargetUse::kClass, 3),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("spec.data.dataset.target_columns"), HasSubstr("row 4"),
                               HasSubstr("'k'"), HasSubstr("from 0 to 2"))))
        << value;
  };
  refuse(3);
  refuse(-1);
  refuse(0.5);
}

TEST_F(JobDataTest, TableThatDoesNotFitItsDescriptionIsDataLoss) {
  EXPECT_THAT(Load(table_.topRows(5), "", TargetUse::kReal, 0),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Load(table_.leftCols(3), "", TargetUse::kReal, 0),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace posteriord::server
