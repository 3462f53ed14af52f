#include "core/layers/avg_pool2d.h"

#include <cmath>
#include <variant>

#include "core/random/draws.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

template <typename T>
class AvgPool2d final : public Layer<T> {
 public:
  AvgPool2d(const LayerSpec& spec, const AvgPool2dSpec& pool, const Shape& input)
      : Layer<T>(spec, input), pool_(pool), input_(input), output_(OutputShape(spec, input)) {}

  void Forward(const Matrix<T>&, const ConstRows<T>& input, Rows<T> out) const override {
    const auto pixels = input.rightCols(this->inputs());
    out.setZero();
    ForEachPixel([&](Index pixel, Index window) { out.col(window) += pixels.col(pixel); });
    out *= static_cast<T>(1.0 / window_size());
  }

  void InputGradient(const Matrix<T>&, const ConstRows<T>&, const ConstRows<T>& upstream,
                     Rows<T> out) const override {
    const T share = static_cast<T>(1.0 / window_size());
    out.setZero();
    ForEachPixel([&](Index pixel, Index window) { out.col(pixel) = share * upstream.col(window); });
  }

  void DrawInput(const Matrix<T>&, const LayerCache*, const typename Layer<T>::InputChunk& chunk,
                 const ConstRows<T>& output, const RandomBlock& random, Rows<T> mean,
                 Rows<T> input) const override {
    for (Index pixel = 0; pixel < this->inputs(); ++pixel) {
      DrawNormals<T>(random, static_cast<std::uint64_t>(pixel * chunk.samples + chunk.first_row),
                     absl::MakeSpan(&input.coeffRef(0, pixel), input.rows()));
    }
    input *= static_cast<T>(std::sqrt(chunk.input_variance));  // e
    Matrix<T> shift = Matrix<T>::Zero(input.rows(), this->outputs());
    Matrix<T> noise = shift;
    ForEachPixel([&](Index pixel, Index window) {
      shift.col(window) += mean.col(pixel);
      noise.col(window) += input.col(pixel);
    });
    const double size = window_size();
    const double pull = chunk.input_variance / (chunk.input_variance + size * chunk.noise_variance);
    shift = static_cast<T>(pull) * (output - static_cast<T>(1 / size) * shift) -
            static_cast<T>((1 - std::sqrt(1 - pull)) / size) * noise;
    input += mean;
    ForEachPixel([&](Index pixel, Index window) { input.col(pixel) += shift.col(window); });
  }

 private:
  double window_size() const { return static_cast<double>(pool_.height) * pool_.width; }

  // Calls body(column of the input, column of the output) for every pixel in a window.
  template <typename Body>
  void ForEachPixel(Body&& body) const {
    for (int channel = 0; channel < input_.channels; ++channel) {
      for (int i = 0; i < output_.height * pool_.height; ++i) {
        for (int j = 0; j < output_.width * pool_.width; ++j) {
          const int pixel = (channel * input_.height + i) * input_.width + j;
          const int window =
              (channel * output_.height + i / pool_.height) * output_.width + j / pool_.width;
          body(static_cast<Index>(pixel), static_cast<Index>(window));
        }
      }
    }
  }

  const AvgPool2dSpec pool_;
  const Shape input_;
  const Shape output_;
};

}  // namespace

template <typename T>
std::unique_ptr<const Layer<T>> MakeAvgPool2d(const LayerSpec& spec, const Shape& input) {
  return std::make_unique<AvgPool2d<T>>(spec, std::get<AvgPool2dSpec>(spec.operation), input);
}

template std::unique_ptr<const Layer<float>> MakeAvgPool2d<float>(const LayerSpec&, const Shape&);
template std::unique_ptr<const Layer<double>> MakeAvgPool2d<double>(const LayerSpec&, const Shape&);

}  // namespace posteriord::core
