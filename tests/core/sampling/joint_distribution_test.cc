// Joint-distribution test of the Gibbs sweep (J. Geweke, "Getting it right", JASA 99, 2004).
//
// Parameters, latents and targets have one joint distribution, which can be simulated in two ways:
//   marginal-conditional    parameters from the prior, then latents and targets forward;
//   successive-conditional  from such a draw, again and again: the targets given the rest, then one
//                           sweep of the sampler given the targets.
// When every conditional of the sweep is exact, both have the same distribution, and so the same
// expectation of every function. The forward simulator below is written from the definition of the
// model and shares no code with core. Many independent chains, each started from an exact draw,
// make the averages of the second way independent between chains, whatever the autocorrelation
// within.
//
// The test is only as good as the mistakes it finds: the second half repeats it with samplers that
// are wrong on purpose and demands that it fails. Its power is measured there.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/sampling/gibbs.h"
#include "tests/core/testing/statistics.h"

namespace posteriord::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using testing::Mean;
using testing::NormalBound;
using testing::SampleCount;

constexpr int kSamples = 6;

// The model that generates, in textbook form. Parameter matrices are those of the dense layer: one
// column per unit, its bias (if any) first.
class Generator {
 public:
  Generator(NetworkSpec network, double negative_slope, std::uint64_t seed)
      : network_(std::move(network)), negative_slope_(negative_slope), random_(seed) {}

  template <typename T>
  void DrawAll(const Latent<T>& inputs, State<T>& state) {
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const auto* dense = std::get_if<DenseSpec>(&network_.layers[i].operation);
      for (Index unit = 0; dense != nullptr && unit < state.parameters[i].cols(); ++unit) {
        for (Index row = 0; row < state.parameters[i].rows(); ++row) {
          const bool is_bias = dense->bias && row == 0;
          state.parameters[i](row, unit) = static_cast<T>(
              Normal() / std::sqrt(is_bias ? dense->bias_precision : dense->weight_precision));
        }
      }
      DrawLatent(static_cast<int>(i), inputs, state);
    }
  }

  // The latent after layer i given the one before it.
  template <typename T>
  void DrawLatent(int i, const Latent<T>& inputs, State<T>& state) {
    auto latent = state.latents[i].values();
    for (Index row = 0; row < latent.rows(); ++row) {
      for (Index unit = 0; unit < latent.cols(); ++unit) {
        latent(row, unit) = static_cast<T>(Forward(i, inputs, state, row, unit) +
                                           std::sqrt(network_.layers[i].noise_variance) * Normal());
      }
    }
  }

  // Mean of an entry of the latent after layer i.
  template <typename T>
  double Forward(int i, const Latent<T>& inputs, const State<T>& state, Index row,
                 Index unit) const {
    const auto input = (i == 0 ? inputs : state.latents[i - 1]).values();
    const auto* dense = std::get_if<DenseSpec>(&network_.layers[i].operation);
    if (dense == nullptr) {
      const auto z = static_cast<double>(input(row, unit));
      return z > 0 ? z : negative_slope_ * z;
    }
    double sum = dense->bias ? static_cast<double>(state.parameters[i](0, unit)) : 0;
    for (Index j = 0; j < input.cols(); ++j) {
      sum += static_cast<double>(input(row, j)) *
             static_cast<double>(state.parameters[i](j + (dense->bias ? 1 : 0), unit));
    }
    return sum;
  }

  const NetworkSpec& network() const { return network_; }

 private:
  double Normal() { return normal_(random_); }

  const NetworkSpec network_;
  const double negative_slope_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
};

