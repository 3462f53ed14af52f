// Average pooling: v' = the mean over windows that tile the image (AvgPool2dSpec). No parameters.
//
// The input of a window of P pixels given its mean v', with prior N(m, D) on every pixel and noise
// Delta on v': with e ~ N(0, D I),
//   v = m + e - q sum(e) 1 + p (v' - mean(m)) 1,
//   p = D / (D + P Delta),   q = (1 - sqrt(1 - p)) / P,
// which has the covariance D I - (p D / P) 1 1'. Pixels outside every window keep their prior.
#ifndef POSTERIORD_CORE_LAYERS_AVG_POOL2D_H_
#define POSTERIORD_CORE_LAYERS_AVG_POOL2D_H_

#include <memory>

#include "core/layers/layer.h"

namespace posteriord::core {

template <typename T>
std::unique_ptr<const Layer<T>> MakeAvgPool2d(const LayerSpec& spec, const Shape& input);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LAYERS_AVG_POOL2D_H_
