// Training data in the precision of the chains, with what never changes about them.
#ifndef POSTERIORD_CORE_SAMPLING_TRAINING_SET_H_
#define POSTERIORD_CORE_SAMPLING_TRAINING_SET_H_

#include <memory>

#include "core/layers/latent.h"
#include "core/layers/layer.h"

namespace posteriord::core {

template <typename T>
struct TrainingSet {
  Latent<T> inputs;
  Eigen::MatrixXd targets;                        // see Likelihood
  std::unique_ptr<const LayerCache> input_cache;  // of the first layer
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_TRAINING_SET_H_
