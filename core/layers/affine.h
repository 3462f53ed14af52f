// What dense and convolutional layers share: a parameter matrix with one column per unit (its bias,
// if any, then its weights), Gaussian priors, and the conjugate updates of parameters (below) and
// input (linear_input.h).
//
// Every output is a unit applied to a patch p of the input: b + w . p. With Pt the patches of all
// samples and positions as rows, behind a column of ones, Z the matching outputs and
// A = Pt' Pt + Delta diag(lambda_b, lambda_W, ...),
//   (b, W)_a ~ N(A^{-1} Pt' Z_a, Delta A^{-1})   for every unit a,
// drawn from one Cholesky factor A = L L' by triangular solves.
//
// Gram matrices and factors are double whatever T is; sums over samples are made chunk by chunk in
// T and added up in double. Source: Piccioli, Troiani, Zdeborova, arXiv 2306.02729.
//
// Internal to core/layers.
#ifndef POSTERIORD_CORE_LAYERS_AFFINE_H_
#define POSTERIORD_CORE_LAYERS_AFFINE_H_

#include <memory>

#include "core/layers/layer.h"

namespace posteriord::core {

template <typename T>
class Affine : public Layer<T> {
 public:
  Matrix<T> ZeroParameters() const override { return Matrix<T>::Zero(rows(), units_); }
  Matrix<T> DrawPrior(const LayerScales& scales, const RandomBlock& random) const override;
  ParameterSquares Squares(const Matrix<T>& parameters) const override;
  void AddPriorGradient(const Matrix<T>& parameters, const LayerScales& scales,
                        Eigen::MatrixXd& gradient) const override;
  void Export(const Matrix<T>& parameters, absl::Span<double> flat) const override;
  Matrix<T> Import(absl::Span<const double> flat) const override;
  LayerSummary Summarise(const Matrix<T>& parameters,
                         const Eigen::MatrixXd& gradient) const override;

  absl::StatusOr<std::unique_ptr<const LayerCache>> CacheInput(
      const Latent<T>& input) const override;
  bool DrawParameters(const Latent<T>& input, const ConstRows<T>& output, const LayerScales& scales,
                      const LayerCache* input_cache, const RandomBlock& random,
                      const std::function<bool()>& keep_going,
                      Matrix<T>& parameters) const override;
  std::unique_ptr<const LayerCache> CacheParameters(const Matrix<T>& parameters,
                                                    const LayerScales& scales,
                                                    double input_variance) const override;
  void DrawInput(const Matrix<T>& parameters, const LayerCache* parameter_cache,
                 const typename Layer<T>::InputChunk& chunk, const ConstRows<T>& output,
                 const RandomBlock& random, Rows<T> mean, Rows<T> input) const override;

 protected:
  // `units` columns of 0 or 1 bias and `fan_in` weights.
  Affine(const LayerSpec& spec, const Shape& input, Eigen::Index units, bool bias,
         Eigen::Index fan_in)
      : Layer<T>(spec, input), bias_(bias ? 1 : 0), fan_in_(fan_in), units_(units) {}

  // 0 or 1.
  Eigen::Index bias() const { return bias_; }
  Eigen::Index fan_in() const { return fan_in_; }
  Eigen::Index units() const { return units_; }
  // Of the parameter matrix: bias, if any, and weights.
  Eigen::Index rows() const { return bias_ + fan_in_; }

  // Adds Pt' Pt of some samples to the lower triangle of `gram`.
  virtual void AddGram(const ConstRows<T>& input, Eigen::MatrixXd& gram) const = 0;

  // Fills in output = map * input + offset: outputs x inputs and outputs, zero before.
  virtual void WriteMap(const Matrix<T>& parameters, Eigen::MatrixXd& map,
                        Eigen::VectorXd& offset) const = 0;

 private:
  // Prior precision of each row of the parameter matrix.
  Eigen::VectorXd PriorPrecision(const LayerScales& scales) const;
  // Lower triangle of Pt' Pt; nothing when keep_going() said so.
  bool SumGram(const Latent<T>& input, const std::function<bool()>& keep_going,
               Eigen::MatrixXd& gram) const;

  const Eigen::Index bias_;
  const Eigen::Index fan_in_;
  const Eigen::Index units_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LAYERS_AFFINE_H_
