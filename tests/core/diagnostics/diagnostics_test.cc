#include "core/diagnostics/diagnostics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/diagnostics/effective_sample_size.h"
#include "core/diagnostics/moments.h"
#include "core/diagnostics/segments.h"
#include "core/diagnostics/split_rhat.h"

namespace posteriord::core {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<double> Noise(std::size_t points, unsigned seed, double mean = 0) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal(mean);
  std::vector<double> trace(points);
  for (double& point : trace) point = normal(engine);
  return trace;
}

// A job of two informed chains, two uninformed ones and the monitored observable "norm"; every
// sweep is traced.
class EvaluateDiagnosticsTest : public testing::Test {
 protected:
  EvaluateDiagnosticsTest() {
    for (unsigned chain = 0; chain < 4; ++chain) {
      traces_.push_back({.informed = chain < 2, .observables = {Noise(2001, chain)}});
    }
  }

  void AddObservable(const std::string& name, bool monitored, unsigned seed) {
    names_.push_back(name);
    monitored_.push_back(monitored);
    for (ChainTrace& trace : traces_) trace.observables.push_back(Noise(2001, ++seed));
  }

  // Moves all points of a chain from `first` on.
  void Shift(std::size_t chain, std::size_t observable, std::size_t first, double amount) {
    std::vector<double>& trace = traces_[chain].observables[observable];
    for (std::size_t i = first; i < trace.size(); ++i) trace[i] += amount;
  }

  Diagnostics Evaluate(std::int64_t sweep, const Diagnostics* previous = nullptr,
                       bool final = false) const {
    return EvaluateDiagnostics({.thermalization = &spec_,
                                .names = names_,
                                .monitored = monitored_,
                                .traces = &traces_,
                                .stride = 1,
                                .sweep = sweep,
                                .final = final,
                                .previous = previous});
  }

  ThermalizationSpec spec_;
  std::vector<std::string> names_ = {"norm"};
  std::vector<bool> monitored_ = {true};
  std::vector<ChainTrace> traces_;
};

TEST_F(EvaluateDiagnosticsTest, StatisticsAreThoseOfTheSecondHalfOfTheSweeps) {
  for (ChainTrace& trace : traces_) {
    for (std::size_t i = 0; i <= 500; ++i) trace.observables[0][i] = kNaN;
  }
  const Diagnostics diagnostics = Evaluate(1000);
  std::vector<std::vector<double>> windows;
  SegmentAnalyser analyser;
  Segments halves;
  for (const ChainTrace& trace : traces_) {
    windows.emplace_back(trace.observables[0].begin() + 501, trace.observables[0].begin() + 1001);
    halves.Add(analyser.Halves(windows.back()));
  }
  const ObservableDiagnostics& norm = diagnostics.observables.at(0);
  EXPECT_EQ(diagnostics.sweep, 1000);
  EXPECT_DOUBLE_EQ(norm.informed_mean, (Mean(windows[0]) + Mean(windows[1])) / 2);
  EXPECT_DOUBLE_EQ(norm.informed_standard_deviation,
                   std::sqrt((Variance(windows[0]) + Variance(windows[1])) / 2));
  EXPECT_DOUBLE_EQ(norm.uninformed_mean.value(), (Mean(windows[2]) + Mean(windows[3])) / 2);
  EXPECT_EQ(norm.split_rhat, SplitRhat(halves));
  EXPECT_EQ(norm.effective_sample_size, EffectiveSampleSize(halves));
  EXPECT_LE(norm.min_chain_effective_sample_size.value(),
            EffectiveSampleSize(analyser.Whole(windows[3])));
  EXPECT_GT(norm.worst_distance.value(), 0);
}

