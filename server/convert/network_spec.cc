#include "server/convert/network_spec.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "absl/strings/ascii.h"
#include "core/model/parameter_layout.h"
#include "server/convert/core_network.h"

namespace posteriord::server {
namespace {

constexpr int kMaxLayers = 64;
constexpr std::size_t kMaxLayerNameBytes = 32;
constexpr double kMaxSlope = 1e6;
constexpr double kMinGammaShape = 1e-3;
constexpr double kMaxGammaShape = 1e9;

bool IsLayerName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxLayerNameBytes && absl::ascii_islower(name.front()) &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
         });
}

const char* KindName(v1::Activation::Kind kind) {
  switch (kind) {
    case v1::Activation::KIND_LEAKY_RELU:
      return "leaky_relu";
    case v1::Activation::KIND_ABSOLUTE:
      return "absolute";
    case v1::Activation::KIND_SIGN:
      return "sign";
    case v1::Activation::KIND_HARD_TANH:
      return "hard_tanh";
    case v1::Activation::KIND_LINEAR:
      return "linear";
    case v1::Activation::KIND_TANH:
      return "tanh";
    case v1::Activation::KIND_ERF:
      return "erf";
    case v1::Activation::KIND_GELU:
      return "gelu";
    default:
      return "relu";
  }
}

// What the layer is called without a name of its own, but for its number.
std::string KindName(const v1::Layer& layer) {
  switch (layer.kind_case()) {
    case v1::Layer::kDense:
      return "dense";
    case v1::Layer::kConv2D:
      return "conv";
    case v1::Layer::kAvgPool2D:
      return "pool";
    case v1::Layer::kFlatten:
      return "flatten";
    default:
      return KindName(layer.activation().kind());
  }
}

bool IsClassical(const v1::Network& network) {
  return network.posterior() == v1::Network::POSTERIOR_CLASSICAL;
}

class NetworkCompleter {
 public:
  NetworkCompleter(v1::Network& network, FieldChecker& checker)
      : network_(network), checker_(checker) {}

  void Complete() {
    if (network_.layers().empty() || network_.layers_size() > kMaxLayers) {
      checker_.Add("network.layers", absl::StrCat("must be 1 to ", kMaxLayers, " layers, not ",
                                                  network_.layers_size()));
    }
    CompletePosterior();
    CompleteInputShape();
    for (int i = 0; i < network_.layers_size(); ++i) CompleteLayer(i);
    CompleteNoise();
    CompleteNames();
    CheckLastLayer();
  }

  bool CompleteForInputs(int inputs) {
    if (!IsComplete()) return false;
    core::Shape shape = inputs;
    if (network_.has_input_shape()) {
      const v1::ImageShape& image = network_.input_shape();
      shape = {image.channels(), image.height(), image.width()};
      if (shape.size() != inputs) {
        checker_.Add("network.input_shape", absl::StrCat("is that of ", shape.size(),
                                                         " numbers, but a sample has ", inputs));
        return false;
      }
    }
    for (int i = 0; i < network_.layers_size(); ++i) {
      if (!CheckFits(i, shape)) return false;
      v1::Layer& layer = *network_.mutable_layers(i);
      if (layer.has_dense()) CompletePriors(shape.size(), *layer.mutable_dense());
      if (layer.has_conv2d()) {
        const v1::Conv2d& conv = layer.conv2d();
        CompletePriors(shape.channels * conv.kernel_height() * conv.kernel_width(),
                       *layer.mutable_conv2d());
      }
      shape = OutputShape(layer, shape);
    }
    return true;
  }

 private:
  std::string Path(int index, std::string_view field = "") const {
    return absl::StrCat(LayerPath(index), ToAbsl(field));
  }

  void CompletePosterior() {
    checker_.CheckEnum("network.posterior", network_.posterior(), v1::Network_Posterior_IsValid);
    if (network_.posterior() == v1::Network::POSTERIOR_UNSPECIFIED) {
      network_.set_posterior(v1::Network::POSTERIOR_INTERMEDIATE_NOISE);
    }
    v1::Likelihood& likelihood = *network_.mutable_likelihood();
    switch (likelihood.kind_case()) {
      case v1::Likelihood::KIND_NOT_SET:
        checker_.Add("network.likelihood", "must be gaussian, probit or softmax");
        break;
      case v1::Likelihood::kProbit:
        if (!IsClassical(network_)) break;
        checker_.Add("network.likelihood.probit",
                     "is the largest entry of a noisy latent, which the classical posterior does "
                     "not have: choose softmax, or POSTERIOR_INTERMEDIATE_NOISE");
        break;
      case v1::Likelihood::kSoftmax: {
        v1::Likelihood::Softmax& softmax = *likelihood.mutable_softmax();
        if (!softmax.has_temperature()) softmax.set_temperature(1);
        checker_.CheckScale("network.likelihood.softmax.temperature", softmax.temperature());
        break;
      }
      case v1::Likelihood::kGaussian:
        break;
    }
  }

