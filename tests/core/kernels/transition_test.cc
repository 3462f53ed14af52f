#include "core/kernels/transition.h"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "core/kernels/hmc_transition.h"
#include "core/kernels/nuts_transition.h"
#include "core/random/draws.h"
#include "core/random/random_block.h"
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

RandomBlock Block(std::uint64_t sweep) {
  return {7, 0, sweep, MakeBlock(0, RandomUse::kTransition)};
}

PhasePoint DrawStart(const Target& target, const Metric& metric, Hamiltonian& hamiltonian,
                     std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  PhasePoint start(target.dimension);
  start.position = target.draw(random);
  for (double& p : start.momentum) p = normal(random);
  metric.MakeMomentum(start.momentum);
  EXPECT_TRUE(hamiltonian.Evaluate(kAlways, start));
  return start;
}

// ----- MALA -----

// The Metropolis-Hastings ratio from the proposal's density, which knows nothing of energies.
TEST(MalaTest, AcceptanceIsThatOfTheLangevinProposal) {
  const Target target = CurvedTarget();
  const auto density = target.Make();
  Metric metric(MetricKind::kDense, 3);
  Eigen::MatrixXd inverse_mass(3, 3);
  inverse_mass << 2, 0.3, 0.2, 0.3, 1, -0.4, 0.2, -0.4, 0.5;
  ASSERT_TRUE(metric.SetInverseMass(inverse_mass));
  Hamiltonian hamiltonian(*density, metric);
  HmcTransition mala(hamiltonian, 1, 1000);
  const double e = 0.9;
  const auto log_proposal = [&](const PhasePoint& from, const PhasePoint& to) {
    const Eigen::VectorXd r =
        to.position - from.position - e * e / 2 * inverse_mass * from.gradient;
    return -0.5 * r.dot(inverse_mass.llt().solve(r)) / (e * e);
  };
  std::mt19937_64 random(1);
  Mean acceptance;
  int accepted = 0;
  for (int i = 0; i < 2000; ++i) {
    const PhasePoint start = DrawStart(target, metric, hamiltonian, random);
    PhasePoint end(3);
    StepInfo info;
    ASSERT_TRUE(mala.Run(start, e, Block(i), kAlways, end, info));
    EXPECT_EQ(info.leapfrog_steps, 1);
    acceptance.Add(info.acceptance);
    const bool is_accepted =
        DrawUniform(Block(i), TransitionElement::kAcceptance) < info.acceptance;
    ASSERT_EQ(is_accepted, end.position != start.position);
    if (!is_accepted) {
      ASSERT_EQ(end.gradient, start.gradient);
      ASSERT_EQ(end.log_density, start.log_density);
      continue;
    }
    ++accepted;
    const double log_ratio =
        end.log_density - start.log_density + log_proposal(end, start) - log_proposal(start, end);
    ASSERT_NEAR(info.acceptance, std::min(1.0, std::exp(log_ratio)), 1e-10);
  }
  EXPECT_GT(accepted, 500);
  EXPECT_LT(acceptance.mean(), 0.9);
}

