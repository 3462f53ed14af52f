#include "core/sampling/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/sampling/typed_problem.h"
#include "tests/core/testing/networks.h"
#include "tests/testing/status.h"

namespace posteriord::core {
namespace {

using ::testing::HasSubstr;
using testing::StatusIs;

Spec MakeSpec(LikelihoodKind likelihood = LikelihoodKind::kGaussian) {
  Spec spec;
  spec.network = testing::ReluNetwork({2, 3, 3}, 0.1, likelihood);
  spec.groups = {{StartKind::kZero, {}, 1}};
  spec.schedule.draws = 1;
  return spec;
}

const TypedProblem<double>& Typed(const std::shared_ptr<const Problem>& problem) {
  return static_cast<const TypedProblem<double>&>(*problem);
}

TEST(GaussianInputsTest, AreAFunctionOfSeedAndSample) {
  const Data data = GaussianInputs(3, 100, 50, 1);
  EXPECT_EQ(data.train.inputs, GaussianInputs(3, 100, 7, 1).train.inputs);
  EXPECT_NE(data.train.inputs, GaussianInputs(3, 100, 50, 2).train.inputs);
  EXPECT_NE(data.train.inputs.topRows(50), data.test.inputs);
  EXPECT_EQ(data.train.targets.size(), 0);
}

TEST(ProblemTest, NoisyTeachersLabelTheTrainingSamplesWithTheirLastLatent) {
  Spec spec = MakeSpec();
  spec.groups = {{StartKind::kInformed, {}, 1}};
  const auto problem = Problem::Create(spec, testing::TeacherData(2, 20, 10, 4)).value();
  const State<double> teacher = Typed(problem).StartState(0);
  EXPECT_EQ(Typed(problem).training().targets, teacher.latents.back().values());
  const Eigen::MatrixXd plug_in =
      PredictAll(Typed(problem).model(), teacher.parameters, Typed(problem).training().inputs);
  EXPECT_GT((plug_in - Typed(problem).training().targets).norm(), 0.1);
}

TEST(ProblemTest, TestLabelsAreAlwaysNoiseFree) {
  Spec spec = MakeSpec();
  spec.groups = {{StartKind::kInformed, {}, 1}};
  for (const bool noiseless : {false, true}) {
    Data data = testing::TeacherData(2, 20, 10, 4);
    data.teacher->noiseless = noiseless;
    const auto problem = Problem::Create(spec, data).value();
    const State<double> teacher = Typed(problem).StartState(0);
    EXPECT_EQ(Typed(problem).test().targets,
              PredictAll(Typed(problem).model(), teacher.parameters, Typed(problem).test().inputs));
  }
}

TEST(ProblemTest, NoiselessTeachersLabelWithTheForwardPass) {
  Spec spec = MakeSpec();
  spec.groups = {{StartKind::kInformed, {}, 1}};
  Data data = testing::TeacherData(2, 20, 0, 4);
  data.teacher->noiseless = true;
  const auto problem = Problem::Create(spec, data).value();
  const State<double> teacher = Typed(problem).StartState(0);
  const Eigen::MatrixXd plug_in =
      PredictAll(Typed(problem).model(), teacher.parameters, Typed(problem).training().inputs);
  EXPECT_LT((plug_in - Typed(problem).training().targets).norm(), 1e-12);
}

TEST(ProblemTest, TeachersAreDrawnFromTheirSeedOrGiven) {
  Spec spec = MakeSpec();
  spec.groups = {{StartKind::kInformed, {}, 1}};
  Data data = testing::TeacherData(2, 20, 0, 4);
  const auto parameters_of = [&](const Data& used) {
    const auto problem = Problem::Create(spec, used).value();
    std::vector<double> flat(problem->layout().size);
    Typed(problem).model().Export(Typed(problem).StartState(0), absl::MakeSpan(flat));
    return flat;
  };
  const std::vector<double> drawn = parameters_of(data);
  EXPECT_EQ(parameters_of(data), drawn);
  data.teacher->seed = 5;
  EXPECT_NE(parameters_of(data), drawn);
  data.teacher->parameters = drawn;
  EXPECT_EQ(parameters_of(data), drawn);
}

TEST(ProblemTest, LabelsThatAreNotClassesAreInvalidAndNamed) {
  for (const double label : {-1.0, 3.0, 0.5, std::nan("")}) {
    Data data = GaussianInputs(2, 5, 4, 1);
    data.train.targets = Eigen::VectorXd::Constant(5, 1);
    data.test.targets = Eigen::VectorXd::Constant(4, 2);
    EXPECT_OK(Problem::Create(MakeSpec(LikelihoodKind::kProbit), data));
    data.train.targets(3, 0) = label;
    EXPECT_THAT(Problem::Create(MakeSpec(LikelihoodKind::kProbit), data).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("training sample 3")));
    data.train.targets(3, 0) = 0;
    data.test.targets(2, 0) = label;
    EXPECT_THAT(Problem::Create(MakeSpec(LikelihoodKind::kProbit), data).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("test sample 2")));
  }
}

TEST(ProblemTest, InputsCollinearBeyondRoundingAreInvalid) {
  Spec spec = MakeSpec();
  spec.network.layers[0].noise_variance = 1e-30;
  Data data = GaussianInputs(2, 20, 0, 1);
  data.train.inputs.col(1) = 2 * data.train.inputs.col(0);
  data.train.targets = Eigen::MatrixXd::Zero(20, 3);
  EXPECT_THAT(Problem::Create(spec, data).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("dense1")));
}

TEST(ProblemTest, PooledPredictiveErrorIsThatOfTheMean) {
  Data data = GaussianInputs(2, 5, 2, 1);
  data.train.targets = Eigen::MatrixXd::Zero(5, 3);
  data.test.targets = Eigen::MatrixXd::Ones(2, 3);
  const auto problem = Problem::Create(MakeSpec(), data).value();
  // Twice the sum of two draws: means 1, 2, 3 for the first sample and 1, 1, 1 for the second.
  const std::vector<double> sum = {4, 4, 8, 4, 12, 4};
  EXPECT_DOUBLE_EQ(problem->PredictiveTestError(sum, 4), (0 + 1 + 4) / 6.0);
  EXPECT_TRUE(std::isnan(problem->PredictiveTestError(sum, 0)));
}

TEST(ProblemTest, PooledPredictiveErrorOfClassesIsThatOfTheMajority) {
  Data data = GaussianInputs(2, 5, 2, 1);
  data.train.targets = Eigen::VectorXd::Zero(5);
  data.test.targets.resize(2, 1);
  data.test.targets << 2, 0;
  const auto problem = Problem::Create(MakeSpec(LikelihoodKind::kProbit), data).value();
  const std::vector<double> votes = {1, 3, 2, 4, 5, 1};  // classes column by column
  EXPECT_DOUBLE_EQ(problem->PredictiveTestError(votes, 8), 0.5);
}

}  // namespace
}  // namespace posteriord::core
