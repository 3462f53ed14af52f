#include "core/sampling/collapsed_moves.h"

#include <Eigen/Cholesky>
#include <cmath>
#include <cstdint>

#include "core/layers/activation.h"
#include "core/random/draw_before_piecewise_linear.h"
#include "core/random/draw_before_smooth.h"
#include "core/random/draws.h"
#include "core/random/slice_sampling.h"

namespace posteriord::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Most uniforms that one slice-sampling transition may use before it meets those of the next unit.
constexpr std::uint64_t kElementsPerUnit = 1 << 16;
constexpr double kScaleWidth = 0.2;  // of the first interval, in u

absl::Span<const double> AsSpan(const VectorXd& vector) {
  return absl::MakeConstSpan(vector.data(), static_cast<std::size_t>(vector.size()));
}

// The Gaussian that (b2, a) would have if v were known.
struct OutputProposal {
  OutputProposal(const MatrixXd& gram, const VectorXd& moment, const VectorXd& prior_precision,
                 double variance) {
    MatrixXd precision = gram / variance;
    precision.diagonal() += prior_precision;
    factor.compute(precision);
    mean = factor.solve(moment / variance);
  }

  double LogDensity(const VectorXd& x) const {
    const VectorXd whitened = factor.matrixU() * (x - mean);
    return MatrixXd(factor.matrixL()).diagonal().array().log().sum() - 0.5 * whitened.squaredNorm();
  }

  Eigen::LLT<MatrixXd> factor;
  VectorXd mean;
};

}  // namespace

std::string ObstacleToCollapsedMoves(const NetworkSpec& network) {
  const std::size_t depth = network.layers.size();
  if (network.likelihood != LikelihoodKind::kGaussian) return "need a Gaussian likelihood";
  if (depth < 3) return "need a hidden layer";
  const auto* output = std::get_if<DenseSpec>(&network.layers[depth - 1].operation);
  if (output == nullptr || output->units != 1) return "need a single output";
  if (!std::holds_alternative<ActivationSpec>(network.layers[depth - 2].operation) ||
      !std::holds_alternative<DenseSpec>(network.layers[depth - 3].operation)) {
    return "need a network that ends in a dense layer, an activation and a dense layer";
  }
  return "";
}

template <typename T>
CollapsedMoves<T>::CollapsedMoves(const Model<T>& model, const TrainingSet<T>& data)
    : model_(model),
      data_(data),
      hidden_(model.depth() - 3),
      units_(model.layer(model.depth() - 3).outputs()),
      function_(ActivationFunction(std::get<ActivationSpec>(
          model.network().layers[static_cast<std::size_t>(hidden_ + 1)].operation))) {}

template <typename T>
bool CollapsedMoves<T>::Run(const SweepAddress& address, const std::function<bool()>& keep_going,
                            State<T>& state) {
  Load(state);
  for (int unit = 0; unit < units_; ++unit) {
    if (!keep_going()) return false;
    DrawLatent(unit, address, state);
  }
  for (int unit = 0; unit < units_; ++unit) {
    if (!keep_going()) return false;
    DrawScale(unit, address, state);
  }
  DrawOutputLayer(address, state);
  state.parameters[hidden_ + 2].col(0) = output_.template cast<T>();
  return true;
}

template <typename T>
void CollapsedMoves<T>::Load(const State<T>& state) {
  output_noise_ = state.scales[hidden_ + 2].noise_variance;
  activation_noise_ = state.scales[hidden_ + 1].noise_variance;
  output_ = state.parameters[hidden_ + 2].col(0).template cast<double>();
  const Latent<T>& input = hidden_ == 0 ? data_.inputs : state.latents[hidden_ - 1];
  const Index samples = input.samples();
  Matrix<T> means(samples, units_);
  model_.layer(hidden_).Forward(state.parameters[hidden_], input.augmented(), means);
  means_ = means.template cast<double>();
  activated_.resize(samples, output_.size());
  activated_.leftCols(Column(0)).setOnes();
  for (int unit = 0; unit < units_; ++unit) {
    pre_ = state.latents[hidden_].values().col(unit).template cast<double>();
    Activate(pre_, activated_.col(Column(unit)));
  }
  residual_ = data_.targets.col(0) - activated_ * output_;
}

template <typename T>
void CollapsedMoves<T>::Activate(const VectorXd& z, Eigen::Ref<VectorXd> out) const {
  const absl::Span<double> values(out.data(), static_cast<std::size_t>(out.size()));
  std::visit([&](const auto& function) { Evaluate<double>(function, AsSpan(z), values); },
             function_);
}

template <typename T>
double CollapsedMoves<T>::TakeOut(int unit) {
  const double weight = OutputWeight(unit);
  rest_ = residual_ + weight * activated_.col(Column(unit));
  return weight;
}

template <typename T>
void CollapsedMoves<T>::PutBack(int unit, const State<T>& state) {
  pre_ = state.latents[hidden_].values().col(unit).template cast<double>();
  Activate(pre_, activated_.col(Column(unit)));
  residual_ = rest_ - OutputWeight(unit) * activated_.col(Column(unit));
}

