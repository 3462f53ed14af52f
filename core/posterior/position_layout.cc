#include "core/posterior/position_layout.h"

namespace posteriord::core {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

// Copies a matrix to the part of the position that begins at `offset`, and moves that on.
template <typename Derived>
void Append(const Eigen::MatrixBase<Derived>& matrix, Index& offset, VectorXd& position) {
  position.segment(offset, matrix.size()).reshaped(matrix.rows(), matrix.cols()) =
      matrix.template cast<double>();
  offset += matrix.size();
}

}  // namespace

template <typename T>
PositionLayout<T>::PositionLayout(const Model<T>& model, Index samples)
    : free_latents_(FreeLatents(model.network())),
      dimension_(PositionDimension(model.network(), samples)) {}

template <typename T>
void PositionLayout<T>::Pack(const State<T>& state, VectorXd& position) const {
  position.resize(dimension_);
  Index offset = 0;
  for (const Matrix<T>& parameters : state.parameters) Append(parameters, offset, position);
  for (int i = 0; i < free_latents_; ++i) Append(state.latents[i].values(), offset, position);
}

template <typename T>
void PositionLayout<T>::PackGradient(const PosteriorTerms<T>& terms, VectorXd& gradient) const {
  gradient.resize(dimension_);
  Index offset = 0;
  for (const Eigen::MatrixXd& part : terms.parameter_gradient) Append(part, offset, gradient);
  for (const Matrix<T>& part : terms.latent_gradient) Append(part, offset, gradient);
}

template <typename T>
void PositionLayout<T>::Unpack(const VectorXd& position, State<T>& state) const {
  Index offset = 0;
  const auto take = [&](auto&& matrix) {
    matrix = position.segment(offset, matrix.size())
                 .reshaped(matrix.rows(), matrix.cols())
                 .template cast<T>();
    offset += matrix.size();
  };
  for (Matrix<T>& parameters : state.parameters) take(parameters);
  for (int i = 0; i < free_latents_; ++i) take(state.latents[i].values());
}

template class PositionLayout<float>;
template class PositionLayout<double>;

}  // namespace posteriord::core
