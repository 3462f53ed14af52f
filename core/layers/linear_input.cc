#include "core/layers/linear_input.h"

#include <Eigen/Cholesky>
#include <cmath>

#include "core/random/draws.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

template <typename T>
class LinearInput : public LayerCache {
 public:
  virtual void Draw(const typename Layer<T>::InputChunk& chunk, const ConstRows<T>& output,
                    const RandomBlock& random, Rows<T> mean, Rows<T> input) const = 0;
};

// Columns of normals: that of unit u is entry u * samples of the block.
template <typename T>
void DrawColumns(const typename Layer<T>::InputChunk& chunk, Index first_unit,
                 const RandomBlock& random, Rows<T> out) {
  for (Index i = 0; i < out.cols(); ++i) {
    const Index entry = (first_unit + i) * chunk.samples + chunk.first_row;
    DrawNormals<T>(random, static_cast<std::uint64_t>(entry),
                   absl::MakeSpan(&out.coeffRef(0, i), static_cast<std::size_t>(out.rows())));
  }
}

// By the Cholesky factor of P.
template <typename T>
class FactoredInput final : public LinearInput<T> {
 public:
  FactoredInput(const Eigen::MatrixXd& map, const Eigen::VectorXd& offset, double noise_variance,
                double input_variance) {
    const double precision = 1 / noise_variance;
    Eigen::MatrixXd p = precision * (map.transpose() * map);
    p.diagonal().array() += 1 / input_variance;
    const Eigen::LLT<Eigen::MatrixXd> llt(p);
    lower_ = Eigen::MatrixXd(llt.matrixL()).template cast<T>();
    pull_ = (precision * map).template cast<T>();
    offset_pull_ = (-precision * offset.transpose() * map).template cast<T>();
  }

  void Draw(const typename Layer<T>::InputChunk& chunk, const ConstRows<T>& output,
            const RandomBlock& random, Rows<T> mean, Rows<T> input) const override {
    DrawColumns<T>(chunk, 0, random, input);
    // Row form of L'^{-1} (L^{-1} h + e), h = K' (v' - b) / Delta + m / D.
    mean *= static_cast<T>(1 / chunk.input_variance);
    mean.rowwise() += offset_pull_.row(0);
    mean.noalias() += output * pull_;
    lower_.template triangularView<Eigen::Lower>()
        .transpose()
        .template solveInPlace<Eigen::OnTheRight>(mean);
    input += mean;
    lower_.template triangularView<Eigen::Lower>().template solveInPlace<Eigen::OnTheRight>(input);
  }

 private:
  Matrix<T> lower_;        // P = lower * lower'
  Matrix<T> pull_;         // K / Delta, outputs x inputs
  Matrix<T> offset_pull_;  // 1 x inputs: -b' K / Delta
};

// By Matheron's rule.
template <typename T>
class CorrectedInput final : public LinearInput<T> {
 public:
  CorrectedInput(const Eigen::MatrixXd& map, const Eigen::VectorXd& offset, double noise_variance,
                 double input_variance)
      : map_(map.transpose().template cast<T>()), offset_(offset.transpose().template cast<T>()) {
    Eigen::MatrixXd c = input_variance * (map * map.transpose());
    c.diagonal().array() += noise_variance;
    gain_ = Eigen::LLT<Eigen::MatrixXd>(c).solve(input_variance * map).template cast<T>();
  }

  void Draw(const typename Layer<T>::InputChunk& chunk, const ConstRows<T>& output,
            const RandomBlock& random, Rows<T> mean, Rows<T> input) const override {
    DrawColumns<T>(chunk, 0, random, input);
    input = mean + static_cast<T>(std::sqrt(chunk.input_variance)) * input;
    Matrix<T> correction(output.rows(), output.cols());
    DrawColumns<T>(chunk, input.cols(), random, correction);
    correction = output - static_cast<T>(std::sqrt(chunk.noise_variance)) * correction;
    correction.rowwise() -= offset_.row(0);
    correction.noalias() -= input * map_;
    input.noalias() += correction * gain_;
  }

 private:
  Matrix<T> map_;     // K', inputs x outputs
  Matrix<T> gain_;    // outputs x inputs: (D K K' + Delta)^{-1} D K
  Matrix<T> offset_;  // 1 x outputs: b'
};

// Whether the normal per output that the correction takes, about 50 operations, costs less than the
// 2 inputs (inputs - outputs) operations that it saves.
bool HasFewOutputs(const Eigen::MatrixXd& map) {
  return 25 * map.rows() < map.cols() * (map.cols() - map.rows());
}

}  // namespace

template <typename T>
std::unique_ptr<const LayerCache> FactoriseLinearInput(const Eigen::MatrixXd& map,
                                                       const Eigen::VectorXd& offset,
                                                       double noise_variance,
                                                       double input_variance) {
  if (HasFewOutputs(map)) {
    return std::make_unique<CorrectedInput<T>>(map, offset, noise_variance, input_variance);
  }
  return std::make_unique<FactoredInput<T>>(map, offset, noise_variance, input_variance);
}

template <typename T>
void DrawLinearInput(const LayerCache& cache, const typename Layer<T>::InputChunk& chunk,
                     const ConstRows<T>& output, const RandomBlock& random, Rows<T> mean,
                     Rows<T> input) {
  static_cast<const LinearInput<T>&>(cache).Draw(chunk, output, random, mean, input);
}

#define POSTERIORD_INSTANTIATE(T)                                                  \
  template std::unique_ptr<const LayerCache> FactoriseLinearInput<T>(              \
      const Eigen::MatrixXd&, const Eigen::VectorXd&, double, double);             \
  template void DrawLinearInput<T>(const LayerCache&, const Layer<T>::InputChunk&, \
                                   const ConstRows<T>&, const RandomBlock&, Rows<T>, Rows<T>)
POSTERIORD_INSTANTIATE(float);
POSTERIORD_INSTANTIATE(double);
#undef POSTERIORD_INSTANTIATE

}  // namespace posteriord::core
