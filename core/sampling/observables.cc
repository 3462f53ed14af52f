#include "core/sampling/observables.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

constexpr double kNotAvailable = std::numeric_limits<double>::quiet_NaN();

// Sums over the samples of one layer's noise and of the gradient of its parameters.
struct LayerSums {
  double squared_residual = 0;
  Eigen::MatrixXd gradient;
};

template <typename T>
LayerSums SumLayer(const Layer<T>& layer, const Matrix<T>& parameters, const Latent<T>& input,
                   const Latent<T>& output) {
  LayerSums sums;
  sums.gradient = Eigen::MatrixXd::Zero(parameters.rows(), parameters.cols());
  Matrix<T> residual;
  ForEachChunk(
      input.samples(), [] { return true; },
      [&](Index first, Index rows) {
        const auto input_rows = input.augmented().middleRows(first, rows);
        residual.resize(rows, layer.outputs());
        layer.Forward(parameters, input_rows, residual);
        residual = output.values().middleRows(first, rows) - residual;
        sums.squared_residual += residual.template cast<double>().squaredNorm();
        layer.AddGradient(input_rows, residual, sums.gradient);
      });
  return sums;
}

}  // namespace

std::vector<ObservableInfo> ListObservables(const Spec& spec, const DataShape& shape) {
  const bool classes = spec.network.likelihood == LikelihoodKind::kProbit;
  const std::string error = classes ? "error rate" : "mean squared error";
  std::vector<ObservableInfo> list;
  const auto add = [&list](std::string name, std::string description, bool monitored) {
    list.push_back({std::move(name), std::move(description), monitored});
  };
  add("train_error", absl::StrCat(error, " of the present draw against the training labels"), true);
  if (shape.test_samples > 0) {
    add("test_error", absl::StrCat(error, " of the present draw on the test samples"), true);
    add("predictive_test_error",
        absl::StrCat(error, " on the test samples of the chain's averaged plug-in predictions"),
        false);
  }
  add("log_posterior", "log joint density of parameters, latents and targets", true);
  for (const LayerSpec& layer : spec.network.layers) {
    add(absl::StrCat(layer.name, ".residual"), "mean squared noise of the layer over its variance",
        false);
    if (!std::holds_alternative<DenseSpec>(layer.operation)) continue;
    add(absl::StrCat(layer.name, ".weight_norm"), "Euclidean norm of the layer's weights", true);
    add(absl::StrCat(layer.name, ".score"),
        "mean over the weights of noise variance times the derivative of the log posterior", false);
  }
  const std::int64_t probes = std::min<std::int64_t>(
      spec.observation.probes, shape.test_samples > 0 ? shape.test_samples : shape.train_samples);
  const int outputs = LayerWidths(spec.network).back();
  for (std::int64_t probe = 0; probe < probes; ++probe) {
    for (int output = 0; output < outputs; ++output) {
      add(absl::StrCat("probe", probe, ".output", output),
          absl::StrCat("output ", output, " of the present draw at ",
                       shape.test_samples > 0 ? "test" : "training", " sample ", probe),
          true);
    }
  }
  const std::vector<std::string>& chosen = spec.thermalization.observables;
  if (!chosen.empty()) {
    for (ObservableInfo& info : list) {
      info.monitored = std::find(chosen.begin(), chosen.end(), info.name) != chosen.end();
    }
  }
  return list;
}

template <typename T>
Matrix<T> PredictAll(const Model<T>& model, const std::vector<Matrix<T>>& parameters,
                     const Latent<T>& inputs) {
  Matrix<T> outputs(inputs.samples(), model.outputs());
  ForEachChunk(
      inputs.samples(), [] { return true; },
      [&](Index first, Index rows) {
        outputs.middleRows(first, rows) =
            model.Predict(parameters, inputs.augmented().middleRows(first, rows));
      });
  return outputs;
}

template <typename T>
std::vector<double> MeasureObservables(const Model<T>& model, const TrainingSet<T>& training,
                                       const TestSet<T>& test, const PredictiveTally& tally,
                                       const State<T>& state) {
  const Likelihood<T>& likelihood = model.likelihood();
  const auto error_on = [&](const Latent<T>& inputs, const Eigen::MatrixXd& targets) {
    return likelihood.Error(PredictAll(model, state.parameters, inputs).template cast<double>(),
                            targets);
  };
  std::vector<double> values = {error_on(training.inputs, training.targets)};
  if (test.inputs.samples() > 0) {
    values.push_back(error_on(test.inputs, test.targets));
    values.push_back(
        tally.draws == 0
            ? kNotAvailable
            : likelihood.Error(tally.sum / static_cast<double>(tally.draws), test.targets));
  }

  const std::size_t log_posterior_index = values.size();
  values.push_back(0);
  double log_posterior = 0;
  for (int i = 0; i < model.depth(); ++i) {
    const Layer<T>& layer = model.layer(i);
    const Matrix<T>& parameters = state.parameters[i];
    const LayerSums sums = SumLayer(
        layer, parameters, i == 0 ? training.inputs : state.latents[i - 1], state.latents[i]);
    const auto count = static_cast<double>(training.inputs.samples() * layer.outputs());
    const double variance = layer.noise_variance();
    log_posterior += layer.LogPrior(parameters) - 0.5 * sums.squared_residual / variance -
                     0.5 * count * std::log(2 * std::numbers::pi * variance);
    values.push_back(sums.squared_residual / (variance * count));
    if (parameters.size() == 0) continue;
    const LayerSummary summary = layer.Summarise(parameters, sums.gradient);
    values.push_back(summary.weight_norm);
    values.push_back(summary.mean_score);
  }
  values[log_posterior_index] = log_posterior;

  if (test.probes.samples() > 0) {
    const Matrix<T> outputs = PredictAll(model, state.parameters, test.probes);
    for (Index probe = 0; probe < outputs.rows(); ++probe) {
      for (Index output = 0; output < outputs.cols(); ++output) {
        values.push_back(static_cast<double>(outputs(probe, output)));
      }
    }
  }
  return values;
}

#define POSTERIORD_INSTANTIATE(T)                                                               \
  template Matrix<T> PredictAll<T>(const Model<T>&, const std::vector<Matrix<T>>&,              \
                                   const Latent<T>&);                                           \
  template std::vector<double> MeasureObservables<T>(const Model<T>&, const TrainingSet<T>&,    \
                                                     const TestSet<T>&, const PredictiveTally&, \
                                                     const State<T>&)
POSTERIORD_INSTANTIATE(float);
POSTERIORD_INSTANTIATE(double);
#undef POSTERIORD_INSTANTIATE

}  // namespace posteriord::core