// Detailed balance: at equilibrium (x, y) and (y, x) have one distribution, so E[f(x) g(y)] is
// symmetric in f and g.
TEST(MalaTest, StepFromAnExactDrawIsExchangeable) {
  for (const Target& target : {CurvedTarget(), WalledTarget()}) {
    const auto density = target.Make();
    const Metric metric(MetricKind::kIdentity, 3);
    Hamiltonian hamiltonian(*density, metric);
    HmcTransition mala(hamiltonian, 1, 1000);
    const std::vector<double (*)(const Eigen::VectorXd&)> functions = {
        [](const Eigen::VectorXd& x) { return x[0]; },
        [](const Eigen::VectorXd& x) { return x[1]; },
        [](const Eigen::VectorXd& x) { return x[2]; },
        [](const Eigen::VectorXd& x) { return x[0] * x[0]; },
        [](const Eigen::VectorXd& x) { return x[1] * x[1]; },
        [](const Eigen::VectorXd& x) { return x[1] * x[2]; },
        [](const Eigen::VectorXd& x) { return std::exp(-x[0] * x[0]); },
        [](const Eigen::VectorXd&) { return 1.0; }};
    std::map<std::pair<std::size_t, std::size_t>, Mean> asymmetry;
    std::mt19937_64 random(2);
    const int count = SampleCount(200'000);
    for (int i = 0; i < count; ++i) {
      const PhasePoint start = DrawStart(target, metric, hamiltonian, random);
      PhasePoint end(3);
      StepInfo info;
      ASSERT_TRUE(mala.Run(start, 1.1, Block(i), kAlways, end, info));
      for (std::size_t f = 0; f < functions.size(); ++f) {
        for (std::size_t g = 0; g < f; ++g) {
          asymmetry[{f, g}].Add(functions[f](start.position) * functions[g](end.position) -
                                functions[g](start.position) * functions[f](end.position));
        }
      }
    }
    for (const auto& [pair, mean] : asymmetry) {
      EXPECT_LT(std::abs(ZScore(mean, 0)), NormalBound(static_cast<int>(asymmetry.size())))
          << pair.first << " " << pair.second;
    }
  }
}

// ----- NUTS -----

// Depth, steps and acceptance do not depend on which points are chosen, so they must agree exactly.
TEST(NutsTransitionTest, TrajectoriesAreThoseOfTheRecursiveAlgorithm) {
  std::mt19937_64 random(3);
  std::map<int, int> depths;
  int divergences = 0;
  int inner_turns = 0;
  std::uint64_t sweep = 0;
  const std::vector<Target> targets = {
      CurvedTarget(), WalledTarget(),
      testing::AutoregressiveGaussian(testing::LogSpaced(8, 0.3, 3), 0.9)};
  for (const Target& target : targets) {
    for (const MetricKind kind : {MetricKind::kIdentity, MetricKind::kDiagonal}) {
      const auto density = target.Make();
      Metric metric(kind, target.dimension);
      if (kind == MetricKind::kDiagonal) {
        ASSERT_TRUE(metric.SetInverseMass(testing::LogSpaced(target.dimension, 0.5, 2)));
      }
      Hamiltonian hamiltonian(*density, metric);
      for (const double step_size : {0.01, 0.05, 0.2, 0.4, 0.8, 1.5}) {
        NutsTransition nuts(hamiltonian, 9, 20);
        ReferenceNuts reference{.hamiltonian = hamiltonian, .metric = metric};
        reference.max_depth = 9;
        reference.max_energy_error = 20;
        ReferenceNuts lax = reference;
        lax.ignores_turns_inside = true;
        for (int trial = 0; trial < 120; ++trial) {
          const PhasePoint start = DrawStart(target, metric, hamiltonian, random);
          const RandomBlock block = Block(++sweep);
          const auto is_forward = [&block](int depth) {
            return DrawUniform(block, TransitionElement::Direction(depth)) > 0.5;
          };
          PhasePoint end(target.dimension);
          StepInfo info;
          ASSERT_TRUE(nuts.Run(start, step_size, block, kAlways, end, info));
          const auto expected = reference.Run(start, step_size, is_forward, [] { return 0.5; });
          ASSERT_EQ(info.tree_depth, expected.depth);
          ASSERT_EQ(info.leapfrog_steps, expected.leapfrog_steps);
          ASSERT_EQ(info.divergent, expected.divergent);
          ASSERT_NEAR(info.acceptance, expected.acceptance, 1e-12);
          // The chosen point comes with its own density and gradient.
          PhasePoint again = end;
          ASSERT_TRUE(hamiltonian.Evaluate(kAlways, again));
          ASSERT_EQ(end.log_density, again.log_density);
          ASSERT_EQ(end.gradient, again.gradient);
          ++depths[info.tree_depth];
          divergences += info.divergent ? 1 : 0;
          const auto whole = lax.Run(start, step_size, is_forward, [] { return 0.5; });
          inner_turns += whole.leapfrog_steps != info.leapfrog_steps ? 1 : 0;
        }
      }
    }
  }
  // The comparison was worth something.
  for (int depth = 0; depth <= 9; ++depth) EXPECT_GT(depths[depth], 0) << depth;
  EXPECT_GT(divergences, 20);
  EXPECT_GT(inner_turns, 20);
}

// A half period of a standard normal in one dimension is pi, at which the ends have turned.
TEST(NutsTransitionTest, TrajectoriesOfANormalEndAboutHalfAPeriodLater) {
  const Target target = testing::AutoregressiveGaussian(Eigen::VectorXd::Ones(20), 0);
  const auto density = target.Make();
  const Metric metric(MetricKind::kIdentity, 20);
  Hamiltonian hamiltonian(*density, metric);
  NutsTransition nuts(hamiltonian, 12, 1000);
  std::mt19937_64 random(4);
  for (const double step_size : {0.2, 0.1, 0.05, 0.02}) {
    const double half_period = 3.14159265 / step_size;
    for (int i = 0; i < 200; ++i) {
      const PhasePoint start = DrawStart(target, metric, hamiltonian, random);
      PhasePoint end(20);
      StepInfo info;
      ASSERT_TRUE(nuts.Run(start, step_size, Block(i), kAlways, end, info));
      // The last doubling is what makes it long enough.
      EXPECT_GT(info.leapfrog_steps + 1, 0.8 * half_period);
      EXPECT_LT(info.leapfrog_steps + 1, 2.2 * half_period);
      EXPECT_GT(info.acceptance, 0.8);
      EXPECT_FALSE(info.divergent);
    }
  }
}

TEST(NutsTransitionTest, StopsAtTheGreatestDepth) {
  const Target target = CurvedTarget();
  const auto density = target.Make();
  const Metric metric(MetricKind::kIdentity, 3);
  Hamiltonian hamiltonian(*density, metric);
  NutsTransition nuts(hamiltonian, 5, 1000);
  std::mt19937_64 random(5);
  for (int i = 0; i < 20; ++i) {
    const PhasePoint start = DrawStart(target, metric, hamiltonian, random);
    PhasePoint end(3);
    StepInfo info;
    ASSERT_TRUE(nuts.Run(start, 1e-4, Block(i), kAlways, end, info));
    EXPECT_EQ(info.tree_depth, 5);
    EXPECT_EQ(info.leapfrog_steps, 31);
  }
}

}  // namespace
}  // namespace posteriord::core
