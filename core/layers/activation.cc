#include "core/layers/activation.h"

#include <variant>

#include "core/random/draw_before_piecewise_linear.h"
#include "core/random/draw_before_smooth.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

template <typename T, typename Derived>
absl::Span<const T> Column(const Eigen::DenseBase<Derived>& matrix, Index column) {
  return absl::MakeConstSpan(&matrix.derived().coeffRef(0, column),
                             static_cast<std::size_t>(matrix.rows()));
}

template <typename T>
absl::Span<T> MutableColumn(Rows<T>& matrix, Index column) {
  return absl::MakeSpan(&matrix.coeffRef(0, column), static_cast<std::size_t>(matrix.rows()));
}

// `Function` is PiecewiseLinear or SmoothActivation.
template <typename T, typename Function>
class Activation final : public Layer<T> {
 public:
  Activation(const LayerSpec& spec, const Shape& input, const Function& function)
      : Layer<T>(spec, input), function_(function) {}

  void Forward(const Matrix<T>&, const ConstRows<T>& input, Rows<T> out) const override {
    for (Index unit = 0; unit < this->inputs(); ++unit) {
      Evaluate<T>(function_, Column<T>(input, 1 + unit), MutableColumn<T>(out, unit));
    }
  }

  void InputGradient(const Matrix<T>&, const ConstRows<T>& input, const ConstRows<T>& upstream,
                     Rows<T> out) const override {
    for (Index unit = 0; unit < this->inputs(); ++unit) {
      EvaluateSlope<T>(function_, Column<T>(input, 1 + unit), MutableColumn<T>(out, unit));
    }
    out.array() *= upstream.array();
  }

  void DrawInput(const Matrix<T>&, const LayerCache*, const typename Layer<T>::InputChunk& chunk,
                 const ConstRows<T>& output, const RandomBlock& random, Rows<T> mean,
                 Rows<T> input) const override {
    for (Index unit = 0; unit < this->inputs(); ++unit) {
      DrawColumn(chunk, static_cast<std::uint64_t>(unit * chunk.samples + chunk.first_row), random,
                 Column<T>(mean, unit), Column<T>(output, unit), MutableColumn<T>(input, unit));
    }
  }

 private:
  void DrawColumn(const typename Layer<T>::InputChunk& chunk, std::uint64_t first_entry,
                  const RandomBlock& random, absl::Span<const T> mean, absl::Span<const T> output,
                  absl::Span<T> input) const {
    if constexpr (std::is_same_v<Function, PiecewiseLinear>) {
      DrawBeforePiecewiseLinear<T>(function_, chunk.input_variance, chunk.noise_variance, random,
                                   first_entry, mean, output, input);
    } else {
      DrawBeforeSmooth<T>(function_, chunk.input_variance, chunk.noise_variance, random,
                          first_entry, static_cast<std::uint64_t>(chunk.samples * this->inputs()),
                          mean, output, input);
    }
  }

  const Function function_;
};

}  // namespace

std::variant<PiecewiseLinear, SmoothActivation> ActivationFunction(const ActivationSpec& spec) {
  switch (spec.kind) {
    case ActivationKind::kRelu:
      return PiecewiseLinear::Relu();
    case ActivationKind::kLeakyRelu:
      return PiecewiseLinear::LeakyRelu(spec.negative_slope);
    case ActivationKind::kAbsolute:
      return PiecewiseLinear::Absolute();
    case ActivationKind::kSign:
      return PiecewiseLinear::Sign();
    case ActivationKind::kHardTanh:
      return PiecewiseLinear::HardTanh();
    case ActivationKind::kLinear:
      break;
    case ActivationKind::kTanh:
      return SmoothActivation::Tanh();
    case ActivationKind::kErf:
      return SmoothActivation::Erf();
    case ActivationKind::kGelu:
      return SmoothActivation::Gelu();
  }
  return PiecewiseLinear::Linear();
}

template <typename T>
std::unique_ptr<const Layer<T>> MakeActivation(const LayerSpec& spec, const Shape& input) {
  return std::visit(
      [&]<typename Function>(const Function& function) -> std::unique_ptr<const Layer<T>> {
        return std::make_unique<Activation<T, Function>>(spec, input, function);
      },
      ActivationFunction(std::get<ActivationSpec>(spec.operation)));
}

template std::unique_ptr<const Layer<float>> MakeActivation<float>(const LayerSpec&, const Shape&);
template std::unique_ptr<const Layer<double>> MakeActivation<double>(const LayerSpec&,
                                                                     const Shape&);

}  // namespace posteriord::core
