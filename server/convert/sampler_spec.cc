#include "server/convert/sampler_spec.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "core/sampling/collapsed_moves.h"
#include "server/convert/core_network.h"
#include "server/convert/network_spec.h"

namespace posteriord::server {
namespace {

constexpr int kMaxLeapfrogSteps = 100'000;
constexpr int kMaxTreeDepth = 20;
constexpr std::int64_t kMaxDenseDimension = 4096;
constexpr std::int64_t kMaxSweep = 1'000'000'000'000;

using core::GradientSamplerKind;

// The settings of a gradient sampler; null for Gibbs.
const v1::GradientSettings* SettingsOf(const v1::Sampler& sampler) {
  switch (sampler.kind_case()) {
    case v1::Sampler::kHmc:
      return &sampler.hmc().gradient();
    case v1::Sampler::kMala:
      return &sampler.mala().gradient();
    case v1::Sampler::kNuts:
      return &sampler.nuts().gradient();
    default:
      return nullptr;
  }
}

std::string_view PathOf(const v1::Sampler& sampler) {
  switch (sampler.kind_case()) {
    case v1::Sampler::kHmc:
      return "sampler.hmc";
    case v1::Sampler::kMala:
      return "sampler.mala";
    case v1::Sampler::kNuts:
      return "sampler.nuts";
    default:
      return "sampler.gibbs";
  }
}

void CompleteSettings(std::string_view path, GradientSamplerKind kind,
                      v1::GradientSettings& settings, FieldChecker& checker) {
  const absl::string_view prefix = ToAbsl(path);
  const auto field = [prefix](std::string_view name) {
    return absl::StrCat(prefix, ".gradient.", ToAbsl(name));
  };
  if (settings.has_step_size()) checker.CheckPositive(field("step_size"), settings.step_size());
  if (!settings.has_target_acceptance()) {
    settings.set_target_acceptance(core::DefaultTargetAcceptance(kind));
  }
  const double acceptance = settings.target_acceptance();
  if (!(acceptance > 0 && acceptance < 1)) {
    checker.Add(field("target_acceptance"),
                absl::StrCat("must be above 0 and below 1, not ", acceptance));
  }
  checker.CheckEnum(field("metric"), settings.metric(), v1::GradientSettings_Metric_IsValid);
  if (settings.metric() == v1::GradientSettings::METRIC_UNSPECIFIED) {
    settings.set_metric(v1::GradientSettings::METRIC_DIAGONAL);
  }
  if (settings.inverse_mass_size() > 0 &&
      settings.metric() != v1::GradientSettings::METRIC_DIAGONAL) {
    checker.Add(field("inverse_mass"), "needs METRIC_DIAGONAL");
  }
  for (int i = 0; i < settings.inverse_mass_size(); ++i) {
    if (!checker.CheckPositive(absl::StrCat(field("inverse_mass"), "[", i, "]"),
                               settings.inverse_mass(i))) {
      break;
    }
  }
  if (!settings.has_max_energy_error()) settings.set_max_energy_error(1000);
  checker.CheckPositive(field("max_energy_error"), settings.max_energy_error());
}

void CompleteGibbs(const v1::Sampler::Gibbs& gibbs, const v1::Network& network,
                   FieldChecker& checker) {
  constexpr char kField[] = "sampler.gibbs.collapsed_from_sweep";
  if (!checker.CheckRange(kField, gibbs.collapsed_from_sweep(), 0, kMaxSweep)) return;
  if (gibbs.collapsed_from_sweep() == 0 || network.layers().empty()) return;
  const std::string obstacle = core::ObstacleToCollapsedMoves(ToCoreNetwork(network, 1));
  if (!obstacle.empty()) checker.Add(kField, absl::StrCat("collapsed moves ", obstacle));
}

// Why Gibbs cannot sample the network; empty when it can.
std::string ObstacleToGibbs(const v1::Network& network) {
  if (network.posterior() == v1::Network::POSTERIOR_CLASSICAL) {
    return "samples the intermediate-noise posterior only, where every conditional is known; "
           "choose "
           "hmc, mala or nuts for the classical one";
  }
  if (network.likelihood().has_softmax()) {
    return "has no exact update of the latent behind a softmax; choose probit, or hmc, mala or "
           "nuts";
  }
  return "";
}

// Why the gradient samplers cannot.
std::string ObstacleToGradients(const v1::Network& network) {
  if (network.likelihood().has_probit()) {
    return "needs a density with a gradient, which a probit likelihood (largest entry) has not; "
           "choose softmax, or gibbs";
  }
  for (int i = 0; i < network.layers_size(); ++i) {
    const v1::Layer& layer = network.layers(i);
    if (layer.activation().kind() == v1::Activation::KIND_SIGN) {
      return absl::StrCat("needs a gradient, which ", LayerPath(i),
                          ", a sign activation, has not; choose gibbs or another activation");
    }
    if (layer.has_noise_precision_prior() || layer.has_weight_precision_prior() ||
        layer.has_bias_precision_prior()) {
      return absl::StrCat("does not learn noise and prior precisions, as ", LayerPath(i),
                          " asks for; choose gibbs");
    }
  }
  return "";
}

}  // namespace

void CompleteSampler(v1::JobSpec& spec, FieldChecker& checker) {
  const v1::Network& network = spec.network();
  v1::Sampler& sampler = *spec.mutable_sampler();
  if (sampler.kind_case() == v1::Sampler::KIND_NOT_SET) {
    if (ObstacleToGibbs(network).empty()) {
      sampler.mutable_gibbs();
    } else {
      sampler.mutable_nuts();
    }
  }
  const std::string_view path = PathOf(sampler);
  const bool gibbs = sampler.has_gibbs();
  const std::string obstacle = gibbs ? ObstacleToGibbs(network) : ObstacleToGradients(network);
  if (!obstacle.empty()) checker.Add(path, obstacle);
  if (gibbs) {
    CompleteGibbs(sampler.gibbs(), network, checker);
    return;
  }

  if (sampler.has_hmc()) {
    v1::Hmc& hmc = *sampler.mutable_hmc();
    if (hmc.leapfrog_steps() == 0) hmc.set_leapfrog_steps(10);
    checker.CheckRange("sampler.hmc.leapfrog_steps", hmc.leapfrog_steps(), 1, kMaxLeapfrogSteps);
    if (!(hmc.step_size_jitter() >= 0 && hmc.step_size_jitter() < 1)) {
      checker.Add("sampler.hmc.step_size_jitter",
                  absl::StrCat("must be from 0 to below 1, not ", hmc.step_size_jitter()));
    }
    CompleteSettings(path, GradientSamplerKind::kHmc, *hmc.mutable_gradient(), checker);
  } else if (sampler.has_nuts()) {
    v1::Nuts& nuts = *sampler.mutable_nuts();
    if (nuts.max_tree_depth() == 0) nuts.set_max_tree_depth(10);
    checker.CheckRange("sampler.nuts.max_tree_depth", nuts.max_tree_depth(), 1, kMaxTreeDepth);
    CompleteSettings(path, GradientSamplerKind::kNuts, *nuts.mutable_gradient(), checker);
  } else {
    CompleteSettings(path, GradientSamplerKind::kMala, *sampler.mutable_mala()->mutable_gradient(),
                     checker);
  }
}

void CheckSamplerForDimension(const v1::Sampler& sampler, std::int64_t dimension,
                              FieldChecker& checker) {
  const v1::GradientSettings* settings = SettingsOf(sampler);
  if (settings == nullptr) return;
  const absl::string_view path = ToAbsl(PathOf(sampler));
  if (settings->inverse_mass_size() > 0 && settings->inverse_mass_size() != dimension) {
    checker.Add(absl::StrCat(path, ".gradient.inverse_mass"),
                absl::StrCat("must have one entry per parameter and latent, ", dimension, ", not ",
                             settings->inverse_mass_size()));
  }
  if (settings->metric() == v1::GradientSettings::METRIC_DENSE && dimension > kMaxDenseDimension) {
    checker.Add(absl::StrCat(path, ".gradient.metric"),
                absl::StrCat("METRIC_DENSE is for at most ", kMaxDenseDimension,
                             " parameters and latents, not ", dimension));
  }
}

std::variant<core::GibbsSpec, core::GradientSamplerSpec> ToCoreSampler(
    const v1::Sampler& complete) {
  const v1::GradientSettings* settings = SettingsOf(complete);
  if (settings == nullptr) {
    return core::GibbsSpec{.collapsed_from_sweep = complete.gibbs().collapsed_from_sweep()};
  }
  core::GradientSamplerSpec spec;
  spec.kind = GradientSamplerKind::kMala;
  if (complete.has_hmc()) {
    spec.kind = GradientSamplerKind::kHmc;
    spec.leapfrog_steps = complete.hmc().leapfrog_steps();
    spec.step_size_jitter = complete.hmc().step_size_jitter();
  } else if (complete.has_nuts()) {
    spec.kind = GradientSamplerKind::kNuts;
    spec.max_tree_depth = complete.nuts().max_tree_depth();
  }
  if (settings->has_step_size()) spec.step_size = settings->step_size();
  spec.target_acceptance = settings->target_acceptance();
  switch (settings->metric()) {
    case v1::GradientSettings::METRIC_IDENTITY:
      spec.metric = core::MetricKind::kIdentity;
      break;
    case v1::GradientSettings::METRIC_DENSE:
      spec.metric = core::MetricKind::kDense;
      break;
    default:
      spec.metric = core::MetricKind::kDiagonal;
      break;
  }
  spec.inverse_mass.assign(settings->inverse_mass().begin(), settings->inverse_mass().end());
  spec.max_energy_error = settings->max_energy_error();
  return spec;
}

}  // namespace posteriord::server
