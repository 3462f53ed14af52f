// Joint-distribution test of a sampler (J. Geweke, "Getting it right", JASA 99, 2004).
//
// Parameters, latents and targets have one joint distribution, which can be simulated in two ways:
//   marginal-conditional    parameters from the prior, then latents and targets forward;
//   successive-conditional  from such a draw, again and again: the targets given the rest, then one
//                           step of the sampler given the targets.
// When the step leaves the posterior invariant, both have the same distribution, and so the same
// expectation of every function. The forward simulator is written from the definition of the model
// and shares no code with core. Many independent chains, each started from an exact draw, make the
// averages of the second way independent between chains, whatever the autocorrelation within.
#ifndef POSTERIORD_TESTS_CORE_TESTING_JOINT_DISTRIBUTION_H_
#define POSTERIORD_TESTS_CORE_TESTING_JOINT_DISTRIBUTION_H_

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model.h"
#include "core/random/sweep_address.h"
#include "core/sampling/training_set.h"
#include "tests/core/testing/statistics.h"

namespace posteriord::testing {

inline constexpr int kJointSamples = 6;

inline double Activate(const core::ActivationSpec& activation, double z) {
  switch (activation.kind) {
    case core::ActivationKind::kRelu:
      return z > 0 ? z : 0;
    case core::ActivationKind::kLeakyRelu:
      return z > 0 ? z : activation.negative_slope * z;
    case core::ActivationKind::kAbsolute:
      return std::abs(z);
    case core::ActivationKind::kSign:
      return z > 0 ? 1 : -1;
    case core::ActivationKind::kHardTanh:
      return z < -1 ? -1 : z > 1 ? 1 : z;
    case core::ActivationKind::kLinear:
      return z;
    case core::ActivationKind::kTanh:
      return std::tanh(z);
    case core::ActivationKind::kErf:
      return std::erf(z);
    case core::ActivationKind::kGelu:
      return z * 0.5 * std::erfc(-z / std::sqrt(2.0));
  }
  return 0;
}

// The model that generates, in textbook form. Parameter matrices have one column per unit, its bias
// (if any) first.
template <typename T>
class Generator {
 public:
  Generator(core::NetworkSpec network, std::uint64_t seed)
      : network_(std::move(network)),
        shapes_(core::LayerShapes(network_)),
        has_latents_(network_.posterior == core::PosteriorKind::kIntermediateNoise),
        random_(seed) {}

  const core::NetworkSpec& network() const { return network_; }
  bool has_latents() const { return has_latents_; }
  int depth() const { return static_cast<int>(network_.layers.size()); }

  // Parameters and learned scales from the prior, then latents forward.
  void DrawAll(const core::Latent<T>& inputs, core::State<T>& state) {
    for (int i = 0; i < depth(); ++i) {
      const core::LayerSpec& layer = network_.layers[i];
      core::LayerScales& scales = state.scales[i];
      scales = core::ScalesOf(layer);
      if (layer.noise_precision_prior)
        scales.noise_variance = 1 / Gamma(*layer.noise_precision_prior);
      if (layer.weight_precision_prior) {
        scales.weight_precision = Gamma(*layer.weight_precision_prior);
      }
      if (layer.bias_precision_prior) scales.bias_precision = Gamma(*layer.bias_precision_prior);
      const bool bias = HasBias(layer);
      core::Matrix<T>& parameters = state.parameters[i];
      for (Eigen::Index unit = 0; unit < parameters.cols(); ++unit) {
        for (Eigen::Index row = 0; row < parameters.rows(); ++row) {
          const double precision =
              bias && row == 0 ? scales.bias_precision : scales.weight_precision;
          parameters(row, unit) = static_cast<T>(Normal() / std::sqrt(precision));
        }
      }
      if (has_latents_) DrawLatent(i, inputs, state);
    }
  }

