#include "server/convert/core_network.h"

#include <optional>

namespace posteriord::server {
namespace {

core::ActivationSpec ToCoreActivation(const v1::Activation& activation) {
  core::ActivationSpec spec;
  switch (activation.kind()) {
    case v1::Activation::KIND_LEAKY_RELU:
      spec.kind = core::ActivationKind::kLeakyRelu;
      spec.negative_slope = activation.negative_slope();
      break;
    case v1::Activation::KIND_ABSOLUTE:
      spec.kind = core::ActivationKind::kAbsolute;
      break;
    case v1::Activation::KIND_SIGN:
      spec.kind = core::ActivationKind::kSign;
      break;
    case v1::Activation::KIND_HARD_TANH:
      spec.kind = core::ActivationKind::kHardTanh;
      break;
    case v1::Activation::KIND_LINEAR:
      spec.kind = core::ActivationKind::kLinear;
      break;
    case v1::Activation::KIND_TANH:
      spec.kind = core::ActivationKind::kTanh;
      break;
    case v1::Activation::KIND_ERF:
      spec.kind = core::ActivationKind::kErf;
      break;
    case v1::Activation::KIND_GELU:
      spec.kind = core::ActivationKind::kGelu;
      break;
    default:
      break;
  }
  return spec;
}

std::optional<core::GammaSpec> ToCoreGamma(bool has, const v1::Gamma& gamma) {
  if (!has) return std::nullopt;
  return core::GammaSpec{gamma.shape(), gamma.rate()};
}

}  // namespace

core::LayerSpec ToCoreLayer(const v1::Layer& layer) {
  core::LayerSpec spec{.name = layer.name(), .noise_variance = layer.noise_variance()};
  if (layer.has_dense()) {
    const v1::Dense& dense = layer.dense();
    spec.operation = core::DenseSpec{.units = dense.units(),
                                     .bias = dense.bias(),
                                     .weight_precision = dense.weight_precision(),
                                     .bias_precision = dense.bias_precision()};
  } else if (layer.has_conv2d()) {
    const v1::Conv2d& conv = layer.conv2d();
    spec.operation = core::Conv2dSpec{.channels = conv.channels(),
                                      .kernel_height = conv.kernel_height(),
                                      .kernel_width = conv.kernel_width(),
                                      .stride = conv.stride(),
                                      .bias = conv.bias(),
                                      .weight_precision = conv.weight_precision(),
                                      .bias_precision = conv.bias_precision()};
  } else if (layer.has_avg_pool2d()) {
    spec.operation = core::AvgPool2dSpec{layer.avg_pool2d().height(), layer.avg_pool2d().width()};
  } else {
    spec.operation = ToCoreActivation(layer.activation());
  }
  spec.noise_precision_prior =
      ToCoreGamma(layer.has_noise_precision_prior(), layer.noise_precision_prior());
  spec.weight_precision_prior =
      ToCoreGamma(layer.has_weight_precision_prior(), layer.weight_precision_prior());
  spec.bias_precision_prior =
      ToCoreGamma(layer.has_bias_precision_prior(), layer.bias_precision_prior());
  return spec;
}

core::NetworkSpec ToCoreNetwork(const v1::Network& complete, int inputs) {
  core::NetworkSpec network;
  network.inputs = inputs;
  if (complete.has_input_shape()) {
    const v1::ImageShape& shape = complete.input_shape();
    network.inputs = {shape.channels(), shape.height(), shape.width()};
  }
  for (const v1::Layer& layer : complete.layers()) {
    if (layer.has_flatten()) continue;  // core reads an image as a vector wherever it wants one
    network.layers.push_back(ToCoreLayer(layer));
  }
  if (complete.likelihood().has_probit()) network.likelihood = core::LikelihoodKind::kProbit;
  if (complete.likelihood().has_softmax()) {
    network.likelihood = core::LikelihoodKind::kSoftmax;
    network.temperature = complete.likelihood().softmax().temperature();
  }
  if (complete.posterior() == v1::Network::POSTERIOR_CLASSICAL)
    network.posterior = core::PosteriorKind::kClassical;
  return network;
}

}  // namespace posteriord::server
