// Joint-distribution test of every kernel on every posterior
// (tests/core/testing/joint_distribution.h).
//
// The test is only as good as the mistakes it finds: the second half repeats it with samplers that
// are wrong on purpose and demands that it fails. Its power is measured there.
#include "tests/core/testing/joint_distribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/sampling/gibbs.h"
#include "core/sampling/gradient_kernel.h"

namespace posteriord::core {
namespace {

using testing::CompareJointly;
using testing::JointComparison;
using testing::JointExperiment;

template <typename T>
JointExperiment<T> GibbsExperiment(NetworkSpec network, const GibbsSpec& spec = {}) {
  JointExperiment<T> experiment{.generating = std::move(network)};
  experiment.make_step = [spec](const Model<T>& model, const TrainingSet<T>& data) {
    const auto sampler = std::make_shared<GibbsSampler<T>>(model, data, spec);
    return [sampler](const SweepAddress& address, State<T>& state) {
      sampler->Sweep(
          address, [] { return true; }, state);
    };
  };
  return experiment;
}

template <typename T>
void ExpectExact(NetworkSpec network) {
  testing::ExpectSameDistribution<T>(GibbsExperiment<T>(std::move(network)));
}

// A gradient sampler with fixed settings: adaptation is no part of a kernel that leaves the
// posterior invariant.
template <typename T>
JointExperiment<T> GradientExperiment(NetworkSpec network, GradientSamplerSpec spec) {
  JointExperiment<T> experiment{.generating = std::move(network)};
  spec.metric = MetricKind::kIdentity;
  experiment.make_step = [spec](const Model<T>& model, const TrainingSet<T>& data) {
    const auto kernel = std::make_shared<GradientKernel<T>>(spec, 0, model, data);
    return [kernel](const SweepAddress& address, State<T>& state) {
      // The targets have changed, and the density with them.
      EXPECT_TRUE(kernel->Start(state).ok());
      kernel->Sweep(
          address, [] { return true; }, state);
    };
  };
  return experiment;
}

constexpr GibbsSpec kCollapsed{.collapsed_from_sweep = 1};

// ----- Networks -----

LayerSpec Dense(std::string name, int units, int inputs, bool bias = true) {
  const double fan_in = inputs;
  return {std::move(name), DenseSpec{units, bias, fan_in, fan_in}, 0.3};
}
LayerSpec Relu(std::string name) { return {std::move(name), ActivationSpec{}, 0.3}; }

NetworkSpec OneHiddenLayer(int outputs = 1, bool bias = true) {
  NetworkSpec network;
  network.inputs = 2;
  network.layers = {Dense("dense1", 3, 2, bias), Relu("relu1"), Dense("dense2", outputs, 3, bias)};
  return network;
}

NetworkSpec TwoHiddenLayers() {
  NetworkSpec network;
  network.inputs = 2;
  network.layers = {Dense("dense1", 3, 2), Relu("relu1"), Dense("dense2", 3, 3), Relu("relu2"),
                    Dense("dense3", 1, 3)};
  return network;
}

NetworkSpec WideHiddenLayer() {
  NetworkSpec network;
  network.inputs = 2;
  network.layers = {Dense("dense1", 7, 2), Relu("relu1"), Dense("dense2", 1, 7)};
  return network;
}

NetworkSpec ProbitClassifier() {
  NetworkSpec network = OneHiddenLayer(3);
  network.likelihood = LikelihoodKind::kProbit;
  return network;
}

// Nothing alike: a mixed-up layer, noise or precision shows.
NetworkSpec EveryLayerItsOwn() {
  NetworkSpec network = OneHiddenLayer(2);
  network.layers[0] = {"dense1", DenseSpec{3, true, 1.5, 4}, 0.5};
  network.layers[1].noise_variance = 0.1;
  network.layers[2] = {"dense2", DenseSpec{2, true, 2.5, 0.8}, 0.2};
  return network;
}

// Latents between linear operations, without an activation.
NetworkSpec LinearNetwork() {
  NetworkSpec network;
  network.inputs = 2;
  network.layers = {Dense("dense1", 3, 2), Dense("dense2", 2, 3)};
  return network;
}

// Two images of channels, pooled in front of the activation as the authors' network does.
NetworkSpec ConvolutionalNetwork(LikelihoodKind likelihood) {
  const int outputs = likelihood == LikelihoodKind::kProbit ? 3 : 1;
  NetworkSpec network;
  network.inputs = {1, 5, 4};
  network.likelihood = likelihood;
  network.layers = {{"conv1",
                     Conv2dSpec{.channels = 2,
                                .kernel_height = 2,
                                .kernel_width = 2,
                                .stride = 1,
                                .weight_precision = 4,
                                .bias_precision = 3},
                     0.3},
                    {"pool1", AvgPool2dSpec{2, 2}, 0.2},
                    Relu("relu1"),
                    Dense("dense1", outputs, 4)};
  return network;
}

// A convolution that does not see the data: its input is drawn as well.
NetworkSpec StackedConvolutions() {
  NetworkSpec network;
  network.inputs = {1, 3, 3};
  network.layers = {
      {"conv1", Conv2dSpec{2, 2, 2, 1, true, 2, 2}, 0.3},
      Relu("relu1"),
      {"conv2", Conv2dSpec{2, 2, 1, 1, false, 2, 1}, 0.4},
      Dense("dense1", 1, 4),
  };
  return network;
}

NetworkSpec WithActivation(const ActivationSpec& activation) {
  NetworkSpec network = OneHiddenLayer();
  network.layers[1] = {"activation1", activation, 0.2};
  return network;
}

// All that can be learned is: noise of every layer, and precisions of weights and biases.
NetworkSpec LearnedScales(NetworkSpec network) {
  for (LayerSpec& layer : network.layers) {
    layer.noise_precision_prior = GammaSpec{4, 1.5};
    if (!std::holds_alternative<DenseSpec>(layer.operation)) continue;
    layer.weight_precision_prior = GammaSpec{5, 2};
    layer.bias_precision_prior = GammaSpec{6, 2};
  }
  return network;
}

NetworkSpec Classical(NetworkSpec network) {
  network.posterior = PosteriorKind::kClassical;
  return network;
}

NetworkSpec WithSoftmax(NetworkSpec network) {
  network.likelihood = LikelihoodKind::kSoftmax;
  return network;
}

DenseSpec& DenseOf(NetworkSpec& network, int layer) {
  return std::get<DenseSpec>(network.layers[layer].operation);
}

// ----- The sweep is exact -----

TEST(JointDistributionTest, OneHiddenLayerIsExact) { ExpectExact<double>(OneHiddenLayer()); }

TEST(JointDistributionTest, OneHiddenLayerIsExactInSinglePrecision) {
  ExpectExact<float>(OneHiddenLayer());
}

TEST(JointDistributionTest, TwoHiddenLayersAreExact) { ExpectExact<double>(TwoHiddenLayers()); }

TEST(JointDistributionTest, NetworkWithoutBiasesIsExact) {
  ExpectExact<double>(OneHiddenLayer(1, false));
}

TEST(JointDistributionTest, SeveralOutputsAreExact) { ExpectExact<double>(OneHiddenLayer(3)); }

// So many units to one output that they are drawn as corrected draws from the prior
// (core/layers/linear_input.h).
TEST(JointDistributionTest, WideHiddenLayerIsExact) { ExpectExact<double>(WideHiddenLayer()); }

TEST(JointDistributionTest, ProbitClassifierIsExact) { ExpectExact<double>(ProbitClassifier()); }

TEST(JointDistributionTest, ProbitClassifierIsExactInSinglePrecision) {
  ExpectExact<float>(ProbitClassifier());
}

TEST(JointDistributionTest, EveryLayersOwnNoiseAndPrecisionsAreRespected) {
  ExpectExact<double>(EveryLayerItsOwn());
}

TEST(JointDistributionTest, LinearNetworkIsExact) { ExpectExact<double>(LinearNetwork()); }

TEST(JointDistributionTest, ConvolutionalNetworkIsExact) {
  ExpectExact<double>(ConvolutionalNetwork(LikelihoodKind::kGaussian));
}

TEST(JointDistributionTest, ConvolutionalClassifierIsExactInSinglePrecision) {
  ExpectExact<float>(ConvolutionalNetwork(LikelihoodKind::kProbit));
}

TEST(JointDistributionTest, StackedConvolutionsAreExact) {
  ExpectExact<double>(StackedConvolutions());
}

TEST(JointDistributionTest, LearnedNoiseAndPrecisionsAreExact) {
  ExpectExact<double>(LearnedScales(OneHiddenLayer()));
}

TEST(JointDistributionTest, LearnedNoiseAndPrecisionsOfAClassifierAreExactInSinglePrecision) {
  ExpectExact<float>(LearnedScales(ProbitClassifier()));
}

struct NamedActivation {
  const char* name;
  ActivationSpec activation;
};

class ActivationsTest : public ::testing::TestWithParam<NamedActivation> {};

TEST_P(ActivationsTest, AreExact) { ExpectExact<double>(WithActivation(GetParam().activation)); }

TEST_P(ActivationsTest, AreExactWithCollapsedMoves) {
  testing::ExpectSameDistribution<double>(
      GibbsExperiment<double>(WithActivation(GetParam().activation), kCollapsed));
}

INSTANTIATE_TEST_SUITE_P(JointDistribution, ActivationsTest,
                         ::testing::Values(NamedActivation{"LeakyRelu",
                                                           {ActivationKind::kLeakyRelu, 0.3}},
                                           NamedActivation{"Absolute", {ActivationKind::kAbsolute}},
                                           NamedActivation{"Sign", {ActivationKind::kSign}},
                                           NamedActivation{"HardTanh", {ActivationKind::kHardTanh}},
                                           NamedActivation{"Linear", {ActivationKind::kLinear}},
                                           NamedActivation{"Tanh", {ActivationKind::kTanh}},
                                           NamedActivation{"Erf", {ActivationKind::kErf}},
                                           NamedActivation{"Gelu", {ActivationKind::kGelu}}),
                         [](const auto& test) { return test.param.name; });

// ----- Collapsed moves -----

struct NamedNetwork {
  std::string name;
  NetworkSpec network;

