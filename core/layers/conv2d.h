// Convolution of images, without padding: every output is a kernel applied to a patch of the input
// (Conv2dSpec). Conjugate updates of parameters (affine.h: the patches are gathered a position at a
// time, never all at once) and input (linear_input.h, with the kernel written as the matrix of the
// whole map: a dense factorisation of inputs x inputs, which is cheap for the first layers of small
// images only).
#ifndef POSTERIORD_CORE_LAYERS_CONV2D_H_
#define POSTERIORD_CORE_LAYERS_CONV2D_H_

#include <memory>

#include "core/layers/layer.h"

namespace posteriord::core {

// The parameter matrix has one column per output channel: its bias (if any), then its weights in
// the order input channel, kernel row, kernel column.
template <typename T>
std::unique_ptr<const Layer<T>> MakeConv2d(const LayerSpec& spec, const Shape& input);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LAYERS_CONV2D_H_
