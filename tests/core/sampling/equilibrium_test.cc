// A teacher drawn from the prior is, with its latents, an exact draw from the posterior of the
// labels it makes. A chain that starts there is in equilibrium from sweep 0: averaged over
// teachers, no observable of state and labels moves.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/layers/layer.h"
#include "core/sampling/chain.h"
#include "tests/core/testing/collecting_sink.h"
#include "tests/core/testing/networks.h"
#include "tests/core/testing/statistics.h"
#include "tests/testing/status.h"

namespace posteriord::core {
namespace {

using testing::CollectingSink;
using testing::Mean;
using testing::NormalBound;
using testing::SampleCount;

// Trace of the informed chain of one teacher, sweep by sweep, and what it traces.
struct InformedRun {
  std::shared_ptr<const Problem> problem;
  std::vector<CollectingSink::Point> trace;
};

InformedRun RunInformed(const NetworkSpec& network, Precision precision, std::int64_t samples,
                        std::int64_t sweeps, std::uint64_t seed) {
  Spec spec;
  spec.network = network;
  spec.precision = precision;
  spec.seed = seed;
  spec.groups = {{StartKind::kInformed, {}, 1}};
  spec.schedule = {.warmup_sweeps = sweeps - 1, .draws = 1};
  const auto problem =
      Problem::Create(spec, testing::TeacherData(network.inputs.size(), samples, 5, 100 + seed))
          .value();
  CollectingSink sink;
  EXPECT_TRUE(Chain::Create(problem, 0)->Run(sink, {}).ok());
  return {problem, sink.trace};
}

// What is a function of state and labels alone; the rest is measured against the teacher.
bool Stationary(const std::string& name) {
  return name != "test_error" && name != "predictive_test_error";
}

void ExpectStationary(const NetworkSpec& network, Precision precision, std::int64_t samples,
                      int teachers) {
  const std::vector<std::int64_t> sweeps = {1, 5, 25};
  std::map<std::string, Mean> moves;         // since sweep 0, at each of the sweeps
  std::map<std::string, Mean> expectations;  // residuals less 1, and scores
  for (int teacher = 0; teacher < teachers; ++teacher) {
    const InformedRun run = RunInformed(network, precision, samples, sweeps.back(), teacher);
    const std::vector<double>& start = run.trace.front().values;
    for (std::size_t i = 0; i < start.size(); ++i) {
      const std::string& name = run.problem->observables()[i].name;
      if (!Stationary(name)) continue;
      for (const std::int64_t sweep : sweeps) {
        const std::vector<double>& now = run.trace.at(sweep).values;
        ASSERT_EQ(run.trace[sweep].sweep, sweep);
        moves[name + " at sweep " + std::to_string(sweep)].Add(now[i] - start[i]);
        if (name.ends_with(".residual")) {
          expectations[name + " at sweep " + std::to_string(sweep)].Add(now[i] - 1);
        }
        if (name.ends_with(".score")) {
          expectations[name + " at sweep " + std::to_string(sweep)].Add(now[i]);
        }
      }
    }
  }
  const auto comparisons = static_cast<int>(moves.size() + expectations.size());
  double largest = 0;
  for (const auto* means : {&moves, &expectations}) {
    for (const auto& [name, mean] : *means) {
      // Labels that never change, as those of a Gaussian likelihood, may leave a value in place.
      if (mean.variance() == 0) {
        EXPECT_EQ(mean.mean(), 0) << name;
        continue;
      }
      const double z = std::abs(ZScore(mean, 0));
      EXPECT_LT(z, NormalBound(comparisons)) << name << ": " << mean.mean();
      largest = std::max(largest, z);
    }
  }
  ::testing::Test::RecordProperty("largest_z", std::to_string(largest));
}

TEST(EquilibriumTest, InformedRegressionStaysWhereItStarts) {
  ExpectStationary(testing::ReluNetwork({3, 4, 2}, 0.05), Precision::kFloat64, 20,
                   SampleCount(4000));
}

TEST(EquilibriumTest, InformedRegressionWithSmallNoiseStaysWhereItStarts) {
  ExpectStationary(testing::ReluNetwork({3, 4, 1}, 1e-4), Precision::kFloat64, 20,
                   SampleCount(4000));
}

TEST(EquilibriumTest, InformedRegressionInSinglePrecisionStaysWhereItStarts) {
  ExpectStationary(testing::ReluNetwork({3, 4, 1}, 1e-4), Precision::kFloat32, 20,
                   SampleCount(4000));
}

TEST(EquilibriumTest, InformedClassificationStaysWhereItStarts) {
  ExpectStationary(testing::ReluNetwork({3, 4, 3}, 0.05, LikelihoodKind::kProbit),
                   Precision::kFloat64, 20, SampleCount(4000));
}

TEST(EquilibriumTest, InformedDeepNetworkOverSeveralChunksStaysWhereItStarts) {
  ExpectStationary(testing::ReluNetwork({3, 4, 3, 1}, 0.05), Precision::kFloat64,
                   2 * kChunkRows + 76, SampleCount(100) + 30);
}

// Chains of both precisions are started apart from each other and must meet in distribution.
TEST(EquilibriumTest, PrecisionsAgreeInDistribution) {
  const NetworkSpec network = testing::ReluNetwork({2, 3, 1}, 0.1);
  const int teachers = SampleCount(4000);
  std::map<std::string, Mean> means[2];
  for (int teacher = 0; teacher < teachers; ++teacher) {
    for (const Precision precision : {Precision::kFloat32, Precision::kFloat64}) {
      const bool is_double = precision == Precision::kFloat64;
      const InformedRun run =
          RunInformed(network, precision, 15, 30, 10'000 * (is_double ? 1 : 2) + teacher);
      for (std::size_t i = 0; i < run.problem->observables().size(); ++i) {
        const double value = run.trace.back().values[i];
        means[is_double ? 1 : 0][run.problem->observables()[i].name].Add(value);
        means[is_double ? 1 : 0][run.problem->observables()[i].name + " squared"].Add(value *
                                                                                      value);
      }
    }
  }
  for (const auto& [name, mean] : means[0]) {
    EXPECT_LT(std::abs(ZScore(mean, means[1].at(name))),
              NormalBound(static_cast<int>(means[0].size())))
        << name;
  }
}

}  // namespace
}  // namespace posteriord::core
