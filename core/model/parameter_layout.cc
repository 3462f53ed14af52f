#include "core/model/parameter_layout.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/model/layer_scales.h"

namespace posteriord::core {

Shape OutputShape(const LayerSpec& layer, const Shape& input) {
  if (const auto* dense = std::get_if<DenseSpec>(&layer.operation)) return dense->units;
  if (const auto* conv = std::get_if<Conv2dSpec>(&layer.operation)) {
    return {conv->channels, (input.height - conv->kernel_height) / conv->stride + 1,
            (input.width - conv->kernel_width) / conv->stride + 1};
  }
  if (const auto* pool = std::get_if<AvgPool2dSpec>(&layer.operation)) {
    return {input.channels, input.height / pool->height, input.width / pool->width};
  }
  return input;
}

std::vector<Shape> LayerShapes(const NetworkSpec& network) {
  std::vector<Shape> shapes = {network.inputs};
  for (const LayerSpec& layer : network.layers) {
    shapes.push_back(OutputShape(layer, shapes.back()));
  }
  return shapes;
}

int FreeLatents(const NetworkSpec& network) {
  if (network.posterior == PosteriorKind::kClassical) return 0;
  const bool observed = network.likelihood == LikelihoodKind::kGaussian;
  return static_cast<int>(network.layers.size()) - (observed ? 1 : 0);
}

std::int64_t PositionDimension(const NetworkSpec& network, std::int64_t train_samples) {
  std::int64_t dimension = MakeParameterLayout(network).size;
  const std::vector<Shape> shapes = LayerShapes(network);
  for (int i = 0; i < FreeLatents(network); ++i) dimension += train_samples * shapes[i + 1].size();
  return dimension;
}

ParameterLayout MakeParameterLayout(const NetworkSpec& network) {
  ParameterLayout layout;
  const std::vector<Shape> shapes = LayerShapes(network);
  const auto add = [&layout](const LayerSpec& layer, const char* what,
                             std::vector<std::int64_t> shape) {
    std::int64_t size = 1;
    for (const std::int64_t axis : shape) size *= axis;
    layout.arrays.push_back(
        {absl::StrCat(layer.name, ".", what), std::move(shape), layout.size, size});
    layout.size += size;
  };
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const LayerSpec& layer = network.layers[i];
    if (const auto* dense = std::get_if<DenseSpec>(&layer.operation)) {
      add(layer, "weight", {dense->units, shapes[i].size()});
      if (dense->bias) add(layer, "bias", {dense->units});
    } else if (const auto* conv = std::get_if<Conv2dSpec>(&layer.operation)) {
      add(layer, "weight",
          {conv->channels, shapes[i].channels, conv->kernel_height, conv->kernel_width});
      if (conv->bias) add(layer, "bias", {conv->channels});
    }
    ForEachLearnedScale(
        layer, [&](const LearnableScale& scale, const GammaSpec&) { add(layer, scale.name, {1}); });
  }
  return layout;
}

}  // namespace posteriord::core
