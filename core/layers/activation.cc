#include "core/layers/activation.h"

#include <variant>

#include "core/random/draws.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

TwoPieceLinear Pieces(ActivationKind kind) {
  switch (kind) {
    case ActivationKind::kRelu:
      return {.negative_slope = 0, .positive_slope = 1};
  }
  return {};
}

template <typename T>
class Activation final : public Layer<T> {
 public:
  Activation(const LayerSpec& spec, ActivationKind kind, Index width)
      : Layer<T>(spec.name, width, width, spec.noise_variance), pieces_(Pieces(kind)) {}

  Matrix<T> ZeroParameters() const override { return {}; }
  Matrix<T> DrawPrior(const RandomBlock&) const override { return {}; }
  double LogPrior(const Matrix<T>&) const override { return 0; }
  void Export(const Matrix<T>&, absl::Span<double>) const override {}
  Matrix<T> Import(absl::Span<const double>) const override { return {}; }

  void Forward(const Matrix<T>&, const ConstRows<T>& input, Rows<T> out) const override {
    const T negative = static_cast<T>(pieces_.negative_slope);
    const T positive = static_cast<T>(pieces_.positive_slope);
    const auto z = input.rightCols(this->inputs());
    out = positive * z.cwiseMax(T{0}) + negative * z.cwiseMin(T{0});
  }

  absl::StatusOr<std::unique_ptr<const LayerCache>> CacheInput(const Latent<T>&) const override {
    return nullptr;
  }

  bool DrawParameters(const Latent<T>&, const ConstRows<T>&, const LayerCache*, const RandomBlock&,
                      const std::function<bool()>&, Matrix<T>&) const override {
    return true;
  }

  void AddGradient(const ConstRows<T>&, const ConstRows<T>&, Eigen::MatrixXd&) const override {}
  LayerSummary Summarise(const Matrix<T>&, const Eigen::MatrixXd&) const override { return {}; }

  std::unique_ptr<const LayerCache> CacheParameters(const Matrix<T>&, double) const override {
    return nullptr;
  }

  void DrawInput(const Matrix<T>&, const LayerCache*, const typename Layer<T>::InputChunk& chunk,
                 const ConstRows<T>& output, const RandomBlock& random, Rows<T> mean,
                 Rows<T> input) const override {
    const auto rows = static_cast<std::size_t>(mean.rows());
    for (Index unit = 0; unit < this->inputs(); ++unit) {
      DrawBeforeTwoPieceLinear<T>(
          pieces_, chunk.input_variance, this->noise_variance(), random,
          static_cast<std::uint64_t>(unit * chunk.samples + chunk.first_row),
          absl::MakeConstSpan(&mean.coeffRef(0, unit), rows),
          absl::MakeConstSpan(&output.coeffRef(0, unit), rows),
          absl::MakeSpan(&input.coeffRef(0, unit), rows));
    }
  }

 private:
  const TwoPieceLinear pieces_;
};

}  // namespace

template <typename T>
std::unique_ptr<const Layer<T>> MakeActivation(const LayerSpec& spec, Index inputs) {
  return std::make_unique<Activation<T>>(spec, std::get<ActivationSpec>(spec.operation).kind,
                                         inputs);
}

template std::unique_ptr<const Layer<float>> MakeActivation<float>(const LayerSpec&, Index);
template std::unique_ptr<const Layer<double>> MakeActivation<double>(const LayerSpec&, Index);

}  // namespace posteriord::core
