// Which gradient sampler, and with what settings. Plain values with every default filled in.
#ifndef POSTERIORD_CORE_KERNELS_GRADIENT_SAMPLER_SPEC_H_
#define POSTERIORD_CORE_KERNELS_GRADIENT_SAMPLER_SPEC_H_

#include <optional>
#include <vector>

namespace posteriord::core {

enum class GradientSamplerKind {
  kHmc,   // Hamiltonian Monte Carlo, a fixed number of leapfrog steps
  kMala,  // Metropolis-adjusted Langevin: HMC with one leapfrog step
  kNuts,  // the no-U-turn sampler, which finds the number of leapfrog steps
};

// Structure of the mass matrix M. Its inverse is learned as the variances of the posterior
// (kDiagonal) or as its covariance (kDense: a square of dimension() in memory and in time).
enum class MetricKind { kIdentity, kDiagonal, kDense };

// The acceptance that is best in high dimension (MALA: Roberts and Rosenthal, 1998), or customary.
constexpr double DefaultTargetAcceptance(GradientSamplerKind kind) {
  return kind == GradientSamplerKind::kMala ? 0.574 : 0.8;
}

struct GradientSamplerSpec {
  GradientSamplerKind kind = GradientSamplerKind::kNuts;

  // > 0, in units of the metric: a leapfrog step moves the position by step_size M^{-1} momentum.
  // Adapted during warm-up, unless it is given. The metric is adapted in either case.
  std::optional<double> step_size;
  // A step takes step_size (1 + step_size_jitter u), u uniform on (-1, 1). In [0, 1). Breaks the
  // resonance of trajectories of a fixed length with periods of the posterior.
  double step_size_jitter = 0;
  double target_acceptance = DefaultTargetAcceptance(GradientSamplerKind::kNuts);  // in (0, 1)

  int leapfrog_steps = 10;  // kHmc: leapfrog steps of a trajectory, > 0
  int max_tree_depth = 10;  // kNuts: at most 2^max_tree_depth - 1 leapfrog steps; in [1, 30]

  MetricKind metric = MetricKind::kDiagonal;
  // Diagonal of M^{-1}, entries > 0; the metric is then kDiagonal and not adapted. Empty: adapted.
  std::vector<double> inverse_mass;

  // A trajectory whose energy has grown by more than this has diverged.
  double max_energy_error = 1000;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_KERNELS_GRADIENT_SAMPLER_SPEC_H_
