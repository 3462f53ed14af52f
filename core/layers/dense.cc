#include "core/layers/dense.h"

#include <variant>

#include "core/layers/affine.h"

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

 protected:
  void AddGram(const ConstRows<T>& input, Eigen::MatrixXd& gram) const override {
    // Double also for float chains: nearly collinear inputs need it.
    const Eigen::MatrixXd wide = input.rightCols(this->rows()).transpose().template cast<double>();
    gram.template selfadjointView<Eigen::Lower>().rankUpdate(wide);
  }

  void WriteMap(const Matrix<T>& parameters, Eigen::MatrixXd& map,
                Eigen::VectorXd& offset) const override {
    map = parameters.bottomRows(this->fan_in()).template cast<double>().transpose();
    if (this->bias() == 1) offset = parameters.row(0).template cast<double>().transpose();
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
