// A chain that starts from an exact draw of its target stays distributed as the target. Many
// independent short chains show the least departure; and samplers that are wrong on purpose show
// that the test would notice.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/kernels/gradient_sampler.h"
#include "tests/core/kernels/reference_nuts.h"
#include "tests/core/kernels/targets.h"
#include "tests/core/testing/statistics.h"

namespace posteriord::core {
namespace {

using testing::CurvedTarget;
using testing::kAlways;
using testing::Mean;
using testing::NormalBound;
using testing::ReferenceNuts;
using testing::SampleCount;
using testing::Target;
using testing::WalledTarget;

// Moments up to four and cross moments of three coordinates, and two bounded functions.
std::vector<double> Statistics(const Eigen::VectorXd& x) {
  std::vector<double> values;
  for (int i = 0; i < 3; ++i) {
    for (int power = 1; power <= 4; ++power) values.push_back(std::pow(x[i], power));
  }
  values.insert(values.end(),
                {x[0] * x[1], x[0] * x[2], x[1] * x[2], x[0] * x[0] * x[1], x[0] * x[0] * x[2],
                 std::exp(-x.squaredNorm()), std::tanh(x[1] + x[2])});
  return values;
}

// The kernel under test: where chain `replicate` gets to from `start` in some steps.
using Kernel = std::function<Eigen::VectorXd(const Eigen::VectorXd& start, int replicate)>;

struct Departure {
  double largest_z = 0;  // of the changes of the statistics
  double bound = 0;
  double moved = 0;  // share of the chains that are elsewhere
};

Departure MeasureDeparture(const Target& target, int replicates, const Kernel& kernel) {
  std::mt19937_64 random(11);
  std::vector<Mean> changes(Statistics(Eigen::VectorXd::Zero(3)).size());
  Departure departure;
  for (int replicate = 0; replicate < replicates; ++replicate) {
    const Eigen::VectorXd start = target.draw(random);
    const Eigen::VectorXd end = kernel(start, replicate);
    const std::vector<double> before = Statistics(start);
    const std::vector<double> after = Statistics(end);
    for (std::size_t i = 0; i < changes.size(); ++i) changes[i].Add(after[i] - before[i]);
    if (end != start) departure.moved += 1.0 / replicates;
  }
  departure.bound = NormalBound(static_cast<int>(changes.size()));
  for (const Mean& change : changes) {
    departure.largest_z = std::max(departure.largest_z, std::abs(ZScore(change, 0)));
  }
  return departure;
}

struct Case {
  std::string name;
  GradientSamplerKind kind;
  MetricKind metric;
  double step_size;  // 0: adapted
  Target target;
  std::int64_t warmup = 0;
  double jitter = 0;
};

class StationarityTest : public ::testing::TestWithParam<Case> {};

TEST_P(StationarityTest, ChainsFromExactDrawsKeepTheirDistribution) {
  const Case& c = GetParam();
  GradientSamplerSpec spec;
  spec.kind = c.kind;
  spec.metric = c.metric;
  spec.leapfrog_steps = 3;
  spec.step_size_jitter = c.jitter;
  spec.target_acceptance = 0.6;  // long steps show more
  spec.max_tree_depth = 6;
  if (c.step_size > 0) spec.step_size = c.step_size;
  GradientSampler sampler(c.target.Make(), spec, c.warmup);
  // Warm up once; each replicate takes the adapted settings over with another position.
  std::mt19937_64 random(12);
  ASSERT_TRUE(sampler.Start(c.target.draw(random), kAlways).ok());
  StepInfo info;
  std::uint64_t sweep = 0;
  while (sweep < static_cast<std::uint64_t>(c.warmup)) {
    ASSERT_TRUE(sampler.Step({.seed = 3, .chain = 1, .sweep = ++sweep}, kAlways, info));
  }
  if (c.warmup > 0 && c.metric != MetricKind::kIdentity) {
    ASSERT_NE(sampler.metric().inverse_mass()(0, 0), 1);
  }
  double acceptance = 0;
  const int replicates = SampleCount(60'000);
  const Departure departure =
      MeasureDeparture(c.target, replicates, [&](const Eigen::VectorXd& start, int) {
        EXPECT_TRUE(sampler.MoveTo(start, kAlways).ok());
        for (int step = 0; step < 2; ++step) {
          EXPECT_TRUE(sampler.Step({.seed = 3, .chain = 1, .sweep = ++sweep}, kAlways, info));
          acceptance += info.acceptance / (2.0 * replicates);
        }
        return sampler.position();
      });
  EXPECT_LT(departure.largest_z, departure.bound);
  // Both ways were taken often.
  EXPECT_GT(departure.moved, 0.4);
  EXPECT_LT(acceptance, 0.96);
  RecordProperty("acceptance", std::to_string(acceptance));
  RecordProperty("largest_z", std::to_string(departure.largest_z));
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  const std::vector<std::pair<std::string, GradientSamplerKind>> kinds = {
      {"Hmc", GradientSamplerKind::kHmc},
      {"Mala", GradientSamplerKind::kMala},
      {"Nuts", GradientSamplerKind::kNuts}};
  for (const auto& [name, kind] : kinds) {
    const double step_size = kind == GradientSamplerKind::kMala ? 1.1 : 0.75;
    cases.push_back({name + "Identity", kind, MetricKind::kIdentity, step_size, CurvedTarget()});
    cases.push_back({name + "Diagonal", kind, MetricKind::kDiagonal, 0, CurvedTarget(), 300});
    cases.push_back({name + "Dense", kind, MetricKind::kDense, 0, CurvedTarget(), 300});
    cases.push_back({name + "AtAWall", kind, MetricKind::kIdentity, step_size, WalledTarget()});
  }
  cases.push_back({"HmcJitter", GradientSamplerKind::kHmc, MetricKind::kIdentity, 0.75,
                   CurvedTarget(), 0, 0.3});
  return cases;
}
INSTANTIATE_TEST_SUITE_P(All, StationarityTest, ::testing::ValuesIn(Cases()),
                         [](const auto& test) { return test.param.name; });

// ----- Samplers that are wrong on purpose -----

enum class HmcMutation { kNone, kNoLastHalfStep, kNoAcceptance, kNoKineticEnergy, kOldMomentum };

// HMC in a few lines.
Departure DepartureOfHmc(HmcMutation mutation) {
  const Target target = CurvedTarget();
  const auto density = target.Make();
  std::mt19937_64 random(13);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  Eigen::VectorXd momentum = Eigen::VectorXd::Zero(3);
  return MeasureDeparture(target, 60'000, [&](const Eigen::VectorXd& start, int) {
    constexpr double kStepSize = 0.75;
    Eigen::VectorXd q = start, gradient(3);
    for (int step = 0; step < 2; ++step) {
      // A momentum that goes on from where the last trajectory, kept or not, has left it.
      if (mutation != HmcMutation::kOldMomentum || step == 0) {
        for (double& p : momentum) p = normal(random);
      }
      const auto energy = [&](double value) {
        const double kinetic = 0.5 * momentum.squaredNorm();
        return (mutation == HmcMutation::kNoKineticEnergy ? 0 : kinetic) - value;
      };
      double value = 0;
      (void)density->Evaluate(q, kAlways, value, gradient);
      const double before = energy(value);
      Eigen::VectorXd end = q;
      for (int i = 0; i < 3; ++i) {
        if (mutation == HmcMutation::kNoLastHalfStep) {
          momentum += kStepSize * gradient;
        } else {
          momentum += kStepSize / 2 * gradient;
        }
        end += kStepSize * momentum;
        (void)density->Evaluate(end, kAlways, value, gradient);
        if (mutation != HmcMutation::kNoLastHalfStep) momentum += kStepSize / 2 * gradient;
      }
      const double log_ratio = before - energy(value);
      if (mutation == HmcMutation::kNoAcceptance || std::log(uniform(random)) < log_ratio) q = end;
    }
    return q;
  });
}

TEST(StationarityMutationTest, CorrectHmcPasses) {
  const Departure departure = DepartureOfHmc(HmcMutation::kNone);
  EXPECT_LT(departure.largest_z, departure.bound);
}

TEST(StationarityMutationTest, HmcWithoutTheLastHalfStepIsCaught) {
  const Departure departure = DepartureOfHmc(HmcMutation::kNoLastHalfStep);
  EXPECT_GT(departure.largest_z, 2 * departure.bound);
  RecordProperty("largest_z", std::to_string(departure.largest_z));
}

TEST(StationarityMutationTest, HmcThatAcceptsEverythingIsCaught) {
  const Departure departure = DepartureOfHmc(HmcMutation::kNoAcceptance);
  EXPECT_GT(departure.largest_z, 2 * departure.bound);
  RecordProperty("largest_z", std::to_string(departure.largest_z));
}

TEST(StationarityMutationTest, HmcThatForgetsTheKineticEnergyIsCaught) {
  const Departure departure = DepartureOfHmc(HmcMutation::kNoKineticEnergy);
  EXPECT_GT(departure.largest_z, 2 * departure.bound);
  RecordProperty("largest_z", std::to_string(departure.largest_z));
}

TEST(StationarityMutationTest, HmcThatKeepsTheMomentumOfARejectedTrajectoryIsCaught) {
  const Departure departure = DepartureOfHmc(HmcMutation::kOldMomentum);
  EXPECT_GT(departure.largest_z, 2 * departure.bound);
  RecordProperty("largest_z", std::to_string(departure.largest_z));
}

Departure DepartureOfNuts(const std::function<void(ReferenceNuts&)>& mutate) {
  const Target target = CurvedTarget();
  const auto density = target.Make();
  const Metric metric(MetricKind::kIdentity, 3);
  Hamiltonian hamiltonian(*density, metric);
  ReferenceNuts nuts{.hamiltonian = hamiltonian, .metric = metric};
  nuts.max_depth = 6;
  mutate(nuts);
  std::mt19937_64 random(14);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  return MeasureDeparture(target, 30'000, [&](const Eigen::VectorXd& start, int) {
    PhasePoint point(3);
    point.position = start;
    for (int step = 0; step < 2; ++step) {
      for (double& p : point.momentum) p = normal(random);
      (void)hamiltonian.Evaluate(kAlways, point);
      point.position = nuts.Run(
                               point, 0.75, [&](int) { return random() % 2 == 0; },
                               [&] { return uniform(random); })
                           .position;
    }
    return point.position;
  });
}

TEST(StationarityMutationTest, CorrectNutsPasses) {
  const Departure departure = DepartureOfNuts([](ReferenceNuts&) {});
  EXPECT_LT(departure.largest_z, departure.bound);
}

TEST(StationarityMutationTest, NutsWithoutMultinomialWeightsIsCaught) {
  const Departure departure =
      DepartureOfNuts([](ReferenceNuts& nuts) { nuts.ignores_weights = true; });
  EXPECT_GT(departure.largest_z, 2 * departure.bound);
  RecordProperty("largest_z", std::to_string(departure.largest_z));
}

TEST(StationarityMutationTest, NutsThatChoosesFromAHalfThatTurnedIsCaught) {
  const Departure departure =
      DepartureOfNuts([](ReferenceNuts& nuts) { nuts.keeps_turned_half = true; });
  EXPECT_GT(departure.largest_z, 2 * departure.bound);
  RecordProperty("largest_z", std::to_string(departure.largest_z));
}

TEST(StationarityMutationTest, NutsThatIgnoresTurnsInsideAHalfIsCaught) {
  const Departure departure =
      DepartureOfNuts([](ReferenceNuts& nuts) { nuts.ignores_turns_inside = true; });
  EXPECT_GT(departure.largest_z, 2 * departure.bound);
  RecordProperty("largest_z", std::to_string(departure.largest_z));
}

}  // namespace
}  // namespace posteriord::core
