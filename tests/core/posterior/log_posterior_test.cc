// Values against the definition, written down once more; gradients against central differences.
#include "core/posterior/log_posterior.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "core/random/draws.h"
#include "tests/core/testing/joint_distribution.h"

namespace posteriord::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

constexpr Index kSamples = 5;
const auto kKeepGoing = [] { return true; };

struct Case {
  std::string name;
  NetworkSpec network;
};

LayerSpec Dense(std::string name, int units, bool bias = true) {
  return {std::move(name), DenseSpec{units, bias, 1.7, 0.6}, 0.3};
}

NetworkSpec DenseNetwork(PosteriorKind posterior, LikelihoodKind likelihood,
                         ActivationSpec activation) {
  NetworkSpec network;
  network.inputs = 3;
  network.layers = {Dense("dense1", 4),
                    {"act1", activation, 0.2},
                    Dense("dense2", 3, false),
                    {"act2", activation, 0.25},
                    Dense("dense3", 2)};
  network.posterior = posterior;
  network.likelihood = likelihood;
  network.temperature = 0.7;
  return network;
}

NetworkSpec ImageNetwork(PosteriorKind posterior, LikelihoodKind likelihood) {
  NetworkSpec network;
  network.inputs = {2, 5, 5};
  network.layers = {{"conv1", Conv2dSpec{3, 2, 2, 1, true, 1.5, 0.8}, 0.3},
                    {"pool1", AvgPool2dSpec{2, 2}, 0.2},
                    {"relu1", ActivationSpec{}, 0.2},
                    {"conv2", Conv2dSpec{2, 2, 1, 1, false, 1.5, 0.8}, 0.3},
                    Dense("dense1", 2)};
  network.posterior = posterior;
  network.likelihood = likelihood;
  return network;
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const auto posterior : {PosteriorKind::kIntermediateNoise, PosteriorKind::kClassical}) {
    const std::string name =
        posterior == PosteriorKind::kClassical ? "Classical" : "IntermediateNoise";
    for (const auto& [activation, activation_name] :
         {std::pair{ActivationSpec{}, "Relu"},
          std::pair{ActivationSpec{ActivationKind::kLeakyRelu, 0.2}, "LeakyRelu"},
          std::pair{ActivationSpec{ActivationKind::kAbsolute}, "Absolute"},
          std::pair{ActivationSpec{ActivationKind::kHardTanh}, "HardTanh"},
          std::pair{ActivationSpec{ActivationKind::kLinear}, "Linear"},
          std::pair{ActivationSpec{ActivationKind::kTanh}, "Tanh"},
          std::pair{ActivationSpec{ActivationKind::kErf}, "Erf"},
          std::pair{ActivationSpec{ActivationKind::kGelu}, "Gelu"}}) {
      cases.push_back(
          {name + activation_name, DenseNetwork(posterior, LikelihoodKind::kGaussian, activation)});
    }
    cases.push_back(
        {name + "Softmax", DenseNetwork(posterior, LikelihoodKind::kSoftmax, ActivationSpec{})});
    cases.push_back({name + "Images", ImageNetwork(posterior, LikelihoodKind::kGaussian)});
    cases.push_back({name + "ImageClasses", ImageNetwork(posterior, LikelihoodKind::kSoftmax)});
  }
  return cases;
}

class LogPosteriorTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    data_.inputs = Latent<double>(kSamples, network_.inputs.size());
    MatrixXd normals(kSamples, network_.inputs.size());
    DrawNormals<double>(RandomBlock(1, 2, 3, 4), 0,
                        absl::MakeSpan(normals.data(), static_cast<std::size_t>(normals.size())));
    data_.inputs.values() = normals;
    generator_.DrawAll(data_.inputs, state_);
    data_.targets = generator_.DrawTargets(data_.inputs, state_);
    posterior_ = MakeLogPosterior(model_, data_);
  }

  double LogDensity() {
    PosteriorTerms<double> terms;
    posterior_->Evaluate(state_, false, kKeepGoing, terms);
    return terms.log_density;
  }

  static double LogNormal(double residual, double variance) {
    return -0.5 * residual * residual / variance - 0.5 * std::log(2 * std::numbers::pi * variance);
  }

  double ExpectedLogLikelihood(const MatrixXd& outputs) const {
    double sum = 0;
    for (Index row = 0; row < kSamples; ++row) {
      double total = 0;
      for (const double z : outputs.row(row)) total += std::exp(z);
      sum += (outputs(row, static_cast<Index>(data_.targets(row, 0))) - std::log(total)) /
             network_.temperature;
    }
    return sum;
  }

  const NetworkSpec network_ = GetParam().network;
  const Model<double> model_{network_};
  TrainingSet<double> data_;
  testing::Generator<double> generator_{network_, 1};
  State<double> state_ = model_.ZeroState(kSamples);
  std::unique_ptr<LogPosterior<double>> posterior_;
};