TEST_F(EvaluateDiagnosticsTest, StrideMapsPointsToSweeps) {
  // The same points, thought of as taken every 8 sweeps.
  const Diagnostics every_sweep = Evaluate(1001);
  for (const std::int64_t sweep : {8008, 8015}) {
    const Diagnostics every_eighth = EvaluateDiagnostics({.thermalization = &spec_,
                                                          .names = names_,
                                                          .monitored = monitored_,
                                                          .traces = &traces_,
                                                          .stride = 8,
                                                          .sweep = sweep});
    EXPECT_EQ(every_eighth.observables[0].informed_mean, every_sweep.observables[0].informed_mean);
    EXPECT_EQ(every_eighth.observables[0].split_rhat, every_sweep.observables[0].split_rhat);
    EXPECT_EQ(every_eighth.agreeing_since, sweep / 2 + 1);
  }
}

TEST_F(EvaluateDiagnosticsTest, ThermalizedSinceTheFirstOfTwoDisjointWindows) {
  const Diagnostics first = Evaluate(1000);
  EXPECT_EQ(first.state, ThermalizationState::kNotYet);
  EXPECT_EQ(first.agreeing_since, 501);
  EXPECT_EQ(first.explanation,
            "Not yet thermalized: norm of every uninformed chain agrees with the informed chains, "
            "within 1 informed standard deviation and without a break since sweep 501, but not yet "
            "on two disjoint windows, which takes until sweep 2002.");
  const Diagnostics second = Evaluate(1500, &first);
  EXPECT_EQ(second.state, ThermalizationState::kNotYet);
  for (ChainTrace& trace : traces_) trace.observables[0].resize(2003, 0.5);
  const Diagnostics third = Evaluate(2002, &second);
  EXPECT_EQ(third.state, ThermalizationState::kThermalized);
  EXPECT_EQ(third.agreeing_since, 501);
  EXPECT_EQ(third.observables[0].state, ThermalizationState::kThermalized);
  EXPECT_EQ(third.explanation,
            "Thermalized: norm of every uninformed chain agrees with the informed chains, within 1 "
            "informed standard deviation and without a break since sweep 501.");
}

TEST_F(EvaluateDiagnosticsTest, NeedsOnlyStatesAndRunsOfTheEvaluationBefore) {
  AddObservable("loss", true, 100);
  const Diagnostics before = Evaluate(500);
  Diagnostics stripped;
  stripped.state = before.state;
  stripped.agreeing_since = before.agreeing_since;
  stripped.observables.resize(2);
  for (std::size_t i = 0; i < 2; ++i) {
    stripped.observables[i].agreeing_since = before.observables[i].agreeing_since;
  }
  const Diagnostics from_whole = Evaluate(1002, &before);
  const Diagnostics from_stripped = Evaluate(1002, &stripped);
  EXPECT_EQ(from_whole.state, ThermalizationState::kThermalized);
  EXPECT_EQ(from_stripped.state, from_whole.state);
  EXPECT_EQ(from_stripped.agreeing_since, from_whole.agreeing_since);
  EXPECT_EQ(from_stripped.explanation, from_whole.explanation);
}

TEST_F(EvaluateDiagnosticsTest, ChainThatLeavesAgainIsNoLongerThermalized) {
  Shift(3, 0, 1200, 4);
  const Diagnostics first = Evaluate(400);
  const Diagnostics thermalized = Evaluate(1000, &first);
  ASSERT_EQ(thermalized.state, ThermalizationState::kThermalized);
  const Diagnostics left = Evaluate(2000, &thermalized);
  EXPECT_EQ(left.state, ThermalizationState::kNotYet);
  EXPECT_EQ(left.agreeing_since, std::nullopt);
  EXPECT_EQ(left.explanation.rfind("No longer thermalized: 1 of 1 monitored observables disagrees "
                                   "in sweeps 1001 to 2000, in informed standard deviations: norm "
                                   "up to ",
                                   0),
            0u)
      << left.explanation;
  EXPECT_NE(left.explanation.find("(chain 3); 1 is tolerated."), std::string::npos);
}

