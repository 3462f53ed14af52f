// Exact block Gibbs sampling of the intermediate-noise posterior.
//
// A sweep goes from the last layer to the first. At layer i it draws
//   the last latent given the targets, if the likelihood leaves it free (i last),
//   the layer's parameters given its input and output latents,
//   what is learned of its noise and priors,
//   its input latent v_{i-1} given v_{i-2} and v_i (i > 0),
// each from its exact conditional. Noise and precisions with a gamma prior on the precision p are
// conjugate: with N numbers of squared size S,
//   p ~ Gamma(shape + N / 2, rate + S / 2).
// A sweep with collapsed moves (collapsed_moves.h) begins with these and the last hidden
// activations; it then leaves out both last latents. Source: Piccioli, Troiani, Zdeborova, arXiv
// 2306.02729.
#ifndef POSTERIORD_CORE_SAMPLING_GIBBS_H_
#define POSTERIORD_CORE_SAMPLING_GIBBS_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "core/model/model.h"
#include "core/random/sweep_address.h"
#include "core/sampling/collapsed_moves.h"
#include "core/sampling/kernel.h"
#include "core/sampling/training_set.h"

namespace posteriord::core {

// One chain's sampler. Owns its workspace, so a sweep allocates only small matrices.
// REQUIRES: model and data outlive it.
template <typename T>
class GibbsSampler final : public Kernel<T> {
 public:
  GibbsSampler(const Model<T>& model, const TrainingSet<T>& data, const GibbsSpec& spec = {});

  // After an interruption `state` is a mixture of two sweeps, to be discarded.
  bool Sweep(const SweepAddress& address, const std::function<bool()>& keep_going,
             State<T>& state) override;

 private:
  const Latent<T>& InputOf(int layer, const State<T>& state) const;
  bool DrawScales(int layer, const SweepAddress& address, const std::function<bool()>& keep_going,
                  State<T>& state);
  bool DrawLastLatent(const SweepAddress& address, const std::function<bool()>& keep_going,
                      State<T>& state);
  bool DrawInput(int layer, const SweepAddress& address, const std::function<bool()>& keep_going,
                 State<T>& state);

  const Model<T>& model_;
  const TrainingSet<T>& data_;
  const std::int64_t collapsed_from_sweep_;
  std::optional<CollapsedMoves<T>> collapsed_moves_;
  Matrix<T> mean_;  // a chunk of the prior mean of a latent
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_GIBBS_H_
