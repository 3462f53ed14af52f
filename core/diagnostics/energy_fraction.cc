#include "core/diagnostics/energy_fraction.h"

#include <cmath>
#include <optional>

namespace posteriord::core {

void EnergyFractionAccumulator::Add(double energy) {
  if (!std::isfinite(energy)) {
    ++non_finite;
    return;
  }
  ++draws;
  if (draws == 1) {
    mean = energy;
  } else {
    const double change = energy - last;
    squared_changes += change * change;
    const double deviation = energy - mean;
    mean += deviation / static_cast<double>(draws);
    squared_deviations += deviation * (energy - mean);
  }
  last = energy;
}

std::optional<double> EnergyFractionAccumulator::Fraction() const {
  if (draws < 3 || non_finite > 0 || squared_deviations == 0) return std::nullopt;
  if (!std::isfinite(squared_deviations) || !std::isfinite(squared_changes)) return std::nullopt;
  return squared_changes / squared_deviations;
}

std::optional<double> EnergyFraction(absl::Span<const double> energies) {
  EnergyFractionAccumulator accumulator;
  for (const double energy : energies) accumulator.Add(energy);
  return accumulator.Fraction();
}

}  // namespace posteriord::core