TEST_F(EvaluateDiagnosticsTest, DriftingChainDisagreesAlthoughItHasFewEffectiveSamples) {
  for (std::size_t i = 0; i < 2001; ++i) {
    traces_[2].observables[0][i] += 20 - static_cast<double>(i) / 200;
  }
  const Diagnostics diagnostics = Evaluate(1000);
  EXPECT_LT(diagnostics.observables[0].min_chain_effective_sample_size, 50);
  EXPECT_EQ(diagnostics.state, ThermalizationState::kNotYet);
}

TEST_F(EvaluateDiagnosticsTest, TooFewEffectiveSamplesAreTooEarly) {
  for (std::size_t i = 0; i < 2001; ++i) {  // one slow oscillation, centred on equilibrium
    traces_[1].observables[0][i] += 3 * std::sin(static_cast<double>(i) / 500 * 2 * M_PI);
  }
  const Diagnostics diagnostics = Evaluate(1000);
  EXPECT_EQ(diagnostics.state, ThermalizationState::kTooEarly);
  EXPECT_EQ(diagnostics.explanation.rfind(
                "Too early to tell: 1 of 1 monitored observables has too few effective samples in "
                "sweeps 501 to 1000, the fewest norm of chain 1 with ",
                0),
            0u)
      << diagnostics.explanation;
}

TEST_F(EvaluateDiagnosticsTest, TooFewPointsAreTooEarly) {
  EXPECT_EQ(Evaluate(80).explanation,
            "Too early to tell: sweeps 41 to 80 hold 40 trace points per chain, and 50 effective "
            "samples are needed.");
}

TEST_F(EvaluateDiagnosticsTest, FirstSweepsAreTooEarlyAndWhatIsUnknownIsUnset) {
  for (const std::int64_t sweep : {0, 1, 2, 3, 5, 8, 13, 22}) {
    const Diagnostics diagnostics = Evaluate(sweep);
    const ObservableDiagnostics& norm = diagnostics.observables[0];
    const std::int64_t points = sweep - sweep / 2;
    EXPECT_EQ(diagnostics.state, ThermalizationState::kTooEarly);
    EXPECT_EQ(norm.state, ThermalizationState::kTooEarly);
    EXPECT_EQ(std::isnan(norm.informed_mean), points < 2) << sweep;
    EXPECT_EQ(norm.uninformed_mean.has_value(), points >= 2) << sweep;
    EXPECT_EQ(norm.split_rhat.has_value(), points >= 4) << sweep;
    EXPECT_EQ(norm.min_chain_effective_sample_size.has_value(), points >= 5) << sweep;
    EXPECT_EQ(norm.worst_distance.has_value(), points >= 5) << sweep;
    EXPECT_EQ(norm.effective_sample_size.has_value(), points >= 10) << sweep;
  }
}

TEST_F(EvaluateDiagnosticsTest, ObservableWithoutValuesInPartOfTheWindowIsTooEarly) {
  AddObservable("running_error", true, 100);
  traces_[2].observables[1][700] = kNaN;
  const Diagnostics diagnostics = Evaluate(1000);
  EXPECT_EQ(diagnostics.state, ThermalizationState::kTooEarly);
  EXPECT_EQ(diagnostics.observables[0].agreeing_since, 501);
  const ObservableDiagnostics& running_error = diagnostics.observables[1];
  EXPECT_EQ(running_error.state, ThermalizationState::kTooEarly);
  EXPECT_TRUE(std::isnan(running_error.informed_mean));
  EXPECT_FALSE(running_error.worst_distance || running_error.split_rhat);
  EXPECT_EQ(diagnostics.explanation,
            "Too early to tell: 1 of 2 monitored observables does not have a value in all of "
            "sweeps 501 to 1000: running_error.");
  EXPECT_EQ(Evaluate(1500).observables[1].agreeing_since, 751);
}

TEST_F(EvaluateDiagnosticsTest, NumbersTooLargeToSquareAreNoValues) {
  for (const double value : {kNaN, std::numeric_limits<double>::infinity(), -1e200, 1e308}) {
    traces_[2].observables[0][700] = value;
    const Diagnostics diagnostics = Evaluate(1000);
    EXPECT_EQ(diagnostics.state, ThermalizationState::kTooEarly) << value;
    EXPECT_TRUE(std::isnan(diagnostics.observables[0].informed_mean)) << value;
  }
}

