#include "core/diagnostics/energy_fraction.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace posteriord::core {
namespace {

std::vector<double> Energies(int count) {
  std::mt19937_64 engine(1);
  std::normal_distribution<double> normal(1e5, 30);
  std::vector<double> energies(count);
  for (double& energy : energies) energy = normal(engine);
  return energies;
}

// The last of the statistics in the file is that of the first chain;
// tests/core/diagnostics/golden/generate_summaries.py says what else the file holds.
TEST(EnergyFractionTest, GoldenChainsMatchArviz) {
  std::ifstream file(POSTERIORD_GOLDEN_SUMMARIES);
  std::string name;
  std::size_t chains = 0;
  std::size_t points = 0;
  int cases = 0;
  while (file >> name >> chains >> points) {
    SCOPED_TRACE(name);
    std::string word;
    for (int i = 0; i < 16; ++i) file >> word;
    std::vector<double> energies(points);
    for (double& energy : energies) file >> energy;
    double skipped = 0;
    for (std::size_t i = 0; i < (chains - 1) * points; ++i) file >> skipped;
    ASSERT_TRUE(file);
    ASSERT_TRUE(EnergyFraction(energies));
    EXPECT_NEAR(*EnergyFraction(energies) / std::stod(word), 1, 1e-9);
    ++cases;
  }
  EXPECT_EQ(cases, 21);
}

TEST(EnergyFractionTest, HandComputed) {
  // Changes 1, 2, -3: 14. Deviations from 1: -1, 0, 2, -1: 6.
  EXPECT_DOUBLE_EQ(EnergyFraction({0, 1, 3, 0}).value(), 14.0 / 6);
}

TEST(EnergyFractionTest, RestoredAccumulatorGoesOnBitForBit) {
  const std::vector<double> energies = Energies(1000);
  EnergyFractionAccumulator accumulator;
  for (std::size_t i = 0; i < energies.size(); ++i) {
    if (i % 137 == 0) {
      const EnergyFractionAccumulator restored = {
          .draws = accumulator.draws,
          .non_finite = accumulator.non_finite,
          .last = accumulator.last,
          .mean = accumulator.mean,
          .squared_deviations = accumulator.squared_deviations,
          .squared_changes = accumulator.squared_changes};
      accumulator = restored;
    }
    accumulator.Add(energies[i]);
  }
  EXPECT_EQ(accumulator.draws, 1000);
  EXPECT_EQ(accumulator.Fraction(), EnergyFraction(energies));
}

TEST(EnergyFractionTest, IndependentEnergiesHaveTwoAndSlowOnesLittle) {
  std::vector<double> energies = Energies(10000);
  // The ratio scatters by about sqrt(4 / 10000).
  EXPECT_NEAR(EnergyFraction(energies).value(), 2, 4 * 0.02);
  for (std::size_t i = 1; i < energies.size(); ++i) {
    energies[i] = 0.95 * energies[i - 1] + 0.05 * energies[i];
  }
  EXPECT_LT(EnergyFraction(energies), 0.2);
}

TEST(EnergyFractionTest, UnsetWhenUndefined) {
  EXPECT_EQ(EnergyFraction({}), std::nullopt);
  EXPECT_EQ(EnergyFraction({1, 2}), std::nullopt);
  EXPECT_EQ(EnergyFraction(std::vector<double>(50, 0.1)), std::nullopt);
  EXPECT_EQ(EnergyFraction({1e300, -1e300, 1e300, 0}), std::nullopt);
}

TEST(EnergyFractionTest, NonFiniteEnergiesAreCountedAndLeaveItUnset) {
  EnergyFractionAccumulator accumulator;
  for (const double energy : {1.0, 3.0, std::numeric_limits<double>::quiet_NaN(), 2.0,
                              std::numeric_limits<double>::infinity(), 5.0}) {
    accumulator.Add(energy);
  }
  EXPECT_EQ(accumulator.draws, 4);
  EXPECT_EQ(accumulator.non_finite, 2);
  EXPECT_EQ(accumulator.Fraction(), std::nullopt);
}

}  // namespace
}  // namespace posteriord::core