TEST_P(LogPosteriorTest, ValueIsTheLogDensity) {
  double expected = 0;
  for (int i = 0; i < model_.depth(); ++i) {
    const LayerSpec& layer = network_.layers[i];
    const Matrix<double>& parameters = state_.parameters[i];
    const LayerScales scales = ScalesOf(layer);
    const bool bias = testing::Generator<double>::HasBias(layer);
    for (Index unit = 0; unit < parameters.cols(); ++unit) {
      for (Index row = 0; row < parameters.rows(); ++row) {
        expected +=
            LogNormal(parameters(row, unit),
                      1 / (bias && row == 0 ? scales.bias_precision : scales.weight_precision));
      }
    }
    if (!model_.has_latents()) continue;
    const auto input = (i == 0 ? data_.inputs : state_.latents[i - 1]).values();
    for (Index unit = 0; unit < model_.layer(i).outputs(); ++unit) {
      for (Index row = 0; row < kSamples; ++row) {
        expected += LogNormal(state_.latents[i].values()(row, unit) -
                                  generator_.Forward(i, parameters, input.row(row), unit),
                              layer.noise_variance);
      }
    }
  }
  const bool gaussian = network_.likelihood == LikelihoodKind::kGaussian;
  if (!model_.has_latents()) {
    const MatrixXd outputs = generator_.Outputs(data_.inputs, state_);
    if (gaussian) {
      for (const double residual : (data_.targets - outputs).reshaped()) {
        expected += LogNormal(residual, network_.layers.back().noise_variance);
      }
    } else {
      expected += ExpectedLogLikelihood(outputs);
    }
  } else if (!gaussian) {
    expected += ExpectedLogLikelihood(state_.latents.back().values());
  }
  EXPECT_NEAR(LogDensity(), expected, 1e-10 * std::abs(expected));
}

TEST_P(LogPosteriorTest, GradientsAreCentralDifferences) {
  PosteriorTerms<double> terms;
  ASSERT_TRUE(posterior_->Evaluate(state_, true, kKeepGoing, terms));
  int checked = 0;
  const auto expect_derivative = [&](double& value, double derivative, const std::string& what) {
    constexpr double kStep = 1e-5;
    const double at = value;
    value = at + kStep;
    const double above = LogDensity();
    value = at - kStep;
    const double below = LogDensity();
    value = at;
    EXPECT_NEAR(derivative, (above - below) / (2 * kStep), 2e-6 * (1 + std::abs(derivative)))
        << what;
    ++checked;
  };
  for (int i = 0; i < model_.depth(); ++i) {
    ASSERT_EQ(terms.parameter_gradient[i].rows(), state_.parameters[i].rows());
    for (Index k = 0; k < state_.parameters[i].size(); ++k) {
      expect_derivative(state_.parameters[i].data()[k], terms.parameter_gradient[i].data()[k],
                        "parameter " + std::to_string(k) + " of layer " + std::to_string(i));
    }
  }
  if (model_.has_latents()) {
    ASSERT_EQ(terms.latent_gradient.size(),
              static_cast<std::size_t>(FreeLatents(model_.network())));
    for (std::size_t i = 0; i < terms.latent_gradient.size(); ++i) {
      for (Index unit = 0; unit < state_.latents[i].width(); ++unit) {
        for (Index row = 0; row < kSamples; ++row) {
          expect_derivative(state_.latents[i].values()(row, unit),
                            terms.latent_gradient[i](row, unit),
                            "latent " + std::to_string(i) + " of sample " + std::to_string(row));
        }
      }
    }
  }
  EXPECT_GT(checked, 20);
}

TEST_P(LogPosteriorTest, StopsWhenAsked) {
  PosteriorTerms<double> terms;
  EXPECT_FALSE(posterior_->Evaluate(
      state_, true, [] { return false; }, terms));
}

INSTANTIATE_TEST_SUITE_P(EveryPosterior, LogPosteriorTest, ::testing::ValuesIn(Cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace posteriord::core
