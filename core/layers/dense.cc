#include "core/layers/dense.h"

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/random/draws.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

// Lower Cholesky factor of the matrix A of DrawParameters.
struct GramFactor final : LayerCache {
  // Whether what is left of a column after those before it is rounding error.
  bool IsDegenerate() const {
    if (llt.info() != Eigen::Success) return true;
    const Eigen::MatrixXd lower = llt.matrixL();
    const auto left = lower.diagonal().array().square();
    const auto column = lower.rowwise().squaredNorm().array();
    return (left < 100 * std::numeric_limits<double>::epsilon() * column).any();
  }

  Eigen::LLT<Eigen::MatrixXd> llt;
};

// For DrawInput: lower factor of P and the offset that turns outputs into their pull on the input.
template <typename T>
struct PrecisionFactor final : LayerCache {
  Matrix<T> lower;      // P = lower * lower'
  Matrix<T> weights;    // W / Delta, outputs x inputs
  Matrix<T> bias_pull;  // 1 x inputs: -b' W / Delta
};

// Prior precision of each row of the parameter matrix.
Eigen::VectorXd PriorPrecision(const DenseSpec& dense, Index inputs) {
  Eigen::VectorXd precision =
      Eigen::VectorXd::Constant((dense.bias ? 1 : 0) + inputs, dense.weight_precision);
  if (dense.bias) precision(0) = dense.bias_precision;
  return precision;
}

template <typename T>
class Dense final : public Layer<T> {
 public:
  Dense(const LayerSpec& spec, const DenseSpec& dense, Index inputs)
      : Layer<T>(spec.name, inputs, dense.units, spec.noise_variance),
        bias_(dense.bias ? 1 : 0),
        prior_precision_(PriorPrecision(dense, inputs)) {}

  Matrix<T> ZeroParameters() const override { return Matrix<T>::Zero(rows(), this->outputs()); }

  Matrix<T> DrawPrior(const RandomBlock& random) const override {
    Eigen::MatrixXd normals(rows(), this->outputs());
    DrawNormals<double>(random, 0, absl::MakeSpan(normals.data(), normals.size()));
    return (prior_precision_.cwiseSqrt().cwiseInverse().asDiagonal() * normals).template cast<T>();
  }

  double LogPrior(const Matrix<T>& parameters) const override {
    const double energy =
        (prior_precision_.asDiagonal() * parameters.template cast<double>().cwiseAbs2()).sum();
    const double log_precisions = prior_precision_.array().log().sum();
    return -0.5 * energy +
           0.5 * static_cast<double>(this->outputs()) *
               (log_precisions - static_cast<double>(rows()) * std::log(2 * std::numbers::pi));
  }

  void Export(const Matrix<T>& parameters, absl::Span<double> flat) const override {
    const Index weights = this->inputs() * this->outputs();
    Eigen::Map<Eigen::MatrixXd>(flat.data(), this->inputs(), this->outputs()) =
        parameters.bottomRows(this->inputs()).template cast<double>();
    if (bias_ == 1) {
      Eigen::Map<Eigen::RowVectorXd>(flat.data() + weights, this->outputs()) =
          parameters.row(0).template cast<double>();
    }
  }

  Matrix<T> Import(absl::Span<const double> flat) const override {
    const Index weights = this->inputs() * this->outputs();
    Matrix<T> parameters(rows(), this->outputs());
    parameters.bottomRows(this->inputs()) =
        Eigen::Map<const Eigen::MatrixXd>(flat.data(), this->inputs(), this->outputs())
            .template cast<T>();
    if (bias_ == 1) {
      parameters.row(0) =
          Eigen::Map<const Eigen::RowVectorXd>(flat.data() + weights, this->outputs())
              .template cast<T>();
    }
    return parameters;
  }

  void Forward(const Matrix<T>& parameters, const ConstRows<T>& input, Rows<T> out) const override {
    out.noalias() = input.rightCols(rows()) * parameters;
  }

