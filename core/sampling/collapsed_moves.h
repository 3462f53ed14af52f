// Exact moves with the last hidden activations integrated out, which take a chain at equilibrium
// much further in a sweep than the plain updates do.
//
// For a network that ends in dense (w, b; K units), activation s, dense (a, b2; one output), with
// Z the latent after the first dense layer, m its mean, X that after the activation and y the
// targets: given Z, X drops out of
//
//   y ~ N(b2 + sum_k a_k s(Z_k), v),   v = Delta_y + Delta_X |a|^2,
//
// and with r = y - b2 - sum_{j != k} a_j s(Z_j) the moves are, in this order,
//
//   Z_k, unit by unit: p(z) proportional to N(z; m_k, Delta_Z) N(r; a_k s(z), v)
//     (core/random/draw_before_piecewise_linear.h, draw_before_smooth.h);
//   the scale of unit k: (w, b)_k -> c (w, b)_k, a_k -> a_k / c, with the noise Z_k - m_k held
//     fixed. In u = log c the density is
//       log p(u) = -(n/2) log v(c) - |r - (a_k/c) s(c m_k + Z_k - m_k)|^2 / (2 v(c))
//                  - c^2 Q / 2 - lambda_a a_k^2 / (2 c^2) + (d - 1) u,
//     Q = lambda_W |w|^2 + lambda_b b^2, d the number of entries of (w, b), and the last term the
//     Jacobian; u is slice-sampled;
//   (b2, a): a Metropolis-Hastings step that proposes from the Gaussian posterior at the present v,
//     which is not quite the posterior because v depends on a.
//
// Afterwards X is no draw from its conditional: it has to be drawn before anything else that uses
// it. From a start far away these moves trap a chain, which the plain updates do not: use them
// after warm-up. Own derivation; exact by the joint-distribution test.
#ifndef POSTERIORD_CORE_SAMPLING_COLLAPSED_MOVES_H_
#define POSTERIORD_CORE_SAMPLING_COLLAPSED_MOVES_H_

#include <functional>
#include <string>
#include <variant>

#include "core/model/model.h"
#include "core/random/piecewise_linear.h"
#include "core/random/smooth_activation.h"
#include "core/random/sweep_address.h"
#include "core/sampling/training_set.h"

namespace posteriord::core {

// Why a network has no collapsed moves; empty when it has.
std::string ObstacleToCollapsedMoves(const NetworkSpec& network);

// One chain's. REQUIRES: the network has no obstacle; model and data outlive it.
template <typename T>
class CollapsedMoves {
 public:
  CollapsedMoves(const Model<T>& model, const TrainingSet<T>& data);

  // All moves, one after another; leaves the latent after the activation as it was. Polls
  // keep_going between units; false once it said so, and then `state` is a mixture, to be
  // discarded.
  bool Run(const SweepAddress& address, const std::function<bool()>& keep_going, State<T>& state);

 private:
  using Vector = Eigen::VectorXd;

  void Load(const State<T>& state);
  void DrawLatent(int unit, const SweepAddress& address, State<T>& state);
  void DrawScale(int unit, const SweepAddress& address, State<T>& state);
  void DrawOutputLayer(const SweepAddress& address, State<T>& state);
  // Sets rest_ to the residual without a unit, whose output weight it returns; sets everything
  // known of a unit again from its latent, weight and rest_.
  double TakeOut(int unit);
  void PutBack(int unit, const State<T>& state);
  void Activate(const Vector& z, Eigen::Ref<Vector> out) const;
  // Of a unit in output_ and activated_.
  Eigen::Index Column(int unit) const { return output_.size() - units_ + unit; }
  double OutputWeight(int unit) const { return output_(Column(unit)); }
  // v for output weights of a given sum of squares.
  double Variance(double squared_weights) const {
    return output_noise_ + activation_noise_ * squared_weights;
  }
  double squared_weights() const { return output_.tail(units_).squaredNorm(); }

  const Model<T>& model_;
  const TrainingSet<T>& data_;
  const int hidden_;  // index of the first of the three layers
  const Eigen::Index units_;
  const std::variant<PiecewiseLinear, SmoothActivation> function_;

  // Of the state at hand, in double precision.
  double output_noise_ = 0;      // Delta_y
  double activation_noise_ = 0;  // Delta_X
  Vector output_;                // b2, if any, then a
  Eigen::MatrixXd means_;        // m, samples x units
  Eigen::MatrixXd activated_;    // s(Z), behind a column of ones if there is b2
  Vector residual_;              // y - b2 - sum_k a_k s(Z_k)

  // Workspace.
  Vector rest_;   // r
  Vector noise_;  // Z_k - m_k
  Vector pre_;    // Z_k or a proposal of it
  Vector post_;   // and of s(Z_k)
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_COLLAPSED_MOVES_H_
