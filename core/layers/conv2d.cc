#include "core/layers/conv2d.h"

#include <variant>

#include "core/layers/affine.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

template <typename T>
class Conv2d final : public Affine<T> {
 public:
  Conv2d(const LayerSpec& spec, const Conv2dSpec& conv, const Shape& input)
      : Affine<T>(spec, input, conv.channels, conv.bias,
                  Index{input.channels} * conv.kernel_height * conv.kernel_width),
        conv_(conv),
        input_(input),
        output_(OutputShape(spec, input)) {}

  void Forward(const Matrix<T>& parameters, const ConstRows<T>& input, Rows<T> out) const override {
    Matrix<T> patch = PatchFor(input.rows());
    Matrix<T> result(input.rows(), this->units());
    ForEachPosition([&](int row, int column, Index position) {
      Gather(input, row, column, patch);
      result.noalias() = patch * parameters;
      for (Index unit = 0; unit < this->units(); ++unit) {
        out.col(OutputColumn(unit, position)) = result.col(unit);
      }
    });
  }

  void AddGradient(const ConstRows<T>& input, const ConstRows<T>& upstream,
                   Eigen::MatrixXd& gradient) const override {
    Matrix<T> patch = PatchFor(input.rows());
    Matrix<T> part = Matrix<T>::Zero(this->rows(), this->units());
    Matrix<T> outputs(input.rows(), this->units());
    ForEachPosition([&](int row, int column, Index position) {
      Gather(input, row, column, patch);
      for (Index unit = 0; unit < this->units(); ++unit) {
        outputs.col(unit) = upstream.col(OutputColumn(unit, position));
      }
      part.noalias() += patch.transpose() * outputs;
    });
    gradient += part.template cast<double>();
  }

  void InputGradient(const Matrix<T>& parameters, const ConstRows<T>& /*input*/,
                     const ConstRows<T>& upstream, Rows<T> out) const override {
    out.setZero();
    ForEachPosition([&](int row, int column, Index position) {
      ForEachTap(row, column, [&](Index weight, Index input_column) {
        for (Index unit = 0; unit < this->units(); ++unit) {
          out.col(input_column) +=
              parameters(this->bias() + weight, unit) * upstream.col(OutputColumn(unit, position));
        }
      });
    });
  }

 protected:
  void AddGram(const ConstRows<T>& input, Eigen::MatrixXd& gram) const override {
    Matrix<T> patch = PatchFor(input.rows());
    Eigen::MatrixXd wide(this->rows(), input.rows());
    ForEachPosition([&](int row, int column, Index) {
      Gather(input, row, column, patch);
      wide = patch.transpose().template cast<double>();
      gram.template selfadjointView<Eigen::Lower>().rankUpdate(wide);
    });
  }

  void WriteMap(const Matrix<T>& parameters, Eigen::MatrixXd& map,
                Eigen::VectorXd& offset) const override {
    ForEachPosition([&](int row, int column, Index position) {
      for (Index unit = 0; unit < this->units(); ++unit) {
        const Index output = OutputColumn(unit, position);
        if (this->bias() == 1) offset(output) = static_cast<double>(parameters(0, unit));
        ForEachTap(row, column, [&](Index weight, Index input_column) {
          map(output, input_column) = static_cast<double>(parameters(this->bias() + weight, unit));
        });
      }
    });
  }

 private:
  // Calls body(first input row, first input column, position) for every place of the kernel.
  template <typename Body>
  void ForEachPosition(Body&& body) const {
    Index position = 0;
    for (int i = 0; i < output_.height; ++i) {
      for (int j = 0; j < output_.width; ++j) {
        body(i * conv_.stride, j * conv_.stride, position++);
      }
    }
  }

  // Calls body(index of the weight, column of the input) for every weight of a kernel.
  template <typename Body>
  void ForEachTap(int row, int column, Body&& body) const {
    Index weight = 0;
    for (int channel = 0; channel < input_.channels; ++channel) {
      for (int k = 0; k < conv_.kernel_height; ++k) {
        for (int l = 0; l < conv_.kernel_width; ++l) {
          const int pixel = (channel * input_.height + row + k) * input_.width + column + l;
          body(weight++, static_cast<Index>(pixel));
        }
      }
    }
  }

  Index OutputColumn(Index unit, Index position) const {
    return unit * output_.height * output_.width + position;
  }

  // A patch matrix whose bias column, if any, is already one.
  Matrix<T> PatchFor(Index rows) const { return Matrix<T>::Ones(rows, this->rows()); }

  // The patches of all samples at one position; `input` is augmented.
  void Gather(const ConstRows<T>& input, int row, int column, Matrix<T>& patch) const {
    ForEachTap(row, column, [&](Index weight, Index input_column) {
      patch.col(this->bias() + weight) = input.col(1 + input_column);
    });
  }

  const Conv2dSpec conv_;
  const Shape input_;
  const Shape output_;
};

}  // namespace

template <typename T>
std::unique_ptr<const Layer<T>> MakeConv2d(const LayerSpec& spec, const Shape& input) {
  return std::make_unique<Conv2d<T>>(spec, std::get<Conv2dSpec>(spec.operation), input);
}

template std::unique_ptr<const Layer<float>> MakeConv2d<float>(const LayerSpec&, const Shape&);
template std::unique_ptr<const Layer<double>> MakeConv2d<double>(const LayerSpec&, const Shape&);

}  // namespace posteriord::core
