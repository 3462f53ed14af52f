// Posteriors that are known otherwise: in closed form for a single dense layer, by quadrature for
// networks with one input and one unit per layer.
#include <gtest/gtest.h>

#include <Eigen/QR>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <utility>
#include <vector>

#include "core/sampling/chain.h"
#include "core/sampling/gibbs.h"
#include "tests/core/testing/collecting_sink.h"
#include "tests/core/testing/standard_normal_test.h"
#include "tests/core/testing/statistics.h"
#include "tests/testing/status.h"

namespace posteriord::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using testing::CollectingSink;
using testing::Mean;
using testing::NormalBound;
using testing::SampleCount;
using testing::StandardNormalTest;

// A single dense layer is Bayesian linear regression, and every sweep an independent draw of it.
TEST(ExactPosteriorTest, ChainOfASingleDenseLayerDrawsBayesianLinearRegression) {
  constexpr int kInputs = 3;
  constexpr int kOutputs = 2;
  constexpr Index kSamples = 12;
  constexpr double kNoise = 0.4;
  constexpr double kWeightPrecision = 2;
  constexpr double kBiasPrecision = 0.5;
  Data data = GaussianInputs(kInputs, kSamples, 0, 1);
  data.train.targets = MatrixXd::Random(kSamples, kOutputs) * 2;

  // Least squares with the prior as extra rows; parameters in the order of a flat draw.
  MatrixXd design = MatrixXd::Zero(kSamples + kInputs + 1, kInputs + 1);
  design.topLeftCorner(kSamples, kInputs) = data.train.inputs;
  design.topRightCorner(kSamples, 1).setOnes();
  design /= std::sqrt(kNoise);
  design.bottomRows(kInputs + 1).diagonal().setConstant(std::sqrt(kWeightPrecision));
  design(kSamples + kInputs, kInputs) = std::sqrt(kBiasPrecision);
  MatrixXd wanted = MatrixXd::Zero(design.rows(), kOutputs);
  wanted.topRows(kSamples) = data.train.targets / std::sqrt(kNoise);
  const Eigen::HouseholderQR<MatrixXd> qr(design);
  const MatrixXd mean = qr.solve(wanted);
  const MatrixXd r = qr.matrixQR().topRows(kInputs + 1).triangularView<Eigen::Upper>();

  Spec spec;
  spec.network.inputs = kInputs;
  spec.network.layers = {
      {"dense1", DenseSpec{kOutputs, true, kWeightPrecision, kBiasPrecision}, kNoise}};
  spec.seed = 2;
  spec.groups = {{StartKind::kZero, {}, 1}};
  spec.schedule.draws = SampleCount(50'000);
  ASSERT_OK_AND_ASSIGN(const auto problem, Problem::Create(spec, std::move(data)));
  CollectingSink sink;
  ASSERT_OK(Chain::Create(problem, 0)->Run(sink, {}));

  StandardNormalTest standard((kInputs + 1) * kOutputs);
  for (const CollectingSink::Draw& draw : sink.draws) {
    MatrixXd parameters(kInputs + 1, kOutputs);
    for (int output = 0; output < kOutputs; ++output) {
      for (int input = 0; input < kInputs; ++input) {
        parameters(input, output) = draw.values[output * kInputs + input];
      }
      parameters(kInputs, output) = draw.values[kInputs * kOutputs + output];
    }
    MatrixXd whitened = r * (parameters - mean);
    standard.Add(Eigen::Map<VectorXd>(whitened.data(), whitened.size()));
  }
  EXPECT_LT(standard.LargestZ(), standard.Bound());
}

// ----- Quadrature -----

const std::vector<double> kX = {-1.2, -0.4, 0.3, 0.9, 1.7};
const std::vector<double> kY = {0.4, -0.3, 0.5, 0.6, 1.1};

double NormalDensity(double x, double variance) {
  return std::exp(-0.5 * x * x / variance) / std::sqrt(2 * std::numbers::pi * variance);
}
double NormalCdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

// E[theta_i] and E[theta_i theta_j] under the prior N(0, 1 / precision_i) times the likelihood, by
// the trapezoidal rule, which converges exponentially for smooth functions that vanish at the ends.
std::vector<double> QuadratureMoments(const std::vector<double>& precisions,
                                      const std::function<double(const double*)>& likelihood) {
  constexpr int kPoints = 81;
  constexpr double kRange = 6.5;
  const std::size_t dimension = precisions.size();
  std::vector<double> moments(dimension + dimension * (dimension + 1) / 2);
  double total = 0;
  std::vector<int> at(dimension, 0);
  std::vector<double> theta(dimension);
  while (true) {
    double weight = 1;
    for (std::size_t i = 0; i < dimension; ++i) {
      const double standard = kRange * (2.0 * at[i] / (kPoints - 1) - 1);
      theta[i] = standard / std::sqrt(precisions[i]);
      weight *= NormalDensity(standard, 1);
    }
    if (weight > 1e-14) {
      weight *= likelihood(theta.data());
      total += weight;
      std::size_t k = 0;
      for (std::size_t i = 0; i < dimension; ++i) {
        moments[k++] += weight * theta[i];
        for (std::size_t j = 0; j <= i; ++j) moments[k++] += weight * theta[i] * theta[j];
      }
    }
    std::size_t axis = 0;
    while (axis < dimension && ++at[axis] == kPoints) at[axis++] = 0;
    if (axis == dimension) break;
  }
  for (double& moment : moments) moment /= total;
  return moments;
}

// Compares with the averages of many independent chains after a warm-up. `theta` reads the
// parameters, in the order of the quadrature.
void ExpectMoments(const NetworkSpec& network, const MatrixXd& targets,
                   const std::function<std::vector<double>(const State<double>&)>& theta,
                   const std::vector<double>& expected) {
  const Model<double> model(network);
  TrainingSet<double> data;
  data.inputs = Latent<double>(static_cast<Index>(kX.size()), 1);
  data.inputs.values().col(0) = Eigen::Map<const VectorXd>(kX.data(), data.inputs.samples());
  data.targets = targets;
  data.input_cache = model.layer(0).CacheInput(data.inputs).value();
  GibbsSampler<double> sampler(model, data);

  std::vector<Mean> means(expected.size());
  // Started at draws from the prior, chains change the sign of a unit about every 200 sweeps: the
  // warm-up leaves less than a thousandth of what the prior gets wrong.
  constexpr std::uint64_t kWarmup = 1500;
  constexpr std::uint64_t kSweeps = kWarmup + 1000;
  const auto chains = static_cast<std::uint32_t>(SampleCount(640));
  for (std::uint32_t chain = 0; chain < chains; ++chain) {
    State<double> state = model.ZeroState(data.inputs.samples());
    model.DrawPrior(1, chain, state);
    model.DrawLatents(data.inputs, true, 1, chain, state);
    if (model.likelihood().latent_is_observed()) state.latents.back().values() = targets;
    std::vector<double> sums(expected.size());
    for (std::uint64_t sweep = 1; sweep <= kSweeps; ++sweep) {
      sampler.Sweep(
          {1, chain, sweep}, [] { return true; }, state);
      if (sweep <= kWarmup) continue;
      const std::vector<double> values = theta(state);
      std::size_t k = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        sums[k++] += values[i];
        for (std::size_t j = 0; j <= i; ++j) sums[k++] += values[i] * values[j];
      }
    }
    for (std::size_t k = 0; k < sums.size(); ++k) {
      means[k].Add(sums[k] / static_cast<double>(kSweeps - kWarmup));
    }
  }
  for (std::size_t k = 0; k < means.size(); ++k) {
    EXPECT_LT(std::abs(ZScore(means[k], expected[k])),
              NormalBound(static_cast<int>(expected.size())))
        << "moment " << k << ": " << means[k].mean() << " +- " << means[k].standard_error()
        << ", exact " << expected[k];
  }
}

