#include "core/layers/affine.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/layers/linear_input.h"
#include "core/random/draws.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

// Of an input that never changes: Pt' Pt, and the factor of A for the scales of the spec.
struct GramCache final : LayerCache {
  Eigen::MatrixXd gram;
  LayerScales scales;
  Eigen::LLT<Eigen::MatrixXd> factor;
};

Eigen::LLT<Eigen::MatrixXd> Factorise(const Eigen::MatrixXd& gram, double noise_variance,
                                      const Eigen::VectorXd& prior_precision) {
  Eigen::MatrixXd a = gram;
  a.diagonal() += noise_variance * prior_precision;
  return Eigen::LLT<Eigen::MatrixXd>(a);
}

// Whether what is left of a column after those before it is rounding error.
bool IsDegenerate(const Eigen::LLT<Eigen::MatrixXd>& llt) {
  if (llt.info() != Eigen::Success) return true;
  const Eigen::MatrixXd lower = llt.matrixL();
  const auto left = lower.diagonal().array().square();
  const auto column = lower.rowwise().squaredNorm().array();
  return (left < 100 * std::numeric_limits<double>::epsilon() * column).any();
}

}  // namespace

template <typename T>
Eigen::VectorXd Affine<T>::PriorPrecision(const LayerScales& scales) const {
  Eigen::VectorXd precision = Eigen::VectorXd::Constant(rows(), scales.weight_precision);
  if (bias_ == 1) precision(0) = scales.bias_precision;
  return precision;
}

template <typename T>
Matrix<T> Affine<T>::DrawPrior(const LayerScales& scales, const RandomBlock& random) const {
  Eigen::MatrixXd normals(rows(), units_);
  DrawNormals<double>(random, 0, absl::MakeSpan(normals.data(), normals.size()));
  return (PriorPrecision(scales).cwiseSqrt().cwiseInverse().asDiagonal() * normals)
      .template cast<T>();
}

template <typename T>
ParameterSquares Affine<T>::Squares(const Matrix<T>& parameters) const {
  const Eigen::MatrixXd wide = parameters.template cast<double>();
  return {.weights = wide.bottomRows(fan_in_).squaredNorm(),
          .biases = wide.topRows(bias_).squaredNorm(),
          .weight_count = fan_in_ * units_,
          .bias_count = bias_ * units_};
}

template <typename T>
void Affine<T>::AddPriorGradient(const Matrix<T>& parameters, const LayerScales& scales,
                                 Eigen::MatrixXd& gradient) const {
  gradient -= PriorPrecision(scales).asDiagonal() * parameters.template cast<double>();
}

template <typename T>
void Affine<T>::Export(const Matrix<T>& parameters, absl::Span<double> flat) const {
  Eigen::Map<Eigen::MatrixXd>(flat.data(), fan_in_, units_) =
      parameters.bottomRows(fan_in_).template cast<double>();
  if (bias_ == 1) {
    Eigen::Map<Eigen::RowVectorXd>(flat.data() + fan_in_ * units_, units_) =
        parameters.row(0).template cast<double>();
  }
}

template <typename T>
Matrix<T> Affine<T>::Import(absl::Span<const double> flat) const {
  Matrix<T> parameters(rows(), units_);
  parameters.bottomRows(fan_in_) =
      Eigen::Map<const Eigen::MatrixXd>(flat.data(), fan_in_, units_).template cast<T>();
  if (bias_ == 1) {
    parameters.row(0) = Eigen::Map<const Eigen::RowVectorXd>(flat.data() + fan_in_ * units_, units_)
                            .template cast<T>();
  }
  return parameters;
}

template <typename T>
LayerSummary Affine<T>::Summarise(const Matrix<T>& parameters,
                                  const Eigen::MatrixXd& gradient) const {
  Eigen::VectorXd norms =
      parameters.bottomRows(fan_in_).template cast<double>().colwise().norm().transpose();
  std::sort(norms.begin(), norms.end());
  return {.weight_norm = norms.norm(),
          .smallest_unit_norm = norms(0),
          .median_unit_norm = (norms((units_ - 1) / 2) + norms(units_ / 2)) / 2,
          .largest_unit_norm = norms(units_ - 1),
          .mean_gradient = gradient.bottomRows(fan_in_).mean()};
}

