#include "core/sampling/observables.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/sampling/population.h"
#include "core/sampling/step_tally.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

constexpr double kNotAvailable = std::numeric_limits<double>::quiet_NaN();

bool HasParameters(const LayerSpec& layer) {
  return std::holds_alternative<DenseSpec>(layer.operation) ||
         std::holds_alternative<Conv2dSpec>(layer.operation);
}

// What the scores of the classical posterior are scaled by.
template <typename T>
double OutputScale(const Model<T>& model, const State<T>& state) {
  return model.likelihood().latent_is_observed() ? state.scales.back().noise_variance
                                                 : model.network().temperature;
}

}  // namespace

std::vector<ObservableInfo> ListObservables(const Spec& spec, const DataShape& shape) {
  const bool classes = spec.network.likelihood != LikelihoodKind::kGaussian;
  const bool latents = spec.network.posterior == PosteriorKind::kIntermediateNoise;
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
  add("log_posterior",
      latents ? "log joint density of parameters, latents and targets"
              : "log joint density of parameters and targets",
      true);
  for (const LayerSpec& layer : spec.network.layers) {
    if (latents) {
      add(absl::StrCat(layer.name, ".residual"),
          "mean squared noise of the layer over its variance", false);
    }
    ForEachLearnedScale(layer, [&](const LearnableScale& scale, const GammaSpec&) {
      add(absl::StrCat(layer.name, ".", scale.name), scale.description, true);
    });
    if (!HasParameters(layer)) continue;
    add(absl::StrCat(layer.name, ".weight_norm"), "Euclidean norm of the layer's weights", true);
    add(absl::StrCat(layer.name, ".score"),
        "mean over the weights of noise variance times the derivative of the log posterior", false);
    if (&layer == &spec.network.layers.back()) continue;
    for (const char* which : {"min", "median", "max"}) {
      add(absl::StrCat(layer.name, ".unit_norm_", which),
          absl::StrCat(which, " over the hidden units of the norm of the weights into one"), false);
    }
  }
  const std::int64_t probes = std::min<std::int64_t>(
      spec.observation.probes, shape.test_samples > 0 ? shape.test_samples : shape.train_samples);
  const int outputs = LayerShapes(spec.network).back().size();
  for (std::int64_t probe = 0; probe < probes; ++probe) {
    for (int output = 0; output < outputs; ++output) {
      add(absl::StrCat("probe", probe, ".output", output),
          absl::StrCat("output ", output, " of the present draw at ",
                       shape.test_samples > 0 ? "test" : "training", " sample ", probe),
          true);
    }
  }
  if (const auto* gradient = std::get_if<GradientSamplerSpec>(&spec.sampler)) {
    for (ObservableInfo& info : ListStepObservables(gradient->kind))
      list.push_back(std::move(info));
  }
  if (HasPopulations(spec)) {
    add("population.member", "member of the chain's starting population that the point belongs to",
        false);
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
double PlugInError(const Model<T>& model, const std::vector<Matrix<T>>& parameters,
                   const Latent<T>& inputs, const Eigen::MatrixXd& targets) {
  // Errors are means over samples. Chunk by chunk, since all outputs may take as much as a chain.
  double sum = 0;
  ForEachChunk(
      inputs.samples(), [] { return true; },
      [&](Index first, Index rows) {
        const Matrix<T> outputs =
            model.Predict(parameters, inputs.augmented().middleRows(first, rows));
        sum +=
            static_cast<double>(rows) * model.likelihood().Error(outputs.template cast<double>(),
                                                                 targets.middleRows(first, rows));
      });
  return sum / static_cast<double>(inputs.samples());
}

template <typename T>
std::vector<double> MeasureObservables(const Model<T>& model, const TrainingSet<T>& training,
                                       const TestSet<T>& test, const PredictiveTally& tally,
                                       const State<T>& state, LogPosterior<T>& posterior) {
  const Likelihood<T>& likelihood = model.likelihood();
  std::vector<double> values = {
      PlugInError(model, state.parameters, training.inputs, training.targets)};
  if (test.inputs.samples() > 0) {
    values.push_back(PlugInError(model, state.parameters, test.inputs, test.targets));
    values.push_back(
        tally.draws == 0
            ? kNotAvailable
            : likelihood.Error(tally.sum / static_cast<double>(tally.draws), test.targets));
  }

  PosteriorTerms<T> terms;
  posterior.Evaluate(
      state, /*want_latent_gradient=*/false, [] { return true; }, terms);
  values.push_back(terms.log_density);
  for (int i = 0; i < model.depth(); ++i) {
    const Layer<T>& layer = model.layer(i);
    const double variance = state.scales[i].noise_variance;
    if (model.has_latents()) {
      const auto count = static_cast<double>(training.inputs.samples() * layer.outputs());
      values.push_back(terms.squared_residuals[i] / (variance * count));
    }
    ForEachLearnedScale(model.network().layers[i],
                        [&](const LearnableScale& scale, const GammaSpec&) {
                          values.push_back(state.scales[i].*scale.value);
                        });
    if (state.parameters[i].size() == 0) continue;
    const LayerSummary summary = layer.Summarise(state.parameters[i], terms.parameter_gradient[i]);
    values.push_back(summary.weight_norm);
    values.push_back(summary.mean_gradient *
                     (model.has_latents() ? variance : OutputScale(model, state)));
    if (i + 1 == model.depth()) continue;
    for (const double norm :
         {summary.smallest_unit_norm, summary.median_unit_norm, summary.largest_unit_norm}) {
      values.push_back(norm);
    }
  }

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

#define POSTERIORD_INSTANTIATE(T)                                                                  \
  template double PlugInError<T>(const Model<T>&, const std::vector<Matrix<T>>&, const Latent<T>&, \
                                 const Eigen::MatrixXd&);                                          \
  template Matrix<T> PredictAll<T>(const Model<T>&, const std::vector<Matrix<T>>&,                 \
                                   const Latent<T>&);                                              \
  template std::vector<double> MeasureObservables<T>(const Model<T>&, const TrainingSet<T>&,       \
                                                     const TestSet<T>&, const PredictiveTally&,    \
                                                     const State<T>&, LogPosterior<T>&)
POSTERIORD_INSTANTIATE(float);
POSTERIORD_INSTANTIATE(double);
#undef POSTERIORD_INSTANTIATE

}  // namespace posteriord::core
