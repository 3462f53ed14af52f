#include "core/model/parameter_layout.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace posteriord::core {

std::vector<int> LayerWidths(const NetworkSpec& network) {
  std::vector<int> widths = {network.inputs};
  for (const LayerSpec& layer : network.layers) {
    const auto* dense = std::get_if<DenseSpec>(&layer.operation);
    widths.push_back(dense != nullptr ? dense->units : widths.back());
  }
  return widths;
}

ParameterLayout MakeParameterLayout(const NetworkSpec& network) {
  ParameterLayout layout;
  const std::vector<int> widths = LayerWidths(network);
  const auto add = [&layout](std::string name, std::vector<std::int64_t> shape) {
    std::int64_t size = 1;
    for (const std::int64_t axis : shape) size *= axis;
    layout.arrays.push_back({std::move(name), std::move(shape), layout.size, size});
    layout.size += size;
  };
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const LayerSpec& layer = network.layers[i];
    const auto* dense = std::get_if<DenseSpec>(&layer.operation);
    if (dense == nullptr) continue;
    add(absl::StrCat(layer.name, ".weight"), {dense->units, widths[i]});
    if (dense->bias) add(absl::StrCat(layer.name, ".bias"), {dense->units});
  }
  return layout;
}

}  // namespace posteriord::core
