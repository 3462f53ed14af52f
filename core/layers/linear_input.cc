#include "core/layers/linear_input.h"

#include <Eigen/Cholesky>

#include "core/random/draws.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

template <typename T>
struct LinearInputFactor final : LayerCache {
  Matrix<T> lower;        // P = lower * lower'
  Matrix<T> pull;         // K / Delta, outputs x inputs
  Matrix<T> offset_pull;  // 1 x inputs: -b' K / Delta
};

}  // namespace

template <typename T>
std::unique_ptr<const LayerCache> FactoriseLinearInput(const Eigen::MatrixXd& map,
                                                       const Eigen::VectorXd& offset,
                                                       double noise_variance,
                                                       double input_variance) {
  const double precision = 1 / noise_variance;
  Eigen::MatrixXd p = precision * (map.transpose() * map);
  p.diagonal().array() += 1 / input_variance;
  auto factor = std::make_unique<LinearInputFactor<T>>();
  const Eigen::LLT<Eigen::MatrixXd> llt(p);
  factor->lower = Eigen::MatrixXd(llt.matrixL()).template cast<T>();
  factor->pull = (precision * map).template cast<T>();
  factor->offset_pull = (-precision * offset.transpose() * map).template cast<T>();
  return factor;
}

template <typename T>
void DrawLinearInput(const LayerCache& cache, const typename Layer<T>::InputChunk& chunk,
                     const ConstRows<T>& output, const RandomBlock& random, Rows<T> mean,
                     Rows<T> input) {
  const auto& factor = static_cast<const LinearInputFactor<T>&>(cache);
  for (Index unit = 0; unit < input.cols(); ++unit) {
    DrawNormals<T>(random, static_cast<std::uint64_t>(unit * chunk.samples + chunk.first_row),
                   absl::MakeSpan(&input.coeffRef(0, unit), input.rows()));
  }
  // Row form of L'^{-1} (L^{-1} h + e), h = K' (v' - b) / Delta + m / D.
  mean *= static_cast<T>(1 / chunk.input_variance);
  mean.rowwise() += factor.offset_pull.row(0);
  mean.noalias() += output * factor.pull;
  factor.lower.template triangularView<Eigen::Lower>()
      .transpose()
      .template solveInPlace<Eigen::OnTheRight>(mean);
  input += mean;
  factor.lower.template triangularView<Eigen::Lower>().template solveInPlace<Eigen::OnTheRight>(
      input);
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
