// Observables against a second computation: plain loops over samples and units, in double.
#include "core/sampling/observables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <numbers>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/sampling/gibbs.h"
#include "core/sampling/typed_problem.h"
#include "tests/core/testing/networks.h"
#include "tests/core/testing/precisions.h"

namespace posteriord::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

// Unequal everywhere, with and without bias.
NetworkSpec Network(LikelihoodKind likelihood) {
  NetworkSpec network;
  network.inputs = 3;
  network.likelihood = likelihood;
  network.layers = {{"first", DenseSpec{4, true, 1.5, 4}, 0.5},
                    {"bend", ActivationSpec{}, 0.1},
                    {"second", DenseSpec{3, false, 2.5, 0}, 0.2},
                    {"knee", ActivationSpec{}, 0.3},
                    {"third", DenseSpec{2, true, 0.7, 0.3}, 0.4}};
  return network;
}

template <typename T>
class ObservablesTest : public ::testing::Test {
 protected:
  static constexpr Index kSamples = kChunkRows + 80;
  static constexpr Index kTestSamples = 9;

  void Prepare(LikelihoodKind likelihood) {
    Spec spec;
    spec.network = Network(likelihood);
    spec.precision = sizeof(T) == 4 ? Precision::kFloat32 : Precision::kFloat64;
    spec.groups = {{StartKind::kPrior, {}, 1}};
    spec.schedule.draws = 1;
    spec.observation.probes = 3;
    problem_ = std::static_pointer_cast<const TypedProblem<T>>(
        Problem::Create(spec, testing::TeacherData(3, kSamples, kTestSamples, 2)).value());
    state_ = problem_->StartState(0);
    GibbsSampler<T> sampler(problem_->model(), problem_->training());
    for (std::uint64_t sweep = 1; sweep <= 3; ++sweep) {
      sampler.Sweep(
          {1, 0, sweep}, [] { return true; }, state_);
    }
    tally_.sum = MatrixXd::Random(kTestSamples, 2);
    tally_.draws = 4;
  }

  std::map<std::string, double> Measure() const {
    const auto posterior = MakeLogPosterior(problem_->model(), problem_->training());
    const std::vector<double> values = MeasureObservables(
        problem_->model(), problem_->training(), problem_->test(), tally_, state_, *posterior);
    EXPECT_EQ(values.size(), problem_->observables().size());
    std::map<std::string, double> named;
    for (std::size_t i = 0; i < values.size(); ++i) {
      named[problem_->observables()[i].name] = values[i];
    }
    return named;
  }

  const NetworkSpec& network() const { return problem_->spec().network; }

  // One layer's mean for one sample.
  std::vector<double> Apply(std::size_t layer, const std::vector<double>& in) const {
    const auto* dense = std::get_if<DenseSpec>(&network().layers[layer].operation);
    if (dense == nullptr) {
      std::vector<double> out = in;
      for (double& value : out) value = value > 0 ? value : 0;
      return out;
    }
    const Matrix<T>& parameters = state_.parameters[layer];
    std::vector<double> out;
    for (Index unit = 0; unit < dense->units; ++unit) {
      double sum = dense->bias ? static_cast<double>(parameters(0, unit)) : 0;
      for (std::size_t j = 0; j < in.size(); ++j) {
        const auto row = static_cast<Index>(j) + (dense->bias ? 1 : 0);
        sum += in[j] * static_cast<double>(parameters(row, unit));
      }
      out.push_back(sum);
    }
    return out;
  }

  static std::vector<double> RowOf(const Latent<T>& latent, Index row) {
    std::vector<double> values;
    for (Index j = 0; j < latent.width(); ++j) {
      values.push_back(static_cast<double>(latent.values()(row, j)));
    }
    return values;
  }

  std::vector<double> Predict(const Latent<T>& inputs, Index row) const {
    std::vector<double> values = RowOf(inputs, row);
    for (std::size_t i = 0; i < network().layers.size(); ++i) values = Apply(i, values);
    return values;
  }

  double ErrorOn(const Latent<T>& inputs, const MatrixXd& targets) const {
    double sum = 0;
    for (Index row = 0; row < inputs.samples(); ++row) {
      const std::vector<double> outputs = Predict(inputs, row);
      if (network().likelihood == LikelihoodKind::kProbit) {
        sum += (outputs[1] > outputs[0] ? 1 : 0) != targets(row, 0) ? 1 : 0;
        continue;
      }
      for (std::size_t j = 0; j < outputs.size(); ++j) {
        const double d = outputs[j] - targets(row, static_cast<Index>(j));
        sum += d * d / static_cast<double>(outputs.size());
      }
    }
    return sum / static_cast<double>(inputs.samples());
  }