TEST(ExactPosteriorTest, ReluNetworkOfOneUnitMatchesQuadrature) {
  constexpr double kNoise[] = {0.3, 0.2, 0.1};
  NetworkSpec network;
  network.inputs = 1;
  network.layers = {{"dense1", DenseSpec{1, true, 1, 2}, kNoise[0]},
                    {"relu1", ActivationSpec{}, kNoise[1]},
                    {"dense2", DenseSpec{1, false, 0.8, 0}, kNoise[2]}};
  // theta = (w, b, a). y = a relu(z) + noise of variance v, z ~ N(w x + b, kNoise[0]): on z < 0 the
  // density of y does not depend on z; on z > 0 it is that of a linear network times the
  // probability that z > 0 given y.
  const auto likelihood = [&](const double* theta) {
    const double a = theta[2];
    const double v = kNoise[2] + a * a * kNoise[1];
    double product = 1;
    for (std::size_t i = 0; i < kX.size(); ++i) {
      const double m = theta[0] * kX[i] + theta[1];
      const double joint = v + a * a * kNoise[0];
      const double sd = std::sqrt(kNoise[0] * v / joint);
      const double mean = m + a * kNoise[0] / joint * (kY[i] - a * m);
      product *= NormalDensity(kY[i], v) * NormalCdf(-m / std::sqrt(kNoise[0])) +
                 NormalDensity(kY[i] - a * m, joint) * NormalCdf(mean / sd);
    }
    return product;
  };
  ExpectMoments(
      network, Eigen::Map<const VectorXd>(kY.data(), static_cast<Index>(kY.size())),
      [](const State<double>& state) -> std::vector<double> {
        return {state.parameters[0](1, 0), state.parameters[0](0, 0), state.parameters[2](0, 0)};
      },
      QuadratureMoments({1, 2, 0.8}, likelihood));
}

