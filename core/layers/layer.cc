#include "core/layers/layer.h"

#include <variant>

#include "core/layers/activation.h"
#include "core/layers/dense.h"

namespace posteriord::core {

template <typename T>
std::unique_ptr<const Layer<T>> MakeLayer(const LayerSpec& spec, Eigen::Index inputs) {
  if (std::holds_alternative<DenseSpec>(spec.operation)) return MakeDense<T>(spec, inputs);
  return MakeActivation<T>(spec, inputs);
}

template std::unique_ptr<const Layer<float>> MakeLayer<float>(const LayerSpec&, Eigen::Index);
template std::unique_ptr<const Layer<double>> MakeLayer<double>(const LayerSpec&, Eigen::Index);

}  // namespace posteriord::core