  const Latent<T>& InputOf(std::size_t layer) const {
    return layer == 0 ? problem_->training().inputs : state_.latents[layer - 1];
  }

  double SquaredResidual(std::size_t layer) const {
    double sum = 0;
    for (Index row = 0; row < kSamples; ++row) {
      const std::vector<double> mean = Apply(layer, RowOf(InputOf(layer), row));
      const std::vector<double> value = RowOf(state_.latents[layer], row);
      for (std::size_t j = 0; j < mean.size(); ++j) {
        sum += (value[j] - mean[j]) * (value[j] - mean[j]);
      }
    }
    return sum;
  }

  double LogPosterior() const {
    const auto log_normal = [](double squared, double variance) {
      return -0.5 * squared / variance - 0.5 * std::log(2 * std::numbers::pi * variance);
    };
    double sum = 0;
    for (std::size_t i = 0; i < network().layers.size(); ++i) {
      const double variance = network().layers[i].noise_variance;
      const auto count = static_cast<double>(kSamples * state_.latents[i].width());
      sum += log_normal(0, variance) * count - 0.5 * SquaredResidual(i) / variance;
      const auto* dense = std::get_if<DenseSpec>(&network().layers[i].operation);
      if (dense == nullptr) continue;
      for (Index unit = 0; unit < dense->units; ++unit) {
        for (Index row = 0; row < state_.parameters[i].rows(); ++row) {
          const auto value = static_cast<double>(state_.parameters[i](row, unit));
          const bool is_bias = dense->bias && row == 0;
          sum += log_normal(value * value,
                            1 / (is_bias ? dense->bias_precision : dense->weight_precision));
        }
      }
    }
    return sum;
  }

  // Single precision sums of a thousand products are good to about 1e-4.
  static constexpr double kRelative = sizeof(T) == 4 ? 2e-4 : 1e-10;
  void ExpectClose(double actual, double expected, const std::string& what) const {
    EXPECT_NEAR(actual, expected, kRelative * (1 + std::abs(expected))) << what;
  }

  std::shared_ptr<const TypedProblem<T>> problem_;
  State<T> state_;
  PredictiveTally tally_;
};
TYPED_TEST_SUITE(ObservablesTest, testing::Precisions, testing::PrecisionNames);

TYPED_TEST(ObservablesTest, EqualThoseOfPlainLoops) {
  for (const LikelihoodKind likelihood : {LikelihoodKind::kGaussian, LikelihoodKind::kProbit}) {
    this->Prepare(likelihood);
    std::map<std::string, double> values = this->Measure();
    const auto& problem = *this->problem_;
    this->ExpectClose(values.at("train_error"),
                      this->ErrorOn(problem.training().inputs, problem.training().targets),
                      "train_error");
    this->ExpectClose(values.at("test_error"),
                      this->ErrorOn(problem.test().inputs, problem.test().targets), "test_error");
    this->ExpectClose(values.at("log_posterior"), this->LogPosterior(), "log_posterior");
    for (std::size_t i = 0; i < this->network().layers.size(); ++i) {
      const LayerSpec& layer = this->network().layers[i];
      const auto count = static_cast<double>(this->kSamples * this->state_.latents[i].width());
      this->ExpectClose(values.at(layer.name + ".residual"),
                        this->SquaredResidual(i) / (layer.noise_variance * count), layer.name);
      const auto* dense = std::get_if<DenseSpec>(&layer.operation);
      if (dense == nullptr) continue;
      double squares = 0;
      std::multiset<double> unit_norms;
      for (Index unit = 0; unit < dense->units; ++unit) {
        double into_unit = 0;
        for (Index row = dense->bias ? 1 : 0; row < this->state_.parameters[i].rows(); ++row) {
          into_unit += std::pow(static_cast<double>(this->state_.parameters[i](row, unit)), 2);
        }
        squares += into_unit;
        unit_norms.insert(std::sqrt(into_unit));
      }
      this->ExpectClose(values.at(layer.name + ".weight_norm"), std::sqrt(squares), layer.name);
      EXPECT_EQ(values.contains(layer.name + ".unit_norm_min"), layer.name != "third");
      if (layer.name == "third") continue;
      this->ExpectClose(values.at(layer.name + ".unit_norm_min"), *unit_norms.begin(), layer.name);
      this->ExpectClose(values.at(layer.name + ".unit_norm_max"), *unit_norms.rbegin(), layer.name);
      auto middle = std::next(unit_norms.begin(), (dense->units - 1) / 2);
      double median = *middle;
      if (dense->units % 2 == 0) median = (median + *++middle) / 2;
      this->ExpectClose(values.at(layer.name + ".unit_norm_median"), median, layer.name);
    }
    for (Index probe = 0; probe < 3; ++probe) {
      const std::vector<double> outputs = this->Predict(problem.test().inputs, probe);
      for (std::size_t output = 0; output < 2; ++output) {
        const std::string name =
            "probe" + std::to_string(probe) + ".output" + std::to_string(output);
        this->ExpectClose(values.at(name), outputs[output], name);
      }
    }
    EXPECT_FALSE(values.contains("probe3.output0"));
  }
}