TEST_F(EvaluateDiagnosticsTest, OneDisagreeingObservableIsEnough) {
  AddObservable("loss", true, 100);
  AddObservable("probe", true, 200);
  Shift(2, 1, 0, 1.5);
  const Diagnostics diagnostics = Evaluate(1000);
  EXPECT_EQ(diagnostics.state, ThermalizationState::kNotYet);
  EXPECT_EQ(diagnostics.agreeing_since, std::nullopt);
  EXPECT_EQ(diagnostics.observables[0].agreeing_since, 501);
  EXPECT_EQ(diagnostics.observables[1].agreeing_since, std::nullopt);
  EXPECT_NE(diagnostics.explanation.find("1 of 3 monitored observables disagrees"),
            std::string::npos);
}

TEST_F(EvaluateDiagnosticsTest, DisagreementSaysMoreThanIndecision) {
  AddObservable("loss", true, 100);
  traces_[2].observables[0][700] = kNaN;
  Shift(2, 1, 0, 3);
  EXPECT_EQ(Evaluate(1000).state, ThermalizationState::kNotYet);
}

TEST_F(EvaluateDiagnosticsTest, ObservableThatIsNotMonitoredHasItsOwnVerdictOnly) {
  AddObservable("score", false, 100);
  Shift(2, 1, 0, 3);
  const Diagnostics diagnostics = Evaluate(1000);
  EXPECT_EQ(diagnostics.agreeing_since, 501);
  EXPECT_EQ(diagnostics.observables[1].state, ThermalizationState::kNotYet);
  EXPECT_EQ(diagnostics.observables[1].agreeing_since, std::nullopt);
}

TEST_F(EvaluateDiagnosticsTest, LongListOfDisagreementsNamesTheWorst) {
  const std::vector<double> shifts = {2, 5, 3, 7, 4};
  for (std::size_t i = 0; i < shifts.size(); ++i) {
    AddObservable(absl::StrCat("o", i), true, 100 * static_cast<unsigned>(i + 1));
    Shift(3, i + 1, 0, shifts[i]);
  }
  const std::string explanation = Evaluate(1000).explanation;
  EXPECT_NE(explanation.find("5 of 6 monitored observables disagree"), std::string::npos);
  const std::size_t worst = explanation.find("o3 up to ");
  const std::size_t second = explanation.find("o1 up to ");
  const std::size_t third = explanation.find("o4 up to ");
  EXPECT_LT(worst, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, std::string::npos);
  EXPECT_EQ(explanation.find("o0 up to"), std::string::npos);
  EXPECT_NE(explanation.find("and 2 more"), std::string::npos);
}

TEST_F(EvaluateDiagnosticsTest, InformedChainsThatDisagreeAreNamedAsTheReason) {
  Shift(1, 0, 0, 3);
  const Diagnostics diagnostics = Evaluate(1000);
  EXPECT_EQ(diagnostics.state, ThermalizationState::kNotYet);
  EXPECT_NEAR(diagnostics.observables[0].informed_standard_deviation, 1, 0.1);
  EXPECT_NE(diagnostics.explanation.find("among the informed chains themselves"),
            std::string::npos);
}

TEST_F(EvaluateDiagnosticsTest, SpentSweepsTurnEveryOtherVerdictIntoNotThermalized) {
  EXPECT_EQ(Evaluate(80, nullptr, true).explanation,
            "Not thermalized when sampling ended: sweeps 41 to 80 hold 40 trace points per chain, "
            "and 50 effective samples are needed.");
  const Diagnostics brief = Evaluate(1000, nullptr, true);
  EXPECT_EQ(brief.state, ThermalizationState::kNotThermalized);
  EXPECT_EQ(brief.observables[0].state, ThermalizationState::kNotThermalized);
  EXPECT_NE(brief.explanation.find("not yet on two disjoint windows"), std::string::npos);
  Shift(3, 0, 0, 3);
  const Diagnostics apart = Evaluate(1000, nullptr, true);
  EXPECT_EQ(apart.state, ThermalizationState::kNotThermalized);
  EXPECT_NE(apart.explanation.find("1 of 1 monitored observables disagrees"), std::string::npos);
}