  void CompleteInputShape() {
    if (!network_.has_input_shape()) return;
    v1::ImageShape& shape = *network_.mutable_input_shape();
    if (shape.channels() == 0) shape.set_channels(1);
    bool sides = true;
    const auto check = [&](const char* field, int side) {
      sides &= checker_.CheckRange(absl::StrCat("network.input_shape.", field), side, 1, kMaxWidth);
    };
    check("channels", shape.channels());
    check("height", shape.height());
    check("width", shape.width());
    if (!sides) return;
    const double size = 1.0 * shape.channels() * shape.height() * shape.width();
    if (size <= kMaxWidth) return;
    checker_.Add("network.input_shape",
                 absl::StrCat("must be at most ", kMaxWidth, " numbers, not ", size));
  }

  void CompleteLayer(int index) {
    v1::Layer& layer = *network_.mutable_layers(index);
    switch (layer.kind_case()) {
      case v1::Layer::kDense:
        checker_.CheckRange(Path(index, ".dense.units"), layer.dense().units(), 1, kMaxWidth);
        CompleteAffine(Path(index, ".dense"), *layer.mutable_dense());
        break;
      case v1::Layer::kActivation:
        CompleteActivation(Path(index, ".activation"), *layer.mutable_activation());
        break;
      case v1::Layer::kConv2D: {
        v1::Conv2d& conv = *layer.mutable_conv2d();
        if (conv.stride() == 0) conv.set_stride(1);
        checker_.CheckRange(Path(index, ".conv2d.channels"), conv.channels(), 1, kMaxWidth);
        checker_.CheckRange(Path(index, ".conv2d.kernel_height"), conv.kernel_height(), 1,
                            kMaxWidth);
        checker_.CheckRange(Path(index, ".conv2d.kernel_width"), conv.kernel_width(), 1, kMaxWidth);
        checker_.CheckRange(Path(index, ".conv2d.stride"), conv.stride(), 1, kMaxWidth);
        CompleteAffine(Path(index, ".conv2d"), conv);
        break;
      }
      case v1::Layer::kAvgPool2D:
        checker_.CheckRange(Path(index, ".avg_pool2d.height"), layer.avg_pool2d().height(), 1,
                            kMaxWidth);
        checker_.CheckRange(Path(index, ".avg_pool2d.width"), layer.avg_pool2d().width(), 1,
                            kMaxWidth);
        break;
      case v1::Layer::kFlatten:
        break;
      case v1::Layer::KIND_NOT_SET:
        checker_.Add(Path(index),
                     "must be a dense, activation, conv2d, avg_pool2d or flatten layer");
        break;
    }
    CheckLearnedScales(index);
  }

  template <typename Affine>
  void CompleteAffine(std::string_view path, Affine& affine) {
    const absl::string_view prefix = ToAbsl(path);
    if (!affine.has_bias()) affine.set_bias(true);
    if (affine.has_weight_precision()) {
      checker_.CheckScale(absl::StrCat(prefix, ".weight_precision"), affine.weight_precision());
    }
    if (!affine.has_bias_precision()) return;
    const std::string field = absl::StrCat(prefix, ".bias_precision");
    if (affine.bias()) {
      checker_.CheckScale(field, affine.bias_precision());
    } else {
      checker_.Add(field, "is not allowed when bias is false");
    }
  }

  void CompleteActivation(std::string_view path, v1::Activation& activation) {
    const absl::string_view prefix = ToAbsl(path);
    checker_.CheckEnum(absl::StrCat(prefix, ".kind"), activation.kind(),
                       v1::Activation_Kind_IsValid);
    if (activation.kind() == v1::Activation::KIND_UNSPECIFIED) {
      activation.set_kind(v1::Activation::KIND_RELU);
    }
    const std::string field = absl::StrCat(prefix, ".negative_slope");
    if (activation.kind() != v1::Activation::KIND_LEAKY_RELU) {
      if (activation.has_negative_slope()) {
        checker_.Add(field, "is a setting of KIND_LEAKY_RELU only");
      }
      return;
    }
    if (!activation.has_negative_slope()) activation.set_negative_slope(0.01);
    if (std::abs(activation.negative_slope()) <= kMaxSlope) return;
    checker_.Add(field, absl::StrCat("must be from ", -kMaxSlope, " to ", kMaxSlope, ", not ",
                                     activation.negative_slope()));
  }