  friend void PrintTo(const NamedNetwork& named, std::ostream* out) { *out << named.name; }
};

class CollapsedMovesTest : public ::testing::TestWithParam<NamedNetwork> {};

TEST_P(CollapsedMovesTest, AreExact) {
  testing::ExpectSameDistribution<double>(GibbsExperiment<double>(GetParam().network, kCollapsed));
}

INSTANTIATE_TEST_SUITE_P(JointDistribution, CollapsedMovesTest,
                         ::testing::Values(NamedNetwork{"OneHiddenLayer", OneHiddenLayer()},
                                           NamedNetwork{"WithoutBiases", OneHiddenLayer(1, false)},
                                           NamedNetwork{"TwoHiddenLayers", TwoHiddenLayers()},
                                           NamedNetwork{"LearnedScales",
                                                        LearnedScales(OneHiddenLayer())}),
                         [](const auto& test) { return test.param.name; });

TEST(JointDistributionTest, CollapsedMovesAreExactInSinglePrecision) {
  testing::ExpectSameDistribution<float>(GibbsExperiment<float>(OneHiddenLayer(), kCollapsed));
}

// ----- Gradient samplers -----

struct NamedSampler {
  const char* name;
  GradientSamplerSpec spec;

  friend void PrintTo(const NamedSampler& named, std::ostream* out) { *out << named.name; }
};

const NamedSampler kSamplers[] = {
    {"Hmc",
     {.kind = GradientSamplerKind::kHmc,
      .step_size = 0.15,
      .step_size_jitter = 0.3,
      .leapfrog_steps = 6}},
    {"Mala", {.kind = GradientSamplerKind::kMala, .step_size = 0.3}},
    {"Nuts", {.kind = GradientSamplerKind::kNuts, .step_size = 0.25, .max_tree_depth = 5}},
};

std::vector<NamedNetwork> GradientNetworks() {
  return {
      {"IntermediateNoise", OneHiddenLayer()},
      {"IntermediateNoiseTwoHiddenLayers", TwoHiddenLayers()},
      {"IntermediateNoiseTanh", WithActivation({ActivationKind::kTanh})},
      {"IntermediateNoiseSoftmax", WithSoftmax(OneHiddenLayer(3))},
      {"IntermediateNoiseImages", ConvolutionalNetwork(LikelihoodKind::kGaussian)},
      {"Classical", Classical(OneHiddenLayer())},
      {"ClassicalTwoHiddenLayers", Classical(TwoHiddenLayers())},
      {"ClassicalSoftmax", Classical(WithSoftmax(OneHiddenLayer(3)))},
      {"ClassicalImages", Classical(ConvolutionalNetwork(LikelihoodKind::kGaussian))},
  };
}

class GradientSamplersTest
    : public ::testing::TestWithParam<std::tuple<NamedSampler, NamedNetwork>> {};

// Fewer steps than above: each takes several gradients.
TEST_P(GradientSamplersTest, AreExact) {
  const auto& [sampler, network] = GetParam();
  JointExperiment<double> experiment = GradientExperiment<double>(network.network, sampler.spec);
  experiment.steps = testing::SampleCount(160);
  experiment.marginal_draws = testing::SampleCount(100'000);
  testing::ExpectSameDistribution<double>(experiment);
}

INSTANTIATE_TEST_SUITE_P(JointDistribution, GradientSamplersTest,
                         ::testing::Combine(::testing::ValuesIn(kSamplers),
                                            ::testing::ValuesIn(GradientNetworks())),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) +
                                  std::get<1>(test.param).name;
                         });

TEST(JointDistributionTest, GradientSamplersAreExactInSinglePrecision) {
  JointExperiment<float> experiment =
      GradientExperiment<float>(OneHiddenLayer(), kSamplers[0].spec);
  experiment.steps = testing::SampleCount(160);
  testing::ExpectSameDistribution<float>(experiment);
}

// ----- Wrong samplers are caught -----

struct Mistake {
  std::string name;
  NetworkSpec network;
  std::function<void(JointExperiment<double>&)> make;

