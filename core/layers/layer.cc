#include "core/layers/layer.h"

#include <cmath>
#include <numbers>
#include <variant>

#include "core/layers/activation.h"
#include "core/layers/avg_pool2d.h"
#include "core/layers/conv2d.h"
#include "core/layers/dense.h"

namespace posteriord::core {

double LogPrior(const ParameterSquares& squares, const LayerScales& scales) {
  const auto log_density = [](double squared, Eigen::Index count, double precision) {
    if (count == 0) return 0.0;
    return 0.5 * (static_cast<double>(count) * std::log(precision / (2 * std::numbers::pi)) -
                  precision * squared);
  };
  return log_density(squares.weights, squares.weight_count, scales.weight_precision) +
         log_density(squares.biases, squares.bias_count, scales.bias_precision);
}

template <typename T>
std::unique_ptr<const Layer<T>> MakeLayer(const LayerSpec& spec, const Shape& input) {
  struct Maker {
    std::unique_ptr<const Layer<T>> operator()(const DenseSpec&) const {
      return MakeDense<T>(spec, input);
    }
    std::unique_ptr<const Layer<T>> operator()(const ActivationSpec&) const {
      return MakeActivation<T>(spec, input);
    }
    std::unique_ptr<const Layer<T>> operator()(const Conv2dSpec&) const {
      return MakeConv2d<T>(spec, input);
    }
    std::unique_ptr<const Layer<T>> operator()(const AvgPool2dSpec&) const {
      return MakeAvgPool2d<T>(spec, input);
    }
    const LayerSpec& spec;
    const Shape& input;
  };
  return std::visit(Maker{spec, input}, spec.operation);
}

template std::unique_ptr<const Layer<float>> MakeLayer<float>(const LayerSpec&, const Shape&);
template std::unique_ptr<const Layer<double>> MakeLayer<double>(const LayerSpec&, const Shape&);

}  // namespace posteriord::core
