// Does a Hamiltonian chain move between energies fast enough?
#ifndef POSTERIORD_CORE_DIAGNOSTICS_ENERGY_FRACTION_H_
#define POSTERIORD_CORE_DIAGNOSTICS_ENERGY_FRACTION_H_

#include <cstdint>
#include <optional>

#include "absl/types/span.h"

namespace posteriord::core {

// Estimated Bayesian fraction of missing information (E-BFMI) of one chain, draw by draw in
// constant memory:
//
//   sum_{i >= 2} (E_i - E_{i-1})^2 / sum_i (E_i - mean E)^2,
//
// with E_i the energy (minus log density plus kinetic energy) of draw i, right after its momentum
// was drawn. About 1 when fresh momenta take the chain through all energies in one step, up to 2
// for independent energies; below 0.3 it has trouble reaching the tails. No unit.
//
// Source: Betancourt, "Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo",
// arXiv 1604.00695, equation 1; bfmi of ArviZ. The second sum is Welford's.
//
// A plain record: a checkpoint that stores the fields and restores them goes on as if there had
// been no break, bit for bit.
struct EnergyFractionAccumulator {
  std::int64_t draws = 0;       // finite energies so far
  std::int64_t non_finite = 0;  // energies that are not numbers or infinite
  double last = 0;              // E_draws
  double mean = 0;
  double squared_deviations = 0;  // second sum
  double squared_changes = 0;     // first sum

  void Add(double energy);

  // Unset with fewer than 3 draws (of 2 it is always 2), when all energies are equal, when a
  // sum is too large for a double and once an energy was not finite.
  std::optional<double> Fraction() const;
};

// Of a whole chain.
std::optional<double> EnergyFraction(absl::Span<const double> energies);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_ENERGY_FRACTION_H_