  // The latent after layer i given the one before it.
  void DrawLatent(int i, const core::Latent<T>& inputs, core::State<T>& state) {
    auto latent = state.latents[i].values();
    const auto input = (i == 0 ? inputs : state.latents[i - 1]).values();
    for (Eigen::Index row = 0; row < latent.rows(); ++row) {
      for (Eigen::Index unit = 0; unit < latent.cols(); ++unit) {
        latent(row, unit) = static_cast<T>(Forward(i, state.parameters[i], input.row(row), unit) +
                                           std::sqrt(state.scales[i].noise_variance) * Normal());
      }
    }
  }

  // Targets given the rest. With intermediate noise the last latent, which the targets are a
  // function of, is drawn with them.
  Eigen::MatrixXd DrawTargets(const core::Latent<T>& inputs, core::State<T>& state) {
    Eigen::MatrixXd outputs;
    if (has_latents_) {
      DrawLatent(depth() - 1, inputs, state);
      outputs = state.latents.back().values().template cast<double>();
    } else {
      outputs = Outputs(inputs, state);
    }
    if (network_.likelihood == core::LikelihoodKind::kGaussian) {
      if (has_latents_) return outputs;
      for (double& value : outputs.reshaped()) {
        value += std::sqrt(state.scales.back().noise_variance) * Normal();
      }
      return outputs;
    }
    Eigen::MatrixXd targets(outputs.rows(), 1);
    for (Eigen::Index row = 0; row < outputs.rows(); ++row) {
      Eigen::Index target = 0;
      if (network_.likelihood == core::LikelihoodKind::kProbit) {
        outputs.row(row).maxCoeff(&target);
      } else {
        std::vector<double> weights;
        for (const double output : outputs.row(row)) weights.push_back(std::exp(output));
        target = std::discrete_distribution<Eigen::Index>(weights.begin(), weights.end())(random_);
      }
      targets(row, 0) = static_cast<double>(target);
    }
    return targets;
  }

  // The noise-free network.
  Eigen::MatrixXd Outputs(const core::Latent<T>& inputs, const core::State<T>& state) const {
    Eigen::MatrixXd values = inputs.values().template cast<double>();
    for (int i = 0; i < depth(); ++i) {
      Eigen::MatrixXd next(values.rows(), shapes_[i + 1].size());
      for (Eigen::Index row = 0; row < next.rows(); ++row) {
        for (Eigen::Index unit = 0; unit < next.cols(); ++unit) {
          next(row, unit) = Forward(i, state.parameters[i], values.row(row), unit);
        }
      }
      values = next;
    }
    return values;
  }

  // Entry `unit` of what layer i makes of a sample.
  template <typename Row>
  double Forward(int i, const core::Matrix<T>& parameters, const Row& input,
                 Eigen::Index unit) const {
    const core::LayerSpec& layer = network_.layers[i];
    const auto at = [&input](Eigen::Index j) { return static_cast<double>(input(j)); };
    if (const auto* activation = std::get_if<core::ActivationSpec>(&layer.operation)) {
      return Activate(*activation, at(unit));
    }
    if (std::holds_alternative<core::DenseSpec>(layer.operation)) {
      const Eigen::Index bias = HasBias(layer) ? 1 : 0;
      double sum = bias == 1 ? static_cast<double>(parameters(0, unit)) : 0;
      for (Eigen::Index j = 0; j < input.size(); ++j) {
        sum += at(j) * static_cast<double>(parameters(j + bias, unit));
      }
      return sum;
    }
    const core::Shape& from = shapes_[i];
    const core::Shape& to = shapes_[i + 1];
    const Eigen::Index channel = unit / (to.height * to.width);
    const Eigen::Index top = unit / to.width % to.height;
    const Eigen::Index left = unit % to.width;
    if (const auto* pool = std::get_if<core::AvgPool2dSpec>(&layer.operation)) {
      double sum = 0;
      for (int k = 0; k < pool->height; ++k) {
        for (int l = 0; l < pool->width; ++l) {
          sum += at((channel * from.height + top * pool->height + k) * from.width +
                    left * pool->width + l);
        }
      }
      return sum / (pool->height * pool->width);
    }
    const auto& conv = std::get<core::Conv2dSpec>(layer.operation);
    Eigen::Index parameter = 0;
    double sum = conv.bias ? static_cast<double>(parameters(parameter++, channel)) : 0;
    for (int b = 0; b < from.channels; ++b) {
      for (int k = 0; k < conv.kernel_height; ++k) {
        for (int l = 0; l < conv.kernel_width; ++l) {
          sum +=
              static_cast<double>(parameters(parameter++, channel)) *
              at((b * from.height + top * conv.stride + k) * from.width + left * conv.stride + l);
        }
      }
    }
    return sum;
  }

