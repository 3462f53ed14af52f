// NUTS once more, recursive and wasteful, after Betancourt (arXiv 1701.02434) and the description
// of Stan's extra checks; it shares only the leapfrog step with the implementation under test. It
// can be told to be wrong.
#ifndef POSTERIORD_TESTS_CORE_KERNELS_REFERENCE_NUTS_H_
#define POSTERIORD_TESTS_CORE_KERNELS_REFERENCE_NUTS_H_

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "core/kernels/hamiltonian.h"
#include "core/kernels/metric.h"
#include "tests/core/kernels/targets.h"

namespace posteriord::testing {

struct ReferenceNuts {
  // How the sampler may be wrong.
  bool ignores_weights = false;       // points are chosen uniformly
  bool ignores_turns_inside = false;  // only whole trajectories are checked
  bool keeps_turned_half = false;     // chooses from a half that turned

  struct Result {
    Eigen::VectorXd position;
    int depth = 0;
    int leapfrog_steps = 0;
    bool divergent = false;
    double acceptance = 0;
  };

  core::Hamiltonian& hamiltonian;
  const core::Metric& metric;
  int max_depth = 10;
  double max_energy_error = 1000;

  // `is_forward(depth)` tosses the coin, `uniform()` chooses.
  Result Run(const core::PhasePoint& start, double step_size,
             const std::function<bool(int)>& is_forward, const std::function<double()>& uniform) {
    Result result;
    const double start_energy = hamiltonian.Energy(start);
    std::vector<core::PhasePoint> trajectory = {start};  // in order of time
    double weight = 1;
    result.position = start.position;
    for (int depth = 0; depth < max_depth; ++depth) {
      const bool forward = is_forward(depth);
      std::vector<core::PhasePoint> half;  // in order of its making
      bool valid = true;
      for (int i = 0; i < 1 << depth && valid; ++i) {
        core::PhasePoint point =
            half.empty() ? (forward ? trajectory.back() : trajectory.front()) : half.back();
        hamiltonian.Leapfrog(forward ? step_size : -step_size, kAlways, point);
        half.push_back(point);
        ++result.leapfrog_steps;
        const double error = hamiltonian.Energy(point) - start_energy;
        result.acceptance += std::min(1.0, std::exp(-error));
        if (!(error <= max_energy_error)) {
          result.divergent = true;
          valid = false;
        }
        // Every part of 2, 4, ... points that is complete with this one, from the smallest.
        for (int size = 2; valid && !ignores_turns_inside && (i + 1) % size == 0; size *= 2) {
          if (Turns(half, i + 1 - size, i + 1 - size / 2, i + 1)) valid = false;
        }
      }
      if (!valid && !(keeps_turned_half && !result.divergent)) break;
      ++result.depth;
      std::vector<double> weights;
      double half_weight = 0;
      for (const core::PhasePoint& point : half) {
        weights.push_back(ignores_weights ? 1 : std::exp(start_energy - hamiltonian.Energy(point)));
        half_weight += weights.back();
      }
      if (uniform() < half_weight / weight) {
        double u = uniform() * half_weight;
        std::size_t chosen = 0;
        while (chosen + 1 < half.size() && u >= weights[chosen]) u -= weights[chosen++];
        result.position = half[chosen].position;
      }
      weight += half_weight;
      if (!forward) std::reverse(half.begin(), half.end());
      const std::size_t middle = forward ? trajectory.size() : half.size();
      trajectory.insert(forward ? trajectory.end() : trajectory.begin(), half.begin(), half.end());
      if (!valid || Turns(trajectory, 0, middle, trajectory.size())) break;
    }
    result.acceptance /= result.leapfrog_steps;
    return result;
  }

 private:
  bool Turns(const std::vector<core::PhasePoint>& points, std::size_t begin, std::size_t middle,
             std::size_t end) const {
    return EndsTurn(points, begin, end) || EndsTurn(points, begin, middle + 1) ||
           EndsTurn(points, middle - 1, end);
  }
  // Of the points [begin, end).
  bool EndsTurn(const std::vector<core::PhasePoint>& points, std::size_t begin,
                std::size_t end) const {
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(points[begin].momentum.size());
    for (std::size_t i = begin; i < end; ++i) sum += points[i].momentum;
    Eigen::VectorXd velocity(sum.size());
    metric.Velocity(sum, velocity);
    return !(points[begin].momentum.dot(velocity) > 0 &&
             points[end - 1].momentum.dot(velocity) > 0);
  }
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_KERNELS_REFERENCE_NUTS_H_
