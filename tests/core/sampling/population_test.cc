#include "core/sampling/population.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tests/core/testing/networks.h"

namespace posteriord::core {
namespace {

constexpr PopulationSpec kSpec{.members = 5, .sweeps = 4};

const Model<double>& TinyModel() {
  static const Model<double> model(testing::ReluNetwork({1, 1, 1}, 1));
  return model;
}

// Runs a population whose members mark their state with their own number and have the errors given.
std::vector<int> Turns(const std::vector<double>& errors, State<double>& state,
                       Population<double>& population) {
  std::vector<int> turns;
  while (population.is_running()) {
    const int member = population.member();
    turns.push_back(member);
    state.parameters[0](0, 0) += member + 1;  // a sweep
    population.Advance(errors[static_cast<std::size_t>(member)], state);
  }
  return turns;
}

TEST(PopulationTest, CountsTheSweepsOfEveryRound) {
  EXPECT_EQ(PopulationSweeps({.members = 2, .sweeps = 10}), 20);
  EXPECT_EQ(PopulationSweeps({.members = 8, .sweeps = 10}), 140);
  EXPECT_EQ(PopulationSweeps(kSpec), (5 + 3 + 2) * 4);
}

TEST(PopulationTest, TheBetterHalfGoesOnAndTheBestSurvivesWithItsState) {
  State<double> state = TinyModel().ZeroState(3);
  Population<double> population(kSpec, state);
  const std::vector<int> turns = Turns({5, 1, 4, 2, 3}, state, population);
  const std::vector<int> expected = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
                                     4, 4, 4, 4, 1, 1, 1, 1, 3, 3, 3, 3, 4, 4, 4, 4,  // round 2
                                     1, 1, 1, 1, 3, 3, 3, 3};                         // round 3
  EXPECT_EQ(turns, expected);
  EXPECT_EQ(static_cast<std::int64_t>(turns.size()), PopulationSweeps(kSpec));
  EXPECT_EQ(population.member(), 1);
  EXPECT_EQ(state.parameters[0](0, 0), 3 * 4 * 2);  // its own sweeps, in all rounds
}

TEST(PopulationTest, AnErrorThatIsNoNumberLoses) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  State<double> state = TinyModel().ZeroState(3);
  Population<double> population({.members = 3, .sweeps = 2}, state);
  Turns({nan, 7, nan}, state, population);
  EXPECT_EQ(population.member(), 1);
}

TEST(PopulationTest, ErrorsAreAveragedOverTheSecondHalfOfARound) {
  State<double> state = TinyModel().ZeroState(3);
  Population<double> population({.members = 2, .sweeps = 6}, state);
  std::vector<bool> wanted;
  while (population.is_running()) {
    wanted.push_back(population.wants_error());
    // Member 0 is worse at first, then better.
    const bool first_half = wanted.size() % 6 >= 1 && wanted.size() % 6 <= 3;
    const double zero = first_half ? 100 : 1;
    population.Advance(population.member() == 0 ? zero : 2, state);
  }
  EXPECT_EQ(wanted, (std::vector<bool>{false, false, false, true, true, true,  //
                                       false, false, false, true, true, true}));
  EXPECT_EQ(population.member(), 0);
}

TEST(PopulationTest, BytesThatDoNotFitAreRefused) {
  const State<double> shape = TinyModel().ZeroState(3);
  Population<double> population(kSpec, shape);
  const std::string saved = population.Save();
  EXPECT_FALSE(population.Restore("", shape));
  EXPECT_FALSE(population.Restore(saved.substr(1), shape));
  EXPECT_FALSE(population.Restore(std::string(saved.size(), '\x7f'), shape));
  EXPECT_TRUE(population.Restore(saved, shape));
  EXPECT_EQ(population.Save(), saved);
}

}  // namespace
}  // namespace posteriord::core