  // ----- Noise and what is learned -----

  // Why a layer has no noise; empty when it has.
  std::string ReasonWithoutNoise(int index) const {
    if (network_.layers(index).has_flatten()) return "is not allowed: a flatten layer has no noise";
    if (!IsClassical(network_)) return "";
    if (network_.likelihood().has_softmax()) {
      return "is not allowed: with softmax the classical posterior has no noise";
    }
    if (index + 1 == network_.layers_size()) return "";
    return "is not allowed: the classical posterior has noise after the last layer only";
  }

  void CompleteNoise() {
    if (network_.has_noise_variance()) {
      checker_.CheckScale("network.noise_variance", network_.noise_variance());
    }
    bool any = false;
    for (int i = 0; i < network_.layers_size(); ++i) {
      v1::Layer& layer = *network_.mutable_layers(i);
      const std::string reason = ReasonWithoutNoise(i);
      if (!reason.empty()) {
        if (layer.has_noise_variance()) checker_.Add(Path(i, ".noise_variance"), reason);
        continue;
      }
      any = true;
      if (layer.has_noise_variance()) {
        checker_.CheckScale(Path(i, ".noise_variance"), layer.noise_variance());
      } else if (network_.has_noise_variance()) {
        layer.set_noise_variance(network_.noise_variance());
      } else {
        checker_.Add(Path(i, ".noise_variance"), "is required, here or as network.noise_variance");
      }
    }
    if (!any && network_.has_noise_variance() && !network_.layers().empty()) {
      checker_.Add("network.noise_variance",
                   "is not allowed: with softmax the classical posterior has no noise");
    }
  }

  void CheckLearnedScales(int index) {
    const v1::Layer& layer = network_.layers(index);
    const bool weights = layer.has_dense() || layer.has_conv2d();
    const bool biases = (layer.has_dense() && layer.dense().bias()) ||
                        (layer.has_conv2d() && layer.conv2d().bias());
    const auto check = [&](std::string_view field, bool has, const v1::Gamma& gamma, bool may,
                           std::string_view reason) {
      if (!has) return;
      const std::string path = Path(index, field);
      if (!may) {
        checker_.Add(path, reason);
        return;
      }
      if (!(gamma.shape() >= kMinGammaShape && gamma.shape() <= kMaxGammaShape)) {
        checker_.Add(path + ".shape", absl::StrCat("must be from ", kMinGammaShape, " to ",
                                                   kMaxGammaShape, ", not ", gamma.shape()));
      }
      checker_.CheckPositive(path + ".rate", gamma.rate());
    };
    check(".noise_precision_prior", layer.has_noise_precision_prior(),
          layer.noise_precision_prior(), !layer.has_flatten() && !IsClassical(network_),
          "needs noise of the layer that is sampled: none here");
    check(".weight_precision_prior", layer.has_weight_precision_prior(),
          layer.weight_precision_prior(), weights, "needs a layer with weights");
    check(".bias_precision_prior", layer.has_bias_precision_prior(), layer.bias_precision_prior(),
          biases, "needs a layer with biases");
  }

  // ----- Names and shapes -----

  void CompleteNames() {
    std::map<std::string, int> counts;
    std::set<std::string> names;
    for (int i = 0; i < network_.layers_size(); ++i) {
      v1::Layer& layer = *network_.mutable_layers(i);
      const std::string kind = KindName(layer);
      const int count = ++counts[kind];
      if (layer.name().empty()) {
        layer.set_name(absl::StrCat(kind, count));
      } else if (!IsLayerName(layer.name())) {
        checker_.Add(Path(i, ".name"), absl::StrCat("must match [a-z][a-z0-9_]{0,31}, unlike \"",
                                                    layer.name(), "\""));
        continue;
      }
      if (!names.insert(layer.name()).second) {
        checker_.Add(Path(i, ".name"),
                     absl::StrCat("is used by two layers: \"", layer.name(), "\""));
      }
    }
  }

