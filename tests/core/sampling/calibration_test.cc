// Simulation-based calibration (Talts, Betancourt, Simpson, Vehtari, Gelman, arXiv 1804.06788),
// from end to end: a teacher is drawn from the prior, its labels from the model, and a chain that
// knows only the labels starts from zero. The teacher's rank among the chain's draws is uniform,
// for every function of the state, when the draws come from the posterior.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/sampling/chain.h"
#include "tests/core/testing/collecting_sink.h"
#include "tests/core/testing/networks.h"
#include "tests/core/testing/statistics.h"
#include "tests/testing/status.h"

namespace posteriord::core {
namespace {

using testing::ChiSquaredPValue;
using testing::CollectingSink;
using testing::SampleCount;

constexpr int kDraws = 63;
constexpr int kCells = 8;  // of eight ranks each

// A sampler, and how many of its steps make nearly independent draws, as ranks need.
struct Case {
  std::variant<GibbsSpec, GradientSamplerSpec> sampler;
  int warmup = 320;
  int thinning = 16;
  int replicates = SampleCount(640);
};

// For each observable, how many of the draws after warm-up lie below the teacher's value, in one
// replicate.
std::vector<int> Ranks(const Case& c, const NetworkSpec& network, std::uint64_t seed,
                       const std::vector<std::string>& observables) {
  Spec spec;
  spec.network = network;
  spec.sampler = c.sampler;
  spec.seed = seed;
  spec.groups = {{StartKind::kInformed, {}, 1}, {StartKind::kZero, {}, 1}};
  spec.schedule = {.warmup_sweeps = c.warmup, .draws = kDraws, .thinning = c.thinning};
  spec.observation.initial_stride = c.thinning;
  const auto problem =
      Problem::Create(spec, testing::TeacherData(network.inputs.size(), 12, 2, seed)).value();

  // The informed chain's first trace point is the teacher itself.
  CollectingSink teacher;
  EXPECT_TRUE(Chain::Create(problem, 0)->Run(teacher, {.should_yield = [] { return true; }}).ok());
  CollectingSink student;
  EXPECT_TRUE(Chain::Create(problem, 1)->Run(student, {}).ok());

  std::vector<int> ranks;
  for (const std::string& name : observables) {
    const std::size_t index = testing::ObservableIndex(*problem, name);
    int rank = 0;
    for (const CollectingSink::Point& point : student.trace) {
      if (!point.even || point.sweep <= c.warmup) continue;
      if (point.values[index] < teacher.trace.front().values[index]) ++rank;
    }
    ranks.push_back(rank);
  }
  return ranks;
}

void ExpectUniformRanks(const Case& c, const NetworkSpec& network,
                        const std::vector<std::string>& observables) {
  std::vector<std::vector<double>> counts(observables.size(), std::vector<double>(kCells));
  for (int replicate = 0; replicate < c.replicates; ++replicate) {
    const std::vector<int> ranks = Ranks(c, network, 1000 + replicate, observables);
    for (std::size_t i = 0; i < ranks.size(); ++i) ++counts[i][ranks[i] * kCells / (kDraws + 1)];
  }
  const double expected = static_cast<double>(c.replicates) / kCells;
  for (std::size_t i = 0; i < observables.size(); ++i) {
    double statistic = 0;
    for (const double count : counts[i]) {
      statistic += (count - expected) * (count - expected) / expected;
    }
    const double p = ChiSquaredPValue(statistic, kCells - 1);
    EXPECT_GT(p, testing::kFalseAlarm)
        << observables[i] << ": " << ::testing::PrintToString(counts[i]);
    ::testing::Test::RecordProperty(observables[i], std::to_string(p));
  }
}

TEST(CalibrationTest, TeachersRanksAreUniformInRegression) {
  ExpectUniformRanks({GibbsSpec{}}, testing::ReluNetwork({2, 3, 1}, 0.3),
                     {"log_posterior", "probe0.output0", "probe1.output0", "dense1.weight_norm",
                      "dense2.weight_norm", "relu1.residual", "dense2.score", "train_error"});
}

TEST(CalibrationTest, TeachersRanksAreUniformInClassification) {
  ExpectUniformRanks({GibbsSpec{}}, testing::ReluNetwork({2, 3, 3}, 0.3, LikelihoodKind::kProbit),
                     {"log_posterior", "probe0.output0", "probe1.output2", "dense1.weight_norm",
                      "dense2.weight_norm", "dense2.residual"});
}

TEST(CalibrationTest, TeachersRanksAreUniformWithCollapsedMoves) {
  ExpectUniformRanks({GibbsSpec{.collapsed_from_sweep = 160}}, testing::ReluNetwork({2, 3, 1}, 0.3),
                     {"log_posterior", "probe0.output0", "probe1.output0", "dense1.weight_norm",
                      "dense2.weight_norm", "relu1.residual", "train_error"});
}

// From start to end: the step size and the masses are those that warm-up finds.
class GradientCalibrationTest : public ::testing::TestWithParam<GradientSamplerKind> {
 protected:
  static Case Adapted() {
    GradientSamplerSpec spec{.kind = GetParam()};
    spec.target_acceptance = DefaultTargetAcceptance(GetParam());
    switch (GetParam()) {
      case GradientSamplerKind::kHmc:
        return {spec, 400, 4};
      case GradientSamplerKind::kMala:
        return {spec, 3000, 200};
      default:
        return {spec, 300, 2, SampleCount(320)};  // a step takes many gradients
    }
  }
};

TEST_P(GradientCalibrationTest, TeachersRanksAreUniformInTheClassicalPosterior) {
  NetworkSpec network = testing::ReluNetwork({2, 3, 1}, 0.3);
  network.posterior = PosteriorKind::kClassical;
  ExpectUniformRanks(Adapted(), network,
                     {"log_posterior", "probe0.output0", "probe1.output0", "dense1.weight_norm",
                      "dense2.weight_norm", "train_error"});
}

TEST_P(GradientCalibrationTest, TeachersRanksAreUniformWithIntermediateNoise) {
  ExpectUniformRanks(Adapted(), testing::ReluNetwork({2, 3, 1}, 0.3),
                     {"log_posterior", "probe0.output0", "probe1.output0", "dense1.weight_norm",
                      "dense2.weight_norm", "relu1.residual", "train_error"});
}

INSTANTIATE_TEST_SUITE_P(Calibration, GradientCalibrationTest,
                         ::testing::Values(GradientSamplerKind::kHmc, GradientSamplerKind::kMala,
                                           GradientSamplerKind::kNuts),
                         [](const auto& test) {
                           switch (test.param) {
                             case GradientSamplerKind::kHmc:
                               return "Hmc";
                             case GradientSamplerKind::kMala:
                               return "Mala";
                             default:
                               return "Nuts";
                           }
                         });

}  // namespace
}  // namespace posteriord::core
