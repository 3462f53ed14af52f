// Samplers that share no code beyond the model must agree on one posterior: Gibbs, with and without
// collapsed moves, against NUTS and HMC on parameters and latents jointly. Chains start at draws
// from the prior and warm up, so that their means are independent.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>
#include <vector>

#include "core/sampling/chain.h"
#include "tests/core/testing/collecting_sink.h"
#include "tests/core/testing/networks.h"
#include "tests/core/testing/statistics.h"

namespace posteriord::core {
namespace {

using testing::CollectingSink;
using testing::Mean;

using Sampler = std::variant<GibbsSpec, GradientSamplerSpec>;

const std::vector<std::string> kObservables = {
    "log_posterior",      "train_error",        "probe0.output0", "probe1.output0",
    "dense1.weight_norm", "dense2.weight_norm", "relu1.residual", "dense2.residual"};

struct Schedule {
  int warmup;
  int sweeps;
};

// Sixteen points of a curved surface that no network made.
Data CurvedSurface() {
  Data data = GaussianInputs(2, 16, 2, 5);
  for (Samples* part : {&data.train, &data.test}) {
    part->targets =
        (part->inputs.col(0).array().sin() - 0.5 * part->inputs.col(1).array()).matrix();
  }
  return data;
}

// Mean over a chain of every observable and its square.
std::vector<double> ChainMeans(const NetworkSpec& network, const Sampler& sampler,
                               const Schedule& schedule, std::uint64_t chain_seed) {
  Spec spec;
  spec.network = network;
  spec.sampler = sampler;
  spec.seed = chain_seed;
  spec.groups = {{StartKind::kPrior, {}, 1}};
  spec.schedule = {.warmup_sweeps = schedule.warmup, .draws = schedule.sweeps};
  spec.observation.max_points = 1 << 20;
  const auto problem = Problem::Create(spec, CurvedSurface()).value();
  CollectingSink sink;
  EXPECT_TRUE(Chain::Create(problem, 0)->Run(sink, {}).ok());
  std::vector<double> means(2 * kObservables.size());
  for (std::size_t i = 0; i < kObservables.size(); ++i) {
    const std::size_t index = testing::ObservableIndex(*problem, kObservables[i]);
    Mean mean, square;
    for (const CollectingSink::Point& point : sink.trace) {
      if (!point.even || point.sweep <= schedule.warmup) continue;
      mean.Add(point.values[index]);
      square.Add(point.values[index] * point.values[index]);
    }
    means[2 * i] = mean.mean();
    means[2 * i + 1] = square.mean();
  }
  return means;
}

std::vector<Mean> OverChains(const NetworkSpec& network, const Sampler& sampler,
                             const Schedule& schedule) {
  std::vector<Mean> means(2 * kObservables.size());
  for (int chain = 0; chain < testing::SampleCount(48); ++chain) {
    const std::vector<double> values = ChainMeans(network, sampler, schedule, 100 + chain);
    for (std::size_t i = 0; i < values.size(); ++i) means[i].Add(values[i]);
  }
  return means;
}

// The largest |z| between two samplers.
double Distance(const std::vector<Mean>& a, const std::vector<Mean>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(testing::ZScore(a[i], b[i])));
  }
  return largest;
}

constexpr Schedule kGibbs{.warmup = 2000, .sweeps = 4000};
constexpr Schedule kGradient{.warmup = 600, .sweeps = 800};

TEST(AgreementTest, AllSamplersSampleTheSamePosterior) {
  const NetworkSpec network = testing::ReluNetwork({2, 3, 1}, 0.3);
  const double bound = testing::NormalBound(static_cast<int>(2 * kObservables.size()));
  const auto gibbs = OverChains(network, GibbsSpec{}, kGibbs);
  const auto collapsed = OverChains(network, GibbsSpec{.collapsed_from_sweep = 1}, kGibbs);
  const auto nuts = OverChains(
      network, GradientSamplerSpec{.kind = GradientSamplerKind::kNuts, .target_acceptance = 0.9},
      kGradient);
  const auto hmc = OverChains(network,
                              GradientSamplerSpec{.kind = GradientSamplerKind::kHmc,
                                                  .step_size_jitter = 0.2,
                                                  .target_acceptance = 0.9,
                                                  .leapfrog_steps = 24},
                              kGradient);
  EXPECT_LT(Distance(gibbs, collapsed), bound);
  EXPECT_LT(Distance(gibbs, nuts), bound);
  EXPECT_LT(Distance(gibbs, hmc), bound);
  RecordProperty("bound", std::to_string(bound));
  RecordProperty("gibbs_to_collapsed_z", std::to_string(Distance(gibbs, collapsed)));
  RecordProperty("gibbs_to_nuts_z", std::to_string(Distance(gibbs, nuts)));
  RecordProperty("gibbs_to_hmc_z", std::to_string(Distance(gibbs, hmc)));
}

// The comparison has power: noise that is off by a few percent separates the samplers.
TEST(AgreementTest, OtherNoiseIsSeen) {
  if (testing::SampleCount(16) < 16) GTEST_SKIP();
  const NetworkSpec network = testing::ReluNetwork({2, 3, 1}, 0.3);
  NetworkSpec other = network;
  other.layers[1].noise_variance *= 1.1;
  const double bound = testing::NormalBound(static_cast<int>(2 * kObservables.size()));
  EXPECT_GT(Distance(OverChains(network, GibbsSpec{}, kGibbs),
                     OverChains(other, GibbsSpec{.collapsed_from_sweep = 1}, kGibbs)),
            bound);
}

}  // namespace
}  // namespace posteriord::core