template <typename T>
bool Affine<T>::SumGram(const Latent<T>& input, const std::function<bool()>& keep_going,
                        Eigen::MatrixXd& gram) const {
  gram = Eigen::MatrixXd::Zero(rows(), rows());
  return ForEachChunk(input.samples(), keep_going, [&](Index first, Index count) {
    AddGram(input.augmented().middleRows(first, count), gram);
  });
}

template <typename T>
absl::StatusOr<std::unique_ptr<const LayerCache>> Affine<T>::CacheInput(
    const Latent<T>& input) const {
  auto cache = std::make_unique<GramCache>();
  SumGram(
      input, [] { return true; }, cache->gram);
  cache->scales = this->scales();
  cache->factor =
      Factorise(cache->gram, cache->scales.noise_variance, PriorPrecision(cache->scales));
  if (IsDegenerate(cache->factor)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the Gram matrix of the inputs of layer '", this->name(),
        "' is not positive definite to rounding: rescale the inputs (see standardization) or "
        "raise the layer's noise variance"));
  }
  return cache;
}

template <typename T>
bool Affine<T>::DrawParameters(const Latent<T>& input, const ConstRows<T>& output,
                               const LayerScales& scales, const LayerCache* input_cache,
                               const RandomBlock& random, const std::function<bool()>& keep_going,
                               Matrix<T>& parameters) const {
  const auto* cache = static_cast<const GramCache*>(input_cache);
  Eigen::LLT<Eigen::MatrixXd> own;
  const bool is_cached = cache != nullptr && cache->scales == scales;
  if (!is_cached) {
    Eigen::MatrixXd gram;
    if (cache == nullptr && !SumGram(input, keep_going, gram)) return false;
    own = Factorise(cache == nullptr ? gram : cache->gram, scales.noise_variance,
                    PriorPrecision(scales));
  }
  const Eigen::LLT<Eigen::MatrixXd>& factor = is_cached ? cache->factor : own;

  Eigen::MatrixXd right = Eigen::MatrixXd::Zero(rows(), units_);  // Pt' Z
  const bool whole = ForEachChunk(input.samples(), keep_going, [&](Index first, Index count) {
    this->AddGradient(input.augmented().middleRows(first, count), output.middleRows(first, count),
                      right);
  });
  if (!whole) return false;

  // L'^{-1} (L^{-1} Pt' Z + sqrt(Delta) e) has mean A^{-1} Pt' Z and covariance Delta A^{-1}.
  Eigen::MatrixXd normals(rows(), units_);
  DrawNormals<double>(random, 0, absl::MakeSpan(normals.data(), normals.size()));
  factor.matrixL().solveInPlace(right);
  right += std::sqrt(scales.noise_variance) * normals;
  factor.matrixU().solveInPlace(right);
  parameters = right.template cast<T>();
  return true;
}

template <typename T>
std::unique_ptr<const LayerCache> Affine<T>::CacheParameters(const Matrix<T>& parameters,
                                                             const LayerScales& scales,
                                                             double input_variance) const {
  Eigen::MatrixXd map = Eigen::MatrixXd::Zero(this->outputs(), this->inputs());
  Eigen::VectorXd offset = Eigen::VectorXd::Zero(this->outputs());
  WriteMap(parameters, map, offset);
  return FactoriseLinearInput<T>(map, offset, scales.noise_variance, input_variance);
}

template <typename T>
void Affine<T>::DrawInput(const Matrix<T>& /*parameters*/, const LayerCache* parameter_cache,
                          const typename Layer<T>::InputChunk& chunk, const ConstRows<T>& output,
                          const RandomBlock& random, Rows<T> mean, Rows<T> input) const {
  DrawLinearInput<T>(*parameter_cache, chunk, output, random, mean, input);
}

template class Affine<float>;
template class Affine<double>;

}  // namespace posteriord::core