  static bool HasBias(const core::LayerSpec& layer) {
    if (const auto* dense = std::get_if<core::DenseSpec>(&layer.operation)) return dense->bias;
    if (const auto* conv = std::get_if<core::Conv2dSpec>(&layer.operation)) return conv->bias;
    return false;
  }

 private:
  double Normal() { return normal_(random_); }
  double Gamma(const core::GammaSpec& gamma) {
    return std::gamma_distribution<double>(gamma.shape, 1 / gamma.rate)(random_);
  }

  const core::NetworkSpec network_;
  const std::vector<core::Shape> shapes_;
  const bool has_latents_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
};

// Calls visit(name, index, value) for every function whose expectations are compared: moments up to
// the fourth of parameters, latents, noise and targets, and products between them.
template <typename T, typename Visit>
void VisitFunctions(const Generator<T>& generator, const core::Latent<T>& inputs,
                    const Eigen::MatrixXd& targets, const core::State<T>& state, Visit&& visit) {
  using Eigen::Index;
  const core::NetworkSpec& network = generator.network();
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
  for (int i = 0; i < generator.depth(); ++i) {
    const core::LayerSpec& layer = network.layers[i];
    const core::Matrix<T>& parameters = state.parameters[i];
    double first = targets(0, 0);
    if (generator.has_latents()) {
      const auto input = (i == 0 ? inputs : state.latents[i - 1]).values();
      const auto latent = state.latents[i].values();
      powers("latent", i, [&](auto&& add) {
        for (Index j = 0; j < latent.cols(); ++j) {
          for (Index row = 0; row < latent.rows(); ++row) {
            add(static_cast<double>(latent(row, j)));
          }
        }
      });
      double noise_mean = 0;
      double noise_times_output = 0;
      double noise_times_input = 0;
      powers("noise", i, [&](auto&& add) {
        for (Index j = 0; j < latent.cols(); ++j) {
          for (Index row = 0; row < latent.rows(); ++row) {
            const auto value = static_cast<double>(latent(row, j));
            const double noise = value - generator.Forward(i, parameters, input.row(row), j);
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
      first = static_cast<double>(latent(0, 0));
      const auto second = static_cast<double>(latent(1, 0));
      visit("two samples", i, first * second);
      visit("two samples, squared", i, first * first * second * second);
    }
    if (layer.noise_precision_prior) {
      const double log_noise = std::log(state.scales[i].noise_variance);
      visit("log noise", i, log_noise);
      visit("log noise squared", i, log_noise * log_noise);
      visit("log noise x latent squared", i, log_noise * first * first);
    }
    if (parameters.size() == 0) continue;
    const Index weights_from = Generator<T>::HasBias(layer) ? 1 : 0;
    double squares_of_weights = 0;
    for (Index k = 0; k < parameters.size(); ++k) {
      const auto value = static_cast<double>(parameters.data()[k]);
      visit("parameter", 100 * i + static_cast<int>(k), value);
      visit("parameter squared", 100 * i + static_cast<int>(k), value * value);
      visit("parameter x latent", 100 * i + static_cast<int>(k), value * first);
      squares_of_weights += value * value;
    }
    if (layer.weight_precision_prior) {
      const double log_precision = std::log(state.scales[i].weight_precision);
      visit("log weight precision", i, log_precision);
      visit("log weight precision squared", i, log_precision * log_precision);
      visit("log weight precision x squares", i, log_precision * std::log(squares_of_weights));
    }
    if (layer.bias_precision_prior) {
      const double log_precision = std::log(state.scales[i].bias_precision);
      visit("log bias precision", i, log_precision);
      visit("log bias precision squared", i, log_precision * log_precision);
    }
    powers("weights", i, [&](auto&& add) {
      for (Index unit = 0; unit < parameters.cols(); ++unit) {
        for (Index row = weights_from; row < parameters.rows(); ++row) {
          add(static_cast<double>(parameters(row, unit)));
        }
      }
    });
    if (!std::holds_alternative<core::DenseSpec>(layer.operation)) continue;
    if (generator.has_latents()) {
      const auto input = (i == 0 ? inputs : state.latents[i - 1]).values();
      const auto latent = state.latents[i].values();
      double transmitted = 0;
      for (Index unit = 0; unit < parameters.cols(); ++unit) {
        for (Index j = 0; j < input.cols(); ++j) {
          const auto weight = static_cast<double>(parameters(weights_from + j, unit));
          for (Index row = 0; row < input.rows(); ++row) {
            transmitted += weight * static_cast<double>(input(row, j)) *
                           static_cast<double>(latent(row, unit));
          }
        }
      }
      visit("weight x input x latent", i, transmitted);
    }

    // What flows into a hidden unit, times what flows out of it.
    int before = i - 1;
    while (before >= 0 && state.parameters[before].size() == 0) --before;
    if (before < 0 || state.parameters[before].cols() != parameters.rows() - weights_from) continue;
    double squares = 0;
    double products = 0;
    for (Index unit = 0; unit < parameters.rows() - weights_from; ++unit) {
      const double in = state.parameters[before].col(unit).template cast<double>().squaredNorm();
      const double out = parameters.row(weights_from + unit).template cast<double>().squaredNorm();
      squares += in * out;
      products += static_cast<double>(state.parameters[before](0, unit)) *
                  static_cast<double>(parameters.row(weights_from + unit).sum());
    }
    visit("squares in x out", i, squares);
    visit("in x out", i, products);
  }
  if (network.likelihood == core::LikelihoodKind::kGaussian) {
    if (generator.has_latents()) return;
    const Eigen::MatrixXd outputs = generator.Outputs(inputs, state);
    powers("target", 0, [&](auto&& add) {
      for (const double target : targets.reshaped()) add(target);
    });
    powers("output noise", 0, [&](auto&& add) {
      for (const double noise : (targets - outputs).reshaped()) add(noise);
    });
    visit("output x target", 0, outputs.cwiseProduct(targets).sum());
    return;
  }
  const int classes = core::LayerShapes(network).back().size();
  std::vector<double> counts(static_cast<std::size_t>(classes));
  for (const double target : targets.col(0)) ++counts[static_cast<std::size_t>(target)];
  for (int c = 0; c < classes; ++c)
    visit("samples of class", c, counts[static_cast<std::size_t>(c)]);
  visit("samples of the first one's class", 0, counts[static_cast<std::size_t>(targets(0, 0))]);
  if (generator.has_latents()) return;
  const Eigen::MatrixXd outputs = generator.Outputs(inputs, state);
  double chosen = 0;
  for (Index row = 0; row < outputs.rows(); ++row) {
    chosen += outputs(row, static_cast<Index>(targets(row, 0)));
  }
  visit("output of the target", 0, chosen);
}

// Sets the scales that are not learned to those of a network: generator and sampler may differ in
// theirs.
template <typename T>
void SetFixedScales(const core::NetworkSpec& network, core::State<T>& state) {
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const core::LayerSpec& layer = network.layers[i];
    const core::LayerScales scales = core::ScalesOf(layer);
    core::LayerScales& set = state.scales[i];
    if (!layer.noise_precision_prior) set.noise_variance = scales.noise_variance;
    if (!layer.weight_precision_prior) set.weight_precision = scales.weight_precision;
    if (!layer.bias_precision_prior) set.bias_precision = scales.bias_precision;
  }
}

struct JointComparison {
  double largest_z = 0;
  double bound = 0;
  std::string worst;  // the function with the largest |z|
};

// One step of a sampler on its own state.
template <typename T>
using Step = std::function<void(const core::SweepAddress&, core::State<T>&)>;

template <typename T>
struct JointExperiment {
  core::NetworkSpec generating;
  std::optional<core::NetworkSpec> sampling = {};  // the generating network when absent
  // Makes the sampler. Its data are those of the experiment, whose targets change between steps.
  // Called once per chain.
  std::function<Step<T>(const core::Model<T>&, const core::TrainingSet<T>&)> make_step;
  int chains = 400;
  int steps = SampleCount(400);
  int marginal_draws = SampleCount(200'000);
};

template <typename T>
JointComparison CompareJointly(const JointExperiment<T>& experiment) {
  using Eigen::Index;
  const core::NetworkSpec& sampling = experiment.sampling.value_or(experiment.generating);
  Generator<T> generator(experiment.generating, 1);
  const core::Model<T> model(sampling);
  core::TrainingSet<T> data;
  data.inputs = core::Latent<T>(kJointSamples, sampling.inputs.size());
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  for (Index j = 0; j < data.inputs.width(); ++j) {
    for (Index row = 0; row < kJointSamples; ++row) {
      data.inputs.values()(row, j) = static_cast<T>(normal(random));
    }
  }
  data.input_cache = model.layer(0).CacheInput(data.inputs).value();

  std::vector<Mean> marginal, successive;
  core::State<T> state = model.ZeroState(kJointSamples);
  for (int draw = 0; draw < experiment.marginal_draws; ++draw) {
    generator.DrawAll(data.inputs, state);
    data.targets = generator.DrawTargets(data.inputs, state);
    std::size_t k = 0;
    VisitFunctions(generator, data.inputs, data.targets, state,
                   [&](const char*, int, double value) {
                     if (k == marginal.size()) marginal.emplace_back();
                     marginal[k++].Add(value);
                   });
  }
  successive.resize(marginal.size());

  std::vector<double> sums;
  for (int chain = 0; chain < experiment.chains; ++chain) {
    const Step<T> step = experiment.make_step(model, data);
    generator.DrawAll(data.inputs, state);
    sums.assign(marginal.size(), 0);
    for (int i = 1; i <= experiment.steps; ++i) {
      data.targets = generator.DrawTargets(data.inputs, state);
      SetFixedScales(sampling, state);
      step({3, static_cast<std::uint32_t>(chain), static_cast<std::uint64_t>(i)}, state);
      SetFixedScales(generator.network(), state);
      std::size_t k = 0;
      VisitFunctions(generator, data.inputs, data.targets, state,
                     [&](const char*, int, double value) { sums[k++] += value; });
    }
    for (std::size_t k = 0; k < sums.size(); ++k) successive[k].Add(sums[k] / experiment.steps);
  }
  JointComparison comparison;
  comparison.bound = NormalBound(static_cast<int>(marginal.size()));
  std::size_t k = 0;
  VisitFunctions(generator, data.inputs, data.targets, state,
                 [&](const char* name, int index, double) {
                   const double z = ZScore(successive[k], marginal[k]);
                   ++k;
                   if (std::abs(z) <= comparison.largest_z) return;
                   comparison.largest_z = std::abs(z);
                   comparison.worst = std::string(name) + " " + std::to_string(index);
                 });
  ::testing::Test::RecordProperty("functions", static_cast<int>(marginal.size()));
  ::testing::Test::RecordProperty("largest_z", std::to_string(comparison.largest_z));
  ::testing::Test::RecordProperty("bound", std::to_string(comparison.bound));
  ::testing::Test::RecordProperty("worst_function", comparison.worst);
  return comparison;
}

template <typename T>
void ExpectSameDistribution(const JointExperiment<T>& experiment) {
  const JointComparison comparison = CompareJointly<T>(experiment);
  EXPECT_LT(comparison.largest_z, comparison.bound) << comparison.worst;
}

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_TESTING_JOINT_DISTRIBUTION_H_