TYPED_TEST(ObservablesTest, PredictiveErrorIsThatOfTheAveragedPredictions) {
  this->Prepare(LikelihoodKind::kGaussian);
  const MatrixXd mean = this->tally_.sum / 4;
  EXPECT_NEAR(this->Measure().at("predictive_test_error"),
              (mean - this->problem_->test().targets).squaredNorm() / mean.size(), 1e-12);
  this->tally_.draws = 0;
  EXPECT_TRUE(std::isnan(this->Measure().at("predictive_test_error")));
}

// noise variance * d log_posterior / d weight, averaged over the weights, by central differences.
using ScoreTest = ObservablesTest<double>;
TEST_F(ScoreTest, IsTheMeanDerivativeOfTheLogPosteriorTimesTheNoise) {
  for (const LikelihoodKind likelihood : {LikelihoodKind::kGaussian, LikelihoodKind::kProbit}) {
    Prepare(likelihood);
    const std::map<std::string, double> values = Measure();
    for (std::size_t i = 0; i < network().layers.size(); ++i) {
      const LayerSpec& layer = network().layers[i];
      const auto* dense = std::get_if<DenseSpec>(&layer.operation);
      if (dense == nullptr) continue;
      auto weights = state_.parameters[i].bottomRows(LayerShapes(network())[i].size()).reshaped();
      double sum = 0;
      for (double& weight : weights) {
        constexpr double kStep = 1e-4;
        const double at = weight;
        weight = at + kStep;
        const double above = LogPosterior();
        weight = at - kStep;
        const double below = LogPosterior();
        weight = at;
        sum += (above - below) / (2 * kStep);
      }
      const double mean = sum / static_cast<double>(weights.size());
      EXPECT_NEAR(values.at(layer.name + ".score"), layer.noise_variance * mean, 1e-5)
          << layer.name;
    }
  }
}

TEST(ListObservablesTest, NamesWhatTheDataAllow) {
  Spec spec;
  spec.network = testing::ReluNetwork({2, 3, 1}, 0.1);
  spec.observation.probes = 5;
  const auto names = [&](const DataShape& shape) {
    std::vector<std::string> list;
    for (const ObservableInfo& info : ListObservables(spec, shape)) list.push_back(info.name);
    return list;
  };
  const std::vector<std::string> layers = {
      "log_posterior",        "dense1.residual",         "dense1.weight_norm",   "dense1.score",
      "dense1.unit_norm_min", "dense1.unit_norm_median", "dense1.unit_norm_max", "relu1.residual",
      "dense2.residual",      "dense2.weight_norm",      "dense2.score"};
  std::vector<std::string> with_test = {"train_error", "test_error", "predictive_test_error"};
  with_test.insert(with_test.end(), layers.begin(), layers.end());
  with_test.insert(with_test.end(), {"probe0.output0", "probe1.output0"});
  EXPECT_EQ(names({.train_samples = 10, .test_samples = 2}), with_test);
  std::vector<std::string> without_test = {"train_error"};
  without_test.insert(without_test.end(), layers.begin(), layers.end());
  without_test.insert(without_test.end(), {"probe0.output0", "probe1.output0", "probe2.output0"});
  EXPECT_EQ(names({.train_samples = 3, .test_samples = 0}), without_test);
}

TEST(ListObservablesTest, MonitorsTheChosenOnesOnly) {
  Spec spec;
  spec.network = testing::ReluNetwork({2, 3, 1}, 0.1);
  spec.thermalization.observables = {"test_error", "dense1.score"};
  for (const ObservableInfo& info :
       ListObservables(spec, {.train_samples = 5, .test_samples = 5})) {
    EXPECT_EQ(info.monitored, info.name == "test_error" || info.name == "dense1.score")
        << info.name;
  }
}

}  // namespace
}  // namespace posteriord::core