// Calls visit(name, index, value) for every function whose expectations are compared: moments up to
// the fourth of parameters, latents, noise and targets, and products between them.
template <typename T, typename Visit>
void VisitFunctions(const Generator& generator, const Latent<T>& inputs, const State<T>& state,
                    Visit&& visit) {
  const NetworkSpec& network = generator.network();
  const auto powers = [&](const char* name, int index, auto&& entries) {
    double sums[4] = {};
    int count = 0;
    entries([&](double value) {
      double power = 1;
      for (double& sum : sums) sum += power *= value;
      ++count;
    });
    for (int p = 0; p < 4; ++p) visit(name, 10 * index + p + 1, sums[p] / count);
  };
  double noise_before = 0;
  for (int i = 0; i < static_cast<int>(network.layers.size()); ++i) {
    const Matrix<T>& parameters = state.parameters[i];
    const auto input = (i == 0 ? inputs : state.latents[i - 1]).values();
    const auto latent = state.latents[i].values();
    const auto* dense = std::get_if<DenseSpec>(&network.layers[i].operation);

    // The latent and its noise.
    powers("latent", i, [&](auto&& add) {
      for (Index j = 0; j < latent.cols(); ++j) {
        for (Index row = 0; row < kSamples; ++row) add(static_cast<double>(latent(row, j)));
      }
    });
    double noise_mean = 0;
    double noise_times_output = 0;
    double noise_times_input = 0;
    powers("noise", i, [&](auto&& add) {
      for (Index j = 0; j < latent.cols(); ++j) {
        for (Index row = 0; row < kSamples; ++row) {
          const auto value = static_cast<double>(latent(row, j));
          const double noise = value - generator.Forward(i, inputs, state, row, j);
          add(noise);
          noise_mean += noise;
          noise_times_output += noise * value;
          noise_times_input += noise * static_cast<double>(input(row, j % input.cols()));
        }
      }
    });
    visit("noise x latent", i, noise_times_output);
    visit("noise x input", i, noise_times_input);
    if (i > 0) visit("noise x noise before", i, noise_mean * noise_before);
    noise_before = noise_mean;
    const auto first = static_cast<double>(latent(0, 0));
    const auto second = static_cast<double>(latent(1, 0));
    visit("two samples", i, first * second);
    visit("two samples, squared", i, first * first * second * second);

    if (dense == nullptr) continue;
    const Index weights_from = dense->bias ? 1 : 0;
    for (Index k = 0; k < parameters.size(); ++k) {
      const auto value = static_cast<double>(parameters.data()[k]);
      visit("parameter", 100 * i + static_cast<int>(k), value);
      visit("parameter squared", 100 * i + static_cast<int>(k), value * value);
      visit("parameter x latent", 100 * i + static_cast<int>(k), value * first);
    }
    powers("weights", i, [&](auto&& add) {
      for (Index unit = 0; unit < parameters.cols(); ++unit) {
        for (Index row = weights_from; row < parameters.rows(); ++row) {
          add(static_cast<double>(parameters(row, unit)));
        }
      }
    });
    double transmitted = 0;
    for (Index unit = 0; unit < parameters.cols(); ++unit) {
      for (Index j = 0; j < input.cols(); ++j) {
        const auto weight = static_cast<double>(parameters(weights_from + j, unit));
        for (Index row = 0; row < kSamples; ++row) {
          transmitted +=
              weight * static_cast<double>(input(row, j)) * static_cast<double>(latent(row, unit));
        }
      }
    }
    visit("weight x input x latent", i, transmitted);

    // What flows into a hidden unit, times what flows out of it.
    int before = i - 1;
    while (before >= 0 && state.parameters[before].size() == 0) --before;
    if (before < 0) continue;
    double squares = 0;
    double products = 0;
    for (Index unit = 0; unit < input.cols(); ++unit) {
      const double in = state.parameters[before].col(unit).template cast<double>().squaredNorm();
      const double out = parameters.row(weights_from + unit).template cast<double>().squaredNorm();
      squares += in * out;
      products += static_cast<double>(state.parameters[before](0, unit)) *
                  static_cast<double>(parameters.row(weights_from + unit).sum());
    }
    visit("squares in x out", i, squares);
    visit("in x out", i, products);
  }
  if (network.likelihood == LikelihoodKind::kProbit) {
    const auto last = state.latents.back().values();
    std::vector<double> counts(last.cols());
    std::vector<Index> classes(kSamples);
    for (Index row = 0; row < kSamples; ++row) {
      last.row(row).maxCoeff(&classes[row]);
      ++counts[classes[row]];
    }
    for (std::size_t c = 0; c < counts.size(); ++c) {
      visit("samples of class", static_cast<int>(c), counts[c]);
    }
    visit("samples of the first one's class", 0, counts[classes[0]]);
  }
}