TEST_F(EvaluateDiagnosticsTest, SpentSweepsLeaveThermalizedAsItIs) {
  const Diagnostics first = Evaluate(900);
  EXPECT_EQ(Evaluate(2000, &first, true).state, ThermalizationState::kThermalized);
}

TEST_F(EvaluateDiagnosticsTest, WithoutBothGroupsNotApplicableButDescribed) {
  for (const bool informed : {false, true}) {
    for (ChainTrace& trace : traces_) trace.informed = informed;
    const Diagnostics diagnostics = Evaluate(1000, nullptr, true);
    const ObservableDiagnostics& norm = diagnostics.observables[0];
    EXPECT_EQ(diagnostics.state, ThermalizationState::kNotApplicable);
    EXPECT_EQ(norm.state, ThermalizationState::kNotApplicable);
    EXPECT_EQ(diagnostics.agreeing_since, std::nullopt);
    EXPECT_NEAR(norm.informed_mean, 0, 0.2);
    EXPECT_NEAR(norm.informed_standard_deviation, 1, 0.2);
    EXPECT_FALSE(norm.uninformed_mean || norm.worst_distance);
    EXPECT_NEAR(norm.split_rhat.value(), 1, 0.05);
    EXPECT_GT(norm.effective_sample_size, 1000);
    EXPECT_GT(norm.min_chain_effective_sample_size, 200);
    EXPECT_NE(diagnostics.explanation.find(informed ? "every chain" : "no chain"),
              std::string::npos);
  }
}

TEST_F(EvaluateDiagnosticsTest, WithoutMonitoredObservablesNotApplicable) {
  monitored_ = {false};
  const Diagnostics diagnostics = Evaluate(1000);
  EXPECT_EQ(diagnostics.state, ThermalizationState::kNotApplicable);
  EXPECT_EQ(diagnostics.observables[0].agreeing_since, 501);
  EXPECT_EQ(diagnostics.explanation, "Not applicable: no observable is monitored.");
}

TEST_F(EvaluateDiagnosticsTest, EqualConstantsAgreeAndDifferentOnesDoNot) {
  for (ChainTrace& trace : traces_) trace.observables[0].assign(2001, 0.1);
  const Diagnostics equal = Evaluate(1000);
  EXPECT_EQ(equal.agreeing_since, 501);
  EXPECT_EQ(equal.observables[0].informed_mean, 0.1);
  EXPECT_EQ(equal.observables[0].informed_standard_deviation, 0);
  EXPECT_EQ(equal.observables[0].worst_distance, 0);
  EXPECT_EQ(equal.observables[0].split_rhat, std::nullopt);
  EXPECT_EQ(equal.observables[0].effective_sample_size, 2000);
  traces_[3].observables[0].assign(2001, 0.2);
  const Diagnostics different = Evaluate(1000);
  EXPECT_EQ(different.state, ThermalizationState::kNotYet);
  EXPECT_EQ(different.observables[0].worst_distance, std::numeric_limits<double>::infinity());
}

TEST_F(EvaluateDiagnosticsTest, ErrorRatesOfFewSamplesAreComparedLikeAnyNumber) {
  for (ChainTrace& trace : traces_) {
    for (double& point : trace.observables[0]) point = std::floor(8 + 2 * point) / 64;
  }
  EXPECT_EQ(Evaluate(1000).agreeing_since, 501);
  Shift(3, 0, 0, 3.0 / 64);  // one and a half standard deviations
  EXPECT_EQ(Evaluate(1000).state, ThermalizationState::kNotYet);
}

}  // namespace
}  // namespace posteriord::core