  friend void PrintTo(const Mistake& named, std::ostream* out) { *out << named.name; }
};

// A sanitizer leaves too little time for samples that find these mistakes.
bool HasPower() { return testing::SampleCount(16) >= 16; }

// A scale move as CollapsedMoves has it, but by Metropolis, with the activations held fixed, and
// with a power of c of one's choice for the Jacobian.
void MoveScales(const Model<double>& model, const TrainingSet<double>& data, double power,
                std::mt19937_64& random, State<double>& state) {
  const auto posterior = MakeLogPosterior(model, data);
  const auto log_density = [&] {
    PosteriorTerms<double> terms;
    posterior->Evaluate(
        state, false, [] { return true; }, terms);
    return terms.log_density;
  };
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  for (Eigen::Index unit = 0; unit < model.layer(0).outputs(); ++unit) {
    const double u = 0.4 * normal(random);
    const double c = std::exp(u);
    const State<double> before = state;
    const double density_before = log_density();
    const auto mean = [&] {
      Matrix<double> means(data.inputs.samples(), model.layer(0).outputs());
      model.layer(0).Forward(state.parameters[0], data.inputs.augmented(), means);
      return Eigen::VectorXd(means.col(unit));
    };
    const Eigen::VectorXd noise = state.latents[0].values().col(unit) - mean();
    state.parameters[0].col(unit) *= c;
    state.parameters[2].row(1 + unit) /= c;
    state.latents[0].values().col(unit) = mean() + noise;
    const double log_ratio = log_density() - density_before + power * u;
    if (std::log(uniform(random)) >= log_ratio) state = before;
  }
}

JointComparison WithScaleMoves(double power) {
  JointExperiment<double> experiment = GibbsExperiment<double>(OneHiddenLayer());
  const auto gibbs = experiment.make_step;
  experiment.make_step = [gibbs, power](const Model<double>& model,
                                        const TrainingSet<double>& data) {
    const auto sweep = gibbs(model, data);
    return [&model, &data, sweep, power](const SweepAddress& address, State<double>& state) {
      sweep(address, state);
      std::mt19937_64 random(1'000'000 * address.chain + address.sweep);
      MoveScales(model, data, power, random, state);
    };
  };
  experiment.steps = testing::SampleCount(200);
  experiment.marginal_draws = 100'000;
  return CompareJointly<double>(experiment);
}

// Three inputs, weights and bias, less one output weight.
TEST(JointDistributionTest, ScaleMoveWithItsJacobianIsExact) {
  const JointComparison comparison = WithScaleMoves(3 - 1);
  EXPECT_LT(comparison.largest_z, comparison.bound) << comparison.worst;
}

TEST(JointDistributionTest, ScaleMoveWithoutItsJacobianIsCaught) {
  if (!HasPower()) GTEST_SKIP();
  for (const double power : {0.0, 1.0, 3.0}) {
    const JointComparison comparison = WithScaleMoves(power);
    EXPECT_GT(comparison.largest_z, comparison.bound) << power;
  }
}

// A mistake in what a gradient sampler takes the posterior for.
class GradientMistakeTest : public ::testing::TestWithParam<NamedSampler> {};

TEST_P(GradientMistakeTest, InTheNoiseOfTheClassicalPosteriorIsCaught) {
  if (!HasPower()) GTEST_SKIP();
  const NetworkSpec network = Classical(OneHiddenLayer());
  JointExperiment<double> experiment = GradientExperiment<double>(network, GetParam().spec);
  experiment.sampling = network;
  experiment.sampling->layers[2].noise_variance *= 1.3;
  experiment.marginal_draws = 50'000;
  const JointComparison comparison = CompareJointly<double>(experiment);
  EXPECT_GT(comparison.largest_z, comparison.bound) << comparison.worst;
}

TEST_P(GradientMistakeTest, InTheNoiseOfTheActivationIsCaught) {
  if (!HasPower()) GTEST_SKIP();
  const NetworkSpec network = OneHiddenLayer();
  JointExperiment<double> experiment = GradientExperiment<double>(network, GetParam().spec);
  experiment.sampling = network;
  experiment.sampling->layers[1].noise_variance *= 1.2;
  experiment.marginal_draws = 50'000;
  const JointComparison comparison = CompareJointly<double>(experiment);
  EXPECT_GT(comparison.largest_z, comparison.bound) << comparison.worst;
}

INSTANTIATE_TEST_SUITE_P(JointDistribution, GradientMistakeTest, ::testing::ValuesIn(kSamplers),
                         [](const auto& test) { return test.param.name; });

class MistakeTest : public ::testing::TestWithParam<Mistake> {};

// A quarter of the sweeps of the tests above.
TEST_P(MistakeTest, IsCaught) {
  if (!HasPower()) GTEST_SKIP();
  JointExperiment<double> experiment = GibbsExperiment<double>(GetParam().network);
  experiment.sampling = GetParam().network;
  experiment.chains = 200;
  experiment.steps = testing::SampleCount(200);
  experiment.marginal_draws = testing::SampleCount(50'000);
  GetParam().make(experiment);
  const JointComparison comparison = CompareJointly<double>(experiment);
  EXPECT_GT(comparison.largest_z, comparison.bound) << comparison.worst;
}

Mistake WrongNoise(std::string name, NetworkSpec network, int layer, double factor) {
  return {std::move(name), std::move(network), [=](JointExperiment<double>& experiment) {
            experiment.sampling->layers[layer].noise_variance *= factor;
          }};
}

Mistake WrongWeightPrecision(std::string name, int layer, double factor) {
  return {std::move(name), OneHiddenLayer(), [=](JointExperiment<double>& experiment) {
            DenseOf(*experiment.sampling, layer).weight_precision *= factor;
          }};
}

Mistake WrongBiasPrecision(std::string name, int layer, double factor) {
  return {std::move(name), OneHiddenLayer(), [=](JointExperiment<double>& experiment) {
            DenseOf(*experiment.sampling, layer).bias_precision *= factor;
          }};
}

INSTANTIATE_TEST_SUITE_P(
    JointDistribution, MistakeTest,
    ::testing::Values(WrongNoise("NoiseOfDenseFivePercentHigh", OneHiddenLayer(), 0, 1.05),
                      WrongNoise("NoiseOfReluFivePercentHigh", OneHiddenLayer(), 1, 1.05),
                      WrongNoise("NoiseOfReluFivePercentLow", OneHiddenLayer(), 1, 0.95),
                      WrongNoise("NoiseOfOutputTenPercentHigh", OneHiddenLayer(), 2, 1.1),
                      WrongNoise("NoiseOfSecondReluFivePercentHigh", TwoHiddenLayers(), 3, 1.05),
                      WrongNoise("NoiseOfProbitTenPercentHigh", ProbitClassifier(), 2, 1.1),
                      WrongNoise("NoiseOfConvolutionTenPercentHigh",
                                 ConvolutionalNetwork(LikelihoodKind::kGaussian), 0, 1.1),
                      WrongNoise("NoiseOfPoolingTenPercentLow",
                                 ConvolutionalNetwork(LikelihoodKind::kGaussian), 1, 0.9),
                      WrongWeightPrecision("PrecisionOfWeightsTwentyPercentLow", 0, 0.8),
                      WrongWeightPrecision("PrecisionOfOutputWeightsTwentyPercentHigh", 2, 1.2),
                      WrongBiasPrecision("PrecisionOfBiasesThirtyPercentLow", 0, 0.7),
                      WrongBiasPrecision("PriorOfOutputBiasMissing", 2, 1e-6),
                      Mistake{"SlopeOfActivationBroken", OneHiddenLayer(),
                              [](JointExperiment<double>& experiment) {
                                experiment.generating.layers[1].operation =
                                    ActivationSpec{ActivationKind::kLeakyRelu, 0.05};
                              }}),
    [](const auto& mistake) { return mistake.param.name; });

}  // namespace
}  // namespace posteriord::core