  void CheckLastLayer() {
    if (network_.layers().empty()) return;
    const int last = network_.layers_size() - 1;
    const bool classes = network_.likelihood().has_probit() || network_.likelihood().has_softmax();
    if (!network_.layers(last).has_dense()) {
      checker_.Add(Path(last), "must be dense, as it is the last layer");
    } else if (classes && network_.layers(last).dense().units() == 1) {
      checker_.Add(Path(last, ".dense.units"), "must be the number of classes, at least 2");
    }
  }

  // Whether Complete() found nothing that leaves the network without a shape.
  bool IsComplete() const {
    if (network_.layers().empty() || network_.layers_size() > kMaxLayers) return false;
    if (network_.likelihood().kind_case() == v1::Likelihood::KIND_NOT_SET) return false;
    const auto is_side = [](int value) { return value >= 1 && value <= kMaxWidth; };
    if (network_.has_input_shape()) {
      const v1::ImageShape& shape = network_.input_shape();
      if (!is_side(shape.channels()) || !is_side(shape.height()) || !is_side(shape.width()) ||
          1.0 * shape.channels() * shape.height() * shape.width() > kMaxWidth) {
        return false;
      }
    }
    if (!network_.layers(network_.layers_size() - 1).has_dense()) return false;
    return std::all_of(network_.layers().begin(), network_.layers().end(),
                       [&](const v1::Layer& layer) {
                         const v1::Conv2d& conv = layer.conv2d();
                         const v1::AvgPool2d& pool = layer.avg_pool2d();
                         switch (layer.kind_case()) {
                           case v1::Layer::kDense:
                             return is_side(layer.dense().units());
                           case v1::Layer::kConv2D:
                             return is_side(conv.channels()) && is_side(conv.kernel_height()) &&
                                    is_side(conv.kernel_width()) && is_side(conv.stride());
                           case v1::Layer::kAvgPool2D:
                             return is_side(pool.height()) && is_side(pool.width());
                           case v1::Layer::kActivation:
                           case v1::Layer::kFlatten:
                             return true;
                           case v1::Layer::KIND_NOT_SET:
                             return false;
                         }
                         return false;
                       });
  }

  static std::string Text(const core::Shape& shape) {
    return absl::StrCat(shape.channels, " x ", shape.height, " x ", shape.width);
  }

  // A kernel or a window inside of the layer's input, which has to be an image.
  bool CheckFits(int index, const core::Shape& input) {
    const v1::Layer& layer = network_.layers(index);
    int height = 0;
    int width = 0;
    if (layer.has_conv2d()) {
      height = layer.conv2d().kernel_height();
      width = layer.conv2d().kernel_width();
    } else if (layer.has_avg_pool2d()) {
      height = layer.avg_pool2d().height();
      width = layer.avg_pool2d().width();
    } else {
      return true;
    }
    if (height > input.height || width > input.width) {
      const bool vector = input.height == 1 && input.width == 1;
      checker_.Add(
          Path(index),
          absl::StrCat("is ", height, " x ", width, ", larger than its input, ", Text(input),
                       vector ? ", a vector: does network.input_shape say that the "
                                "inputs are images?"
                              : ""));
      return false;
    }
    const core::Shape output = OutputShape(layer, input);
    if (1.0 * output.channels * output.height * output.width <= kMaxWidth) return true;
    checker_.Add(Path(index), absl::StrCat("has an output of ", Text(output),
                                           " numbers; there can be ", kMaxWidth, " at most"));
    return false;
  }

  static core::Shape OutputShape(const v1::Layer& layer, const core::Shape& input) {
    if (layer.has_flatten()) return input.size();
    return core::OutputShape(ToCoreLayer(layer), input);
  }

  template <typename Affine>
  static void CompletePriors(int fan_in, Affine& affine) {
    if (!affine.has_weight_precision()) affine.set_weight_precision(fan_in);
    if (affine.bias() && !affine.has_bias_precision()) affine.set_bias_precision(fan_in);
  }

  v1::Network& network_;
  FieldChecker& checker_;
};

}  // namespace

std::string LayerPath(int index) { return absl::StrCat("network.layers[", index, "]"); }

void CompleteNetwork(v1::Network& network, FieldChecker& checker) {
  NetworkCompleter(network, checker).Complete();
}

bool CompleteNetworkForInputs(int inputs, v1::Network& network, FieldChecker& checker) {
  return NetworkCompleter(network, checker).CompleteForInputs(inputs);
}

}  // namespace posteriord::server