TEST(ExactPosteriorTest, LinearNetworkOfOneUnitMatchesQuadrature) {
  constexpr double kNoise[] = {0.3, 0.1};
  NetworkSpec network;
  network.inputs = 1;
  network.layers = {{"dense1", DenseSpec{1, false, 1, 0}, kNoise[0]},
                    {"dense2", DenseSpec{1, true, 0.8, 2}, kNoise[1]}};
  const auto likelihood = [&](const double* theta) {  // (w, a, b)
    const double variance = kNoise[1] + theta[1] * theta[1] * kNoise[0];
    double product = 1;
    for (std::size_t i = 0; i < kX.size(); ++i) {
      product *= NormalDensity(kY[i] - theta[1] * theta[0] * kX[i] - theta[2], variance);
    }
    return product;
  };
  ExpectMoments(
      network, Eigen::Map<const VectorXd>(kY.data(), static_cast<Index>(kY.size())),
      [](const State<double>& state) -> std::vector<double> {
        return {state.parameters[0](0, 0), state.parameters[1](1, 0), state.parameters[1](0, 0)};
      },
      QuadratureMoments({1, 0.8, 2}, likelihood));
}

TEST(ExactPosteriorTest, ProbitClassifierOfTwoClassesMatchesQuadrature) {
  constexpr double kNoise = 0.3;
  NetworkSpec network;
  network.inputs = 1;
  network.likelihood = LikelihoodKind::kProbit;
  network.layers = {{"dense1", DenseSpec{2, false, 1.5, 0}, kNoise}};
  const std::vector<double> labels = {0, 1, 1, 0, 1};
  // P(class 1) = P(z_1 - z_0 > 0), a difference of variance 2 kNoise.
  const auto likelihood = [&](const double* theta) {  // weights of either class
    double product = 1;
    for (std::size_t i = 0; i < kX.size(); ++i) {
      const double sign = labels[i] == 1 ? 1 : -1;
      product *= NormalCdf(sign * (theta[1] - theta[0]) * kX[i] / std::sqrt(2 * kNoise));
    }
    return product;
  };
  ExpectMoments(
      network, Eigen::Map<const VectorXd>(labels.data(), static_cast<Index>(labels.size())),
      [](const State<double>& state) -> std::vector<double> {
        return {state.parameters[0](0, 0), state.parameters[0](0, 1)};
      },
      QuadratureMoments({1.5, 1.5}, likelihood));
}

}  // namespace
}  // namespace posteriord::core
