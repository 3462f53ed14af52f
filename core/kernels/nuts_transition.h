// The no-U-turn sampler (Hoffman and Gelman, JMLR 15, 2014) in the multinomial form of Betancourt
// (arXiv 1701.02434), as in current Stan.
//
// A trajectory is doubled, forwards or backwards in time by the toss of a coin, until its ends turn
// towards each other, it diverges, or it has been doubled max_tree_depth times. It turns when the
// criterion Hamiltonian::GetsLonger fails for the whole, or for one of its halves together with the
// point of the other half next to it; a new half in which any part that is itself made by doubling
// turns, or in which the energy grows too much, is discarded and ends the trajectory.
//
// Points of a half are chosen with probability proportional to exp(-H). The new half is chosen over
// the old one with probability min(1, weight of new / weight of old), which favours long moves.
#ifndef POSTERIORD_CORE_KERNELS_NUTS_TRANSITION_H_
#define POSTERIORD_CORE_KERNELS_NUTS_TRANSITION_H_

#include <vector>

#include "core/kernels/transition.h"

namespace posteriord::core {

// A half is made point by point; of the points passed it keeps what the criterion will ask for, so
// that memory grows with the depth: three vectors for each doubling, once a trajectory gets there.
// REQUIRES: hamiltonian outlives it.
class NutsTransition final : public Transition {
 public:
  NutsTransition(Hamiltonian& hamiltonian, int max_tree_depth, double max_energy_error);

  bool Run(const PhasePoint& start, double step_size, const RandomBlock& random,
           const KeepGoing& keep_going, PhasePoint& end, StepInfo& info) override;

 private:
  // The momentum of the first point of a part and the sum of those before it in its half.
  struct PartBegin {
    Eigen::VectorXd momentum;
    Eigen::VectorXd sum_before;
  };
  // What a new half adds up to.
  struct Half {
    bool complete = false;  // neither turned nor diverged
    double log_weight = 0;  // relative to exp(-H) of the start
    double energy = 0;      // of the chosen point
  };
  struct Start {
    double energy;
    double step_size;
    const RandomBlock& random;
  };

  // Extends the trajectory by 2^depth points from its end `tip` on, in the direction of step_size.
  // Leaves the chosen point in chosen_, the sum of momenta in sum_ and the first point in
  // begins_[depth]. False when keep_going said stop.
  bool MakeHalf(const Start& start, int depth, const KeepGoing& keep_going, PhasePoint& tip,
                StepInfo& info, double& acceptance_sum, Half& half);

  // Whether one of the parts that are complete with point `point` of a half turns.
  bool PartTurns(int point, int depth, const Eigen::VectorXd& momentum);

  // The part of the half that begins at `point`.
  const PartBegin& BeginOf(int point, int depth) const;

  void Reserve(int depth);

  Hamiltonian& hamiltonian_;
  const int max_tree_depth_;
  const double max_energy_error_;

  // Workspace.
  PhasePoint forward_;              // last point in time
  PhasePoint backward_;             // first point in time
  PhasePoint chosen_;               // of the new half
  Eigen::VectorXd trajectory_sum_;  // of momenta
  Eigen::VectorXd sum_;             // of momenta of the new half so far
  Eigen::VectorXd old_tip_;         // momentum of the old half next to the new one
  Eigen::VectorXd scratch_;
  std::vector<PartBegin> begins_;      // [i]: the last point n with i trailing zero bits, or 0
  std::vector<Eigen::VectorXd> ends_;  // [i]: momentum of the point before that
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_KERNELS_NUTS_TRANSITION_H_
