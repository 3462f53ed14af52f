// How the last latent makes the targets, and how outputs are judged against them.
#ifndef POSTERIORD_CORE_LIKELIHOOD_LIKELIHOOD_H_
#define POSTERIORD_CORE_LIKELIHOOD_LIKELIHOOD_H_

#include <memory>

#include "core/linalg/matrix.h"
#include "core/random/random_block.h"
#include "core/spec.h"

namespace posteriord::core {

// Immutable. Targets are doubles: samples x outputs (Gaussian) or samples x 1 class indices
// (probit, softmax).
template <typename T>
class Likelihood {
 public:
  virtual ~Likelihood() = default;

  // Whether the last latent is the targets themselves; otherwise it is sampled by DrawLatent.
  virtual bool latent_is_observed() const = 0;

  // Targets that the last latent makes (also used on noise-free outputs): itself, or the largest
  // class.
  virtual Eigen::MatrixXd MakeTargets(const ConstRows<T>& latent) const = 0;

  // A chunk of the last latent given the targets, in place, rows [first_row, first_row + rows) of
  // `samples`; prior N(mean, variance). REQUIRES: !latent_is_observed().
  struct Chunk {
    Eigen::Index first_row;
    Eigen::Index samples;
    double variance;
  };
  virtual void DrawLatent(const Chunk& chunk, const Eigen::MatrixXd& targets,
                          const RandomBlock& random, const ConstRows<T>& mean,
                          Rows<T> latent) const = 0;

  // Log probability of the targets of some samples, rows [first_row, ...), given the last latent;
  // `gradient`, as large as `latent`, is set to its gradient. REQUIRES: neither observed nor
  // probit.
  virtual double LogDensity(const ConstRows<T>& latent, const Eigen::MatrixXd& targets,
                            Eigen::Index first_row, Rows<T> gradient) const = 0;

  // Adds the noise that the classical posterior has at the output, in place: that of targets made
  // of it afterwards. `variance` is the noise variance of the last layer. REQUIRES: not probit.
  virtual void AddOutputNoise(double variance, const RandomBlock& random,
                              Matrix<T>& outputs) const = 0;

  // Adds one draw's prediction, outputs (Gaussian) or one-hot votes (classes), to `sum`.
  virtual void AddPrediction(const ConstRows<T>& outputs, Eigen::MatrixXd& sum) const = 0;

  // Mean squared error over samples and outputs (Gaussian), or share of samples whose largest
  // entry is not the target's (classes). Serves outputs of one draw and sums of predictions divided
  // by their number alike.
  virtual double Error(const Eigen::MatrixXd& prediction, const Eigen::MatrixXd& targets) const = 0;
};

template <typename T>
std::unique_ptr<const Likelihood<T>> MakeLikelihood(const NetworkSpec& network);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_LIKELIHOOD_LIKELIHOOD_H_