template <typename T>
void CollapsedMoves<T>::DrawLatent(int unit, const SweepAddress& address, State<T>& state) {
  const RandomBlock random(address.seed, address.chain, address.sweep,
                           MakeBlock(hidden_, RandomUse::kLatent));
  const double weight = TakeOut(unit);
  const double variance = state.scales[hidden_].noise_variance;
  const double output_variance = Variance(squared_weights());
  const Index samples = rest_.size();
  const auto first = static_cast<std::uint64_t>(unit) * static_cast<std::uint64_t>(samples);
  pre_ = state.latents[hidden_].values().col(unit).template cast<double>();
  const auto mean = absl::MakeConstSpan(&means_(0, unit), static_cast<std::size_t>(samples));
  const auto out = absl::MakeSpan(pre_.data(), static_cast<std::size_t>(samples));
  if (const auto* pieces = std::get_if<PiecewiseLinear>(&function_)) {
    DrawBeforePiecewiseLinear<double>(pieces->Scaled(weight), variance, output_variance, random,
                                      first, mean, AsSpan(rest_), out);
  } else {
    DrawBeforeSmooth<double>(
        std::get<SmoothActivation>(function_).Scaled(weight), variance, output_variance, random,
        first, static_cast<std::uint64_t>(samples * units_), mean, AsSpan(rest_), out);
  }
  state.latents[hidden_].values().col(unit) = pre_.template cast<T>();
  PutBack(unit, state);
}

template <typename T>
void CollapsedMoves<T>::DrawScale(int unit, const SweepAddress& address, State<T>& state) {
  const RandomBlock random(address.seed, address.chain, address.sweep,
                           MakeBlock(hidden_, RandomUse::kTransition));
  const double weight = TakeOut(unit);
  auto latent = state.latents[hidden_].values().col(unit);
  noise_ = latent.template cast<double>() - means_.col(unit);

  auto incoming = state.parameters[hidden_].col(unit);
  const LayerScales& scales = state.scales[hidden_];
  const Index biases = incoming.size() - model_.layer(hidden_).inputs();
  const double energy =
      scales.bias_precision * incoming.head(biases).template cast<double>().squaredNorm() +
      scales.weight_precision *
          incoming.tail(incoming.size() - biases).template cast<double>().squaredNorm();
  const double output_precision = state.scales[hidden_ + 2].weight_precision;
  const double others = squared_weights() - weight * weight;
  const auto samples = static_cast<double>(rest_.size());
  const auto dimension = static_cast<double>(incoming.size());
  const auto log_density = [&](double u) {
    const double c = std::exp(u);
    pre_ = c * means_.col(unit) + noise_;
    post_.resize(pre_.size());
    Activate(pre_, post_);
    const double variance = Variance(others + weight * weight / (c * c));
    return -0.5 * samples * std::log(variance) -
           (rest_ - weight / c * post_).squaredNorm() / (2 * variance) - 0.5 * c * c * energy -
           0.5 * output_precision * weight * weight / (c * c) + (dimension - 1) * u;
  };
  std::uint64_t element = static_cast<std::uint64_t>(unit) * kElementsPerUnit;
  const double c = std::exp(
      SliceSample(log_density, 0, kScaleWidth, [&] { return DrawUniform(random, element++); }));

  incoming = (c * incoming.template cast<double>()).template cast<T>();
  means_.col(unit) *= c;
  latent = (means_.col(unit) + noise_).template cast<T>();
  output_(Column(unit)) = weight / c;
  PutBack(unit, state);
}

template <typename T>
void CollapsedMoves<T>::DrawOutputLayer(const SweepAddress& address, State<T>& state) {
  const RandomBlock random(address.seed, address.chain, address.sweep,
                           MakeBlock(hidden_ + 2, RandomUse::kTransition));
  const LayerScales& scales = state.scales[hidden_ + 2];
  VectorXd prior_precision = VectorXd::Constant(output_.size(), scales.weight_precision);
  prior_precision.head(output_.size() - units_).setConstant(scales.bias_precision);
  const MatrixXd gram = activated_.transpose() * activated_;
  const VectorXd moment = activated_.transpose() * data_.targets.col(0);
  const auto log_density = [&](const VectorXd& output, const VectorXd& residual, double variance) {
    return -0.5 * static_cast<double>(residual.size()) * std::log(variance) -
           residual.squaredNorm() / (2 * variance) -
           0.5 * (prior_precision.array() * output.array().square()).sum();
  };

  const double variance = Variance(squared_weights());
  const OutputProposal forward(gram, moment, prior_precision, variance);
  VectorXd normals(output_.size());
  DrawNormals<double>(random, 2,  // behind the uniform below, in element 0
                      absl::MakeSpan(normals.data(), static_cast<std::size_t>(normals.size())));
  const VectorXd proposal = forward.mean + forward.factor.matrixU().solve(normals);
  const VectorXd residual = data_.targets.col(0) - activated_ * proposal;
  const double new_variance = Variance(proposal.tail(units_).squaredNorm());
  const OutputProposal backward(gram, moment, prior_precision, new_variance);
  const double log_ratio = log_density(proposal, residual, new_variance) +
                           backward.LogDensity(output_) -
                           log_density(output_, residual_, variance) - forward.LogDensity(proposal);
  if (std::log(DrawUniform(random, 0)) < log_ratio) output_ = proposal;
}

template class CollapsedMoves<float>;
template class CollapsedMoves<double>;

}  // namespace posteriord::core
