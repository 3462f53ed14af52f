// Exact block Gibbs sampling of the intermediate-noise posterior.
//
// A sweep goes from the last layer to the first. At layer i it draws
//   the last latent given the targets, if the likelihood leaves it free (i last),
//   the layer's parameters given its input and output latents,
//   its input latent v_{i-1} given v_{i-2} and v_i (i > 0),
// each from its exact conditional. Source: Piccioli, Troiani, Zdeborova, arXiv 2306.02729.
#ifndef POSTERIORD_CORE_SAMPLING_GIBBS_H_
#define POSTERIORD_CORE_SAMPLING_GIBBS_H_

#include <cstdint>
#include <functional>

#include "core/model/model.h"
#include "core/sampling/training_set.h"

namespace posteriord::core {

// Address of a sweep's random numbers.
struct SweepAddress {
  std::uint64_t seed = 0;
  std::uint32_t chain = 0;
  std::uint64_t sweep = 0;  // counted from 1; 0 is the start
};

// One chain's sampler. Owns its workspace, so a sweep allocates only small matrices.
// REQUIRES: model and data outlive it. One thread at a time.
template <typename T>
class GibbsSampler {
 public:
  GibbsSampler(const Model<T>& model, const TrainingSet<T>& data);

  // One sweep. Polls keep_going between blocks; false once it said so, and then `state` is a
  // mixture of two sweeps, to be discarded.
  bool Sweep(const SweepAddress& address, const std::function<bool()>& keep_going, State<T>& state);

 private:
  const Latent<T>& InputOf(int layer, const State<T>& state) const;
  bool DrawLastLatent(const SweepAddress& address, const std::function<bool()>& keep_going,
                      State<T>& state);
  bool DrawInput(int layer, const SweepAddress& address, const std::function<bool()>& keep_going,
                 State<T>& state);

  const Model<T>& model_;
  const TrainingSet<T>& data_;
  Matrix<T> mean_;  // a chunk of the prior mean of a latent
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_GIBBS_H_
