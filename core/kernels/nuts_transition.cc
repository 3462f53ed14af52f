#include "core/kernels/nuts_transition.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/random/draws.h"

namespace posteriord::core {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// log(exp(a) + exp(b)); -inf stands for nothing.
double LogSumExp(double a, double b) {
  const double larger = std::max(a, b);
  if (larger == -kInfinity) return larger;
  return larger + std::log1p(std::exp(std::min(a, b) - larger));
}

int TrailingZeros(int n) { return std::countr_zero(static_cast<unsigned>(n)); }

}  // namespace

NutsTransition::NutsTransition(Hamiltonian& hamiltonian, int max_tree_depth,
                               double max_energy_error)
    : hamiltonian_(hamiltonian),
      max_tree_depth_(max_tree_depth),
      max_energy_error_(max_energy_error),
      forward_(hamiltonian.dimension()),
      backward_(hamiltonian.dimension()),
      chosen_(hamiltonian.dimension()),
      trajectory_sum_(hamiltonian.dimension()),
      sum_(hamiltonian.dimension()),
      old_tip_(hamiltonian.dimension()),
      scratch_(hamiltonian.dimension()) {}

void NutsTransition::Reserve(int depth) {
  while (begins_.size() <= static_cast<std::size_t>(depth)) {
    begins_.push_back({Eigen::VectorXd(sum_.size()), Eigen::VectorXd(sum_.size())});
    ends_.emplace_back(sum_.size());
  }
}

bool NutsTransition::Run(const PhasePoint& start, double step_size, const RandomBlock& random,
                         const KeepGoing& keep_going, PhasePoint& end, StepInfo& info) {
  info = StepInfo{};
  const double start_energy = hamiltonian_.Energy(start);
  info.energy = start_energy;
  forward_ = start;
  backward_ = start;
  end = start;
  trajectory_sum_ = start.momentum;
  double log_weight = 0;
  double acceptance_sum = 0;
  while (info.tree_depth < max_tree_depth_) {
    const int depth = info.tree_depth;
    const bool is_forward = DrawUniform(random, TransitionElement::Direction(depth)) > 0.5;
    PhasePoint& tip = is_forward ? forward_ : backward_;
    const PhasePoint& other_tip = is_forward ? backward_ : forward_;
    old_tip_ = tip.momentum;
    Half half;
    if (!MakeHalf({start_energy, is_forward ? step_size : -step_size, random}, depth, keep_going,
                  tip, info, acceptance_sum, half)) {
      return false;
    }
    if (!half.complete) break;
    ++info.tree_depth;
    if (DrawUniform(random, TransitionElement::NewHalf(depth)) <
        std::exp(half.log_weight - log_weight)) {
      end.position.swap(chosen_.position);
      end.gradient.swap(chosen_.gradient);
      end.log_density = chosen_.log_density;
      info.energy = half.energy;
    }
    log_weight = LogSumExp(log_weight, half.log_weight);

    // Momenta are those of one direction of time, so the criterion does not ask which half is
    // first.
    const Eigen::VectorXd& first = begins_[static_cast<std::size_t>(depth)].momentum;
    scratch_ = trajectory_sum_ + first;
    bool gets_longer = hamiltonian_.GetsLonger(other_tip.momentum, first, scratch_);
    scratch_ = sum_ + old_tip_;
    gets_longer = gets_longer && hamiltonian_.GetsLonger(old_tip_, tip.momentum, scratch_);
    trajectory_sum_ += sum_;
    gets_longer =
        gets_longer && hamiltonian_.GetsLonger(other_tip.momentum, tip.momentum, trajectory_sum_);
    if (!gets_longer) break;
  }
  info.acceptance = acceptance_sum / info.leapfrog_steps;
  return true;
}

bool NutsTransition::MakeHalf(const Start& start, int depth, const KeepGoing& keep_going,
                              PhasePoint& tip, StepInfo& info, double& acceptance_sum, Half& half) {
  Reserve(depth);
  half.log_weight = -kInfinity;
  sum_.setZero();
  const int points = 1 << depth;
  for (int point = 0; point < points; ++point) {
    if (!hamiltonian_.Leapfrog(start.step_size, keep_going, tip)) return false;
    const std::uint64_t element = TransitionElement::Point(info.leapfrog_steps++);
    const double energy = hamiltonian_.Energy(tip);
    const double error = energy - start.energy;
    acceptance_sum += std::exp(std::min(0.0, -error));
    if (!(error <= max_energy_error_)) {
      info.divergent = true;
      return true;
    }

    half.log_weight = LogSumExp(half.log_weight, -error);
    if (point == 0 || DrawUniform(start.random, element) < std::exp(-error - half.log_weight)) {
      chosen_.position = tip.position;
      chosen_.gradient = tip.gradient;
      chosen_.log_density = tip.log_density;
      half.energy = energy;
    }

    PartBegin& begin = begins_[static_cast<std::size_t>(point == 0 ? depth : TrailingZeros(point))];
    begin.momentum = tip.momentum;
    begin.sum_before = sum_;
    sum_ += tip.momentum;
    if (PartTurns(point, depth, tip.momentum)) return true;
    ends_[static_cast<std::size_t>(TrailingZeros(point + 1))] = tip.momentum;
  }
  half.complete = true;
  return true;
}

const NutsTransition::PartBegin& NutsTransition::BeginOf(int point, int depth) const {
  return begins_[static_cast<std::size_t>(point == 0 ? depth : TrailingZeros(point))];
}

bool NutsTransition::PartTurns(int point, int depth, const Eigen::VectorXd& momentum) {
  // With point n the parts of 2, 4, ..., 2^k points that end there are complete, where 2^k divides
  // n + 1. Each began at a multiple of its size, since when no point divisible by as much has come:
  // what was kept of its begin, and of its middle, is still there.
  for (int level = 1; level <= TrailingZeros(point + 1); ++level) {
    const int first_point = point + 1 - (1 << level);
    const PartBegin& first = BeginOf(first_point, depth);
    scratch_ = sum_ - first.sum_before;
    if (!hamiltonian_.GetsLonger(first.momentum, momentum, scratch_)) return true;
    if (level == 1) continue;  // the other two would repeat it
    const PartBegin& middle = BeginOf(first_point + (1 << (level - 1)), depth);
    scratch_ = middle.sum_before - first.sum_before + middle.momentum;
    if (!hamiltonian_.GetsLonger(first.momentum, middle.momentum, scratch_)) return true;
    const Eigen::VectorXd& before_middle = ends_[static_cast<std::size_t>(level - 1)];
    scratch_ = sum_ - middle.sum_before + before_middle;
    if (!hamiltonian_.GetsLonger(before_middle, momentum, scratch_)) return true;
  }
  return false;
}

}  // namespace posteriord::core