  absl::StatusOr<std::unique_ptr<const LayerCache>> CacheInput(
      const Latent<T>& input) const override {
    std::unique_ptr<const GramFactor> factor = Factorise(input, [] { return true; });
    if (factor->IsDegenerate()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the Gram matrix of the inputs of layer '", this->name(),
          "' is not positive definite to rounding: rescale the inputs (see standardization) or "
          "raise the layer's noise variance"));
    }
    return factor;
  }

  bool DrawParameters(const Latent<T>& input, const ConstRows<T>& output,
                      const LayerCache* input_cache, const RandomBlock& random,
                      const std::function<bool()>& keep_going,
                      Matrix<T>& parameters) const override {
    std::unique_ptr<const GramFactor> own;
    if (input_cache == nullptr) {
      own = Factorise(input, keep_going);
      if (own == nullptr) return false;
      input_cache = own.get();
    }
    const auto& llt = static_cast<const GramFactor*>(input_cache)->llt;

    Eigen::MatrixXd right = Eigen::MatrixXd::Zero(rows(), this->outputs());  // Xt' Z
    const bool whole = ForEachChunk(input.samples(), keep_going, [&](Index first, Index count) {
      const Matrix<T> part =
          input.augmented().rightCols(rows()).middleRows(first, count).transpose() *
          output.middleRows(first, count);
      right += part.template cast<double>();
    });
    if (!whole) return false;

    // L'^{-1} (L^{-1} Xt' Z + sqrt(Delta) e) has mean A^{-1} Xt' Z and covariance Delta A^{-1}.
    Eigen::MatrixXd normals(rows(), this->outputs());
    DrawNormals<double>(random, 0, absl::MakeSpan(normals.data(), normals.size()));
    llt.matrixL().solveInPlace(right);
    right += std::sqrt(this->noise_variance()) * normals;
    llt.matrixU().solveInPlace(right);
    parameters = right.template cast<T>();
    return true;
  }

  void AddGradient(const ConstRows<T>& input, const ConstRows<T>& residual,
                   Eigen::MatrixXd& gradient) const override {
    const Matrix<T> part = input.rightCols(rows()).transpose() * residual;
    gradient += part.template cast<double>();
  }

  LayerSummary Summarise(const Matrix<T>& parameters,
                         const Eigen::MatrixXd& gradient) const override {
    const Eigen::MatrixXd weights = parameters.bottomRows(this->inputs()).template cast<double>();
    const Eigen::MatrixXd pull =
        this->noise_variance() * (prior_precision_.tail(this->inputs()).asDiagonal() * weights);
    return {.weight_norm = weights.norm(),
            .mean_score = (gradient.bottomRows(this->inputs()) - pull).mean()};
  }

  std::unique_ptr<const LayerCache> CacheParameters(const Matrix<T>& parameters,
                                                    double input_variance) const override {
    const Eigen::MatrixXd weights =
        parameters.bottomRows(this->inputs()).template cast<double>().transpose();
    const double precision = 1 / this->noise_variance();
    Eigen::MatrixXd p = precision * (weights.transpose() * weights);
    p.diagonal().array() += 1 / input_variance;
    auto factor = std::make_unique<PrecisionFactor<T>>();
    const Eigen::LLT<Eigen::MatrixXd> llt(p);
    factor->lower = Eigen::MatrixXd(llt.matrixL()).template cast<T>();
    factor->weights = (precision * weights).template cast<T>();
    factor->bias_pull = Matrix<T>::Zero(1, this->inputs());
    if (bias_ == 1) {
      factor->bias_pull =
          (-precision * parameters.row(0).template cast<double>() * weights).template cast<T>();
    }
    return factor;
  }

  void DrawInput(const Matrix<T>& /*parameters*/, const LayerCache* parameter_cache,
                 const typename Layer<T>::InputChunk& chunk, const ConstRows<T>& output,
                 const RandomBlock& random, Rows<T> mean, Rows<T> input) const override {
    const auto& factor = *static_cast<const PrecisionFactor<T>*>(parameter_cache);
    for (Index unit = 0; unit < this->inputs(); ++unit) {
      DrawNormals<T>(random, static_cast<std::uint64_t>(unit * chunk.samples + chunk.first_row),
                     absl::MakeSpan(&input.coeffRef(0, unit), input.rows()));
    }
    // Row form of L'^{-1} (L^{-1} h + e), h = W' (z - b) / Delta + m / D.
    mean *= static_cast<T>(1 / chunk.input_variance);
    mean.rowwise() += factor.bias_pull.row(0);
    mean.noalias() += output * factor.weights;
    factor.lower.template triangularView<Eigen::Lower>()
        .transpose()
        .template solveInPlace<Eigen::OnTheRight>(mean);
    input += mean;
    factor.lower.template triangularView<Eigen::Lower>().template solveInPlace<Eigen::OnTheRight>(
        input);
  }

 private:
  // Rows of the parameter matrix: bias, if any, and weights.
  Index rows() const { return bias_ + this->inputs(); }

  std::unique_ptr<const GramFactor> Factorise(const Latent<T>& input,
                                              const std::function<bool()>& keep_going) const {
    Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(rows(), rows());
    Eigen::MatrixXd chunk;  // double also for float chains: nearly collinear inputs need it
    const bool whole = ForEachChunk(input.samples(), keep_going, [&](Index first, Index count) {
      chunk = input.augmented()
                  .rightCols(rows())
                  .middleRows(first, count)
                  .transpose()
                  .template cast<double>();
      gram.template selfadjointView<Eigen::Lower>().rankUpdate(chunk);
    });
    if (!whole) return nullptr;
    gram.diagonal() += this->noise_variance() * prior_precision_;
    auto factor = std::make_unique<GramFactor>();
    factor->llt.compute(gram);
    return factor;
  }

  const Index bias_;  // 0 or 1
  const Eigen::VectorXd prior_precision_;
};

}  // namespace

template <typename T>
std::unique_ptr<const Layer<T>> MakeDense(const LayerSpec& spec, Index inputs) {
  return std::make_unique<Dense<T>>(spec, std::get<DenseSpec>(spec.operation), inputs);
}

template std::unique_ptr<const Layer<float>> MakeDense<float>(const LayerSpec&, Index);
template std::unique_ptr<const Layer<double>> MakeDense<double>(const LayerSpec&, Index);

}  // namespace posteriord::core