struct Comparison {
  double largest_z = 0;
  double bound = 0;
  std::string worst;  // the function with the largest |z|
};

struct Experiment {
  NetworkSpec generating;
  std::optional<NetworkSpec> sampling;  // the generating network when absent
  double generating_negative_slope = 0;
  int chains = 400;
  int sweeps = SampleCount(400);
  int marginal_draws = SampleCount(200'000);
};

template <typename T>
Comparison Compare(const Experiment& experiment) {
  const NetworkSpec& sampling = experiment.sampling.value_or(experiment.generating);
  Generator generator(experiment.generating, experiment.generating_negative_slope, 1);
  const Model<T> model(sampling);
  TrainingSet<T> data;
  data.inputs = Latent<T>(kSamples, sampling.inputs);
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  for (Index j = 0; j < sampling.inputs; ++j) {
    for (Index row = 0; row < kSamples; ++row) {
      data.inputs.values()(row, j) = static_cast<T>(normal(random));
    }
  }
  data.input_cache = model.layer(0).CacheInput(data.inputs).value();

  std::vector<Mean> marginal, successive;
  State<T> state = model.ZeroState(kSamples);
  for (int draw = 0; draw < experiment.marginal_draws; ++draw) {
    generator.DrawAll(data.inputs, state);
    std::size_t k = 0;
    VisitFunctions(generator, data.inputs, state, [&](const char*, int, double value) {
      if (k == marginal.size()) marginal.emplace_back();
      marginal[k++].Add(value);
    });
  }
  successive.resize(marginal.size());

  GibbsSampler<T> sampler(model, data);
  std::vector<double> sums;
  for (int chain = 0; chain < experiment.chains; ++chain) {
    generator.DrawAll(data.inputs, state);
    sums.assign(marginal.size(), 0);
    for (int sweep = 1; sweep <= experiment.sweeps; ++sweep) {
      // With a probit likelihood the targets are a function of the last latent, so both are drawn.
      generator.DrawLatent(model.depth() - 1, data.inputs, state);
      data.targets = model.likelihood().MakeTargets(state.latents.back().values());
      const SweepAddress address{3, static_cast<std::uint32_t>(chain),
                                 static_cast<std::uint64_t>(sweep)};
      sampler.Sweep(
          address, [] { return true; }, state);
      std::size_t k = 0;
      VisitFunctions(generator, data.inputs, state,
                     [&](const char*, int, double value) { sums[k++] += value; });
    }
    for (std::size_t k = 0; k < sums.size(); ++k) successive[k].Add(sums[k] / experiment.sweeps);
  }
  Comparison comparison;
  comparison.bound = NormalBound(static_cast<int>(marginal.size()));
  std::size_t k = 0;
  VisitFunctions(generator, data.inputs, state, [&](const char* name, int index, double) {
    const double z = ZScore(successive[k], marginal[k]);
    ++k;
    if (std::abs(z) <= comparison.largest_z) return;
    comparison.largest_z = std::abs(z);
    comparison.worst = std::string(name) + " " + std::to_string(index);
  });
  ::testing::Test::RecordProperty("functions", static_cast<int>(marginal.size()));
  ::testing::Test::RecordProperty("largest_z_x100", static_cast<int>(100 * comparison.largest_z));
  ::testing::Test::RecordProperty("worst_function", comparison.worst);
  return comparison;
}

template <typename T>
void ExpectSameDistribution(const Experiment& experiment) {
  const Comparison comparison = Compare<T>(experiment);
  EXPECT_LT(comparison.largest_z, comparison.bound) << comparison.worst;
}

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

DenseSpec& DenseOf(NetworkSpec& network, int layer) {
  return std::get<DenseSpec>(network.layers[layer].operation);
}

// ----- The sweep is exact -----

TEST(JointDistributionTest, OneHiddenLayerIsExact) {
  ExpectSameDistribution<double>({.generating = OneHiddenLayer()});
}

TEST(JointDistributionTest, OneHiddenLayerIsExactInSinglePrecision) {
  ExpectSameDistribution<float>({.generating = OneHiddenLayer()});
}

TEST(JointDistributionTest, TwoHiddenLayersAreExact) {
  ExpectSameDistribution<double>({.generating = TwoHiddenLayers()});
}

TEST(JointDistributionTest, NetworkWithoutBiasesIsExact) {
  ExpectSameDistribution<double>({.generating = OneHiddenLayer(1, false)});
}

TEST(JointDistributionTest, SeveralOutputsAreExact) {
  ExpectSameDistribution<double>({.generating = OneHiddenLayer(3)});
}

TEST(JointDistributionTest, ProbitClassifierIsExact) {
  ExpectSameDistribution<double>({.generating = ProbitClassifier()});
}

TEST(JointDistributionTest, ProbitClassifierIsExactInSinglePrecision) {
  ExpectSameDistribution<float>({.generating = ProbitClassifier()});
}

TEST(JointDistributionTest, EveryLayersOwnNoiseAndPrecisionsAreRespected) {
  ExpectSameDistribution<double>({.generating = EveryLayerItsOwn()});
}

TEST(JointDistributionTest, LinearNetworkIsExact) {
  ExpectSameDistribution<double>({.generating = LinearNetwork()});
}

// ----- Wrong samplers are caught -----

struct Mistake {
  std::string name;
  NetworkSpec network;
  std::function<void(Experiment&)> make;
};

class MistakeTest : public ::testing::TestWithParam<Mistake> {};

// A quarter of the sweeps of the tests above, under a sanitizer too.
TEST_P(MistakeTest, IsCaught) {
  Experiment experiment{.generating = GetParam().network, .sampling = GetParam().network};
  experiment.chains = 200;
  experiment.sweeps = 200;
  experiment.marginal_draws = 50'000;
  GetParam().make(experiment);
  const Comparison comparison = Compare<double>(experiment);
  EXPECT_GT(comparison.largest_z, comparison.bound) << comparison.worst;
}

Mistake WrongNoise(std::string name, NetworkSpec network, int layer, double factor) {
  return {std::move(name), std::move(network), [=](Experiment& experiment) {
            experiment.sampling->layers[layer].noise_variance *= factor;
          }};
}

Mistake WrongWeightPrecision(std::string name, int layer, double factor) {
  return {std::move(name), OneHiddenLayer(), [=](Experiment& experiment) {
            DenseOf(*experiment.sampling, layer).weight_precision *= factor;
          }};
}

Mistake WrongBiasPrecision(std::string name, int layer, double factor) {
  return {std::move(name), OneHiddenLayer(), [=](Experiment& experiment) {
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
                      WrongWeightPrecision("PrecisionOfWeightsTwentyPercentLow", 0, 0.8),
                      WrongWeightPrecision("PrecisionOfOutputWeightsTwentyPercentHigh", 2, 1.2),
                      WrongBiasPrecision("PrecisionOfBiasesThirtyPercentLow", 0, 0.7),
                      WrongBiasPrecision("PriorOfOutputBiasMissing", 2, 1e-6),
                      Mistake{"SlopeOfActivationBroken", OneHiddenLayer(),
                              [](Experiment& experiment) {
                                experiment.generating_negative_slope = 0.05;
                              }}),
    [](const auto& mistake) { return mistake.param.name; });

}  // namespace
}  // namespace posteriord::core
