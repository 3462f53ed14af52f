#include "core/layers/dense.h"

#include <variant>

#include "core/layers/affine.h"
#include "core/layers/linear_input.h"

namespace posteriord::core {
namespace {

template <typename T>
class Dense final : public Affine<T> {
 public:
  Dense(const LayerSpec& spec, const DenseSpec& dense, const Shape& input)
      : Affine<T>(spec, input, dense.units, dense.bias, input.size()) {}

  void Forward(const Matrix<T>& parameters, const ConstRows<T>& input, Rows<T> out) const override {
    out.noalias() = input.rightCols(this->rows()) * parameters;
  }

  void AddGradient(const ConstRows<T>& input, const ConstRows<T>& upstream,
                   Eigen::MatrixXd& gradient) const override {
    const Matrix<T> part = input.rightCols(this->rows()).transpose() * upstream;
    gradient += part.template cast<double>();
  }

  void InputGradient(const Matrix<T>& parameters, const ConstRows<T>& /*input*/,
                     const ConstRows<T>& upstream, Rows<T> out) const override {
    out.noalias() = upstream * parameters.bottomRows(this->fan_in()).transpose();
  }

  std::unique_ptr<const LayerCache> CacheParameters(const Matrix<T>& parameters,
                                                    const LayerScales& scales,
                                                    double input_variance) const override {
    const Eigen::MatrixXd weights =
        parameters.bottomRows(this->fan_in()).template cast<double>().transpose();
    Eigen::VectorXd offset = Eigen::VectorXd::Zero(this->units());
    if (this->bias() == 1) offset = parameters.row(0).template cast<double>().transpose();
    return FactoriseLinearInput<T>(weights, offset, scales.noise_variance, input_variance);
  }

  void DrawInput(const Matrix<T>& /*parameters*/, const LayerCache* parameter_cache,
                 const typename Layer<T>::InputChunk& chunk, const ConstRows<T>& output,
                 const RandomBlock& random, Rows<T> mean, Rows<T> input) const override {
    DrawLinearInput<T>(*parameter_cache, chunk, output, random, mean, input);
  }

 protected:
  void AddGram(const ConstRows<T>& input, Eigen::MatrixXd& gram) const override {
    // Double also for float chains: nearly collinear inputs need it.
    const Eigen::MatrixXd wide = input.rightCols(this->rows()).transpose().template cast<double>();
    gram.template selfadjointView<Eigen::Lower>().rankUpdate(wide);
  }
};

}  // namespace

template <typename T>
std::unique_ptr<const Layer<T>> MakeDense(const LayerSpec& spec, const Shape& input) {
  return std::make_unique<Dense<T>>(spec, std::get<DenseSpec>(spec.operation), input);
}

template std::unique_ptr<const Layer<float>> MakeDense<float>(const LayerSpec&, const Shape&);
template std::unique_ptr<const Layer<double>> MakeDense<double>(const LayerSpec&, const Shape&);

}  // namespace posteriord::core
