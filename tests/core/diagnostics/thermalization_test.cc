#include "core/diagnostics/thermalization.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace posteriord::core {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A chain of unit variance and 100 effective samples: a standard error of 0.1.
ChainWindow ChainAt(int chain, double mean) {
  return {.chain = chain,
          .mean = mean,
          .variance = 1,
          .least = mean - 3,
          .greatest = mean + 3,
          .effective_sample_size = 100};
}

ChainWindow ConstantChain(int chain, double value) {
  return {.chain = chain,
          .mean = value,
          .variance = 0,
          .least = value,
          .greatest = value,
          .effective_sample_size = 100};
}

Comparison CompareByDefault(const std::vector<ChainWindow>& informed,
                            const std::vector<ChainWindow>& uninformed) {
  return Compare(informed, uninformed, 1, 50);
}

TEST(PoolTest, AveragesAndCombinesStandardErrors) {
  ChainWindow wide = ChainAt(1, 4);
  wide.variance = 9;
  wide.effective_sample_size = 36;
  const PooledChains pooled = Pool({ChainAt(0, 2), wide});
  EXPECT_DOUBLE_EQ(pooled.mean, 3);
  EXPECT_DOUBLE_EQ(pooled.variance, 5);
  EXPECT_DOUBLE_EQ(pooled.squared_standard_error, (0.01 + 0.25) / 4);
  EXPECT_DOUBLE_EQ(pooled.effective_sample_size, 136);
}

TEST(CompareTest, DistanceIsTheDifferencePlusTwoStandardErrors) {
  const Comparison comparison = CompareByDefault({ChainAt(0, 0)}, {ChainAt(1, -0.5)});
  EXPECT_NEAR(comparison.worst_distance, 0.5 + 2 * std::sqrt(0.02), 1e-12);
  EXPECT_EQ(comparison.agreement, Agreement::kAgreement);
}

TEST(CompareTest, DistanceIsInUnitsOfTheInformedDeviation) {
  ChainWindow informed = ChainAt(0, 0);
  informed.variance = 4;
  const Comparison comparison = CompareByDefault({informed}, {ChainAt(1, 1)});
  EXPECT_NEAR(comparison.worst_distance, (1 + 2 * std::sqrt(0.04 + 0.01)) / 2, 1e-12);
}

TEST(CompareTest, AgreesUpToTheToleranceOnly) {
  const double margin = 2 * std::sqrt(0.02);
  EXPECT_EQ(CompareByDefault({ChainAt(0, 0)}, {ChainAt(1, 0.999 - margin)}).agreement,
            Agreement::kAgreement);
  EXPECT_EQ(CompareByDefault({ChainAt(0, 0)}, {ChainAt(1, 1.001 - margin)}).agreement,
            Agreement::kDisagreement);
  EXPECT_EQ(Compare({ChainAt(0, 0)}, {ChainAt(1, 1.001 - margin)}, 1.1, 50).agreement,
            Agreement::kAgreement);
}

TEST(CompareTest, StuckChainDoesNotHideBehindOthers) {
  const Comparison comparison = CompareByDefault(
      {ChainAt(0, 0), ChainAt(1, 0)},
      {ChainAt(2, -0.1), ChainAt(3, 0.1), ChainAt(4, 1.2), ChainAt(5, 0), ChainAt(6, -0.2)});
  EXPECT_EQ(comparison.agreement, Agreement::kDisagreement);
  EXPECT_EQ(comparison.worst_chain, 4);
}

TEST(CompareTest, ChainsOnOppositeSidesDoNotCancel) {
  EXPECT_EQ(CompareByDefault({ChainAt(0, 0)}, {ChainAt(1, -2), ChainAt(2, 2)}).agreement,
            Agreement::kDisagreement);
}

TEST(CompareTest, InformedChainsThatDisagreeVouchForNothing) {
  // Pooled with the spread between them, they would tolerate anything from -5 to 5.
  const Comparison comparison =
      CompareByDefault({ChainAt(0, -5), ChainAt(1, 5)}, {ChainAt(2, 0), ChainAt(3, 0.1)});
  EXPECT_EQ(comparison.agreement, Agreement::kDisagreement);
  EXPECT_NEAR(comparison.informed_distance, 10 + 2 * std::sqrt(0.02), 1e-12);
}

TEST(CompareTest, OneDeviantInformedChainIsComparedWithTheRestOfThem) {
  const Comparison comparison = CompareByDefault(
      {ChainAt(0, 0), ChainAt(1, 0), ChainAt(2, 0), ChainAt(3, 3)}, {ChainAt(4, 0.7)});
  EXPECT_NEAR(comparison.informed_distance, 3 + 2 * std::sqrt(0.01 + 0.01 / 3), 1e-12);
  EXPECT_EQ(comparison.agreement, Agreement::kDisagreement);
}

TEST(CompareTest, UndecidedWhenAnyChainHasTooFewEffectiveSamples) {
  for (const int short_chain : {0, 1, 2, 3}) {
    std::vector<ChainWindow> chains = {ChainAt(0, 0), ChainAt(1, 0), ChainAt(2, 0), ChainAt(3, 0)};
    chains[short_chain].effective_sample_size = 49;
    const Comparison comparison = CompareByDefault({chains[0], chains[1]}, {chains[2], chains[3]});
    EXPECT_EQ(comparison.agreement, Agreement::kUndecided) << short_chain;
    EXPECT_EQ(comparison.least_effective_chain, short_chain);
    EXPECT_EQ(comparison.least_effective_sample_size, 49);
  }
}

TEST(CompareTest, UndecidedWithoutEffectiveSampleSizes) {
  ChainWindow informed = ChainAt(0, 0);
  ChainWindow uninformed = ConstantChain(1, 100);
  informed.effective_sample_size.reset();
  uninformed.effective_sample_size.reset();
  const Comparison comparison = CompareByDefault({informed}, {uninformed});
  EXPECT_EQ(comparison.agreement, Agreement::kUndecided);
  EXPECT_EQ(comparison.least_effective_sample_size, 0);
}

TEST(CompareTest, ChainSurelyFarAwayDisagreesBeforeItHasEnoughEffectiveSamples) {
  ChainWindow drifting = ChainAt(1, 10);
  drifting.effective_sample_size = 2;
  EXPECT_EQ(CompareByDefault({ChainAt(0, 0)}, {drifting}).agreement, Agreement::kDisagreement);
  drifting.mean = 2;  // 2 - 2 * 0.7 is not surely beyond 1
  EXPECT_EQ(CompareByDefault({ChainAt(0, 0)}, {drifting}).agreement, Agreement::kUndecided);
}

TEST(CompareTest, NothingIsSureWhileTheInformedChainsAreTooShort) {
  ChainWindow informed = ChainAt(0, 0);
  informed.effective_sample_size = 10;
  EXPECT_EQ(CompareByDefault({informed}, {ChainAt(1, 10)}).agreement, Agreement::kUndecided);
}

TEST(CompareTest, EqualConstantsAgreeAndDifferentOnesDoNot) {
  const std::vector<ChainWindow> informed = {ConstantChain(0, 0.1), ConstantChain(1, 0.1),
                                             ConstantChain(2, 0.1)};
  const Comparison equal = CompareByDefault(informed, {ConstantChain(3, 0.1)});
  EXPECT_EQ(equal.agreement, Agreement::kAgreement);
  EXPECT_EQ(equal.worst_distance, 0);
  EXPECT_EQ(equal.informed_distance, 0);
  const Comparison different = CompareByDefault(informed, {ConstantChain(3, 0.1 + 1e-9)});
  EXPECT_EQ(different.agreement, Agreement::kDisagreement);
  EXPECT_EQ(different.worst_distance, kInfinity);
  EXPECT_EQ(Compare(informed, {ConstantChain(3, 0.2)}, 10, 50).agreement, Agreement::kDisagreement);
}

TEST(CompareTest, InformedChainsConstantAtDifferentValuesDisagree) {
  EXPECT_EQ(CompareByDefault({ConstantChain(0, 0), ConstantChain(1, 1)}, {ConstantChain(2, 0.5)})
                .agreement,
            Agreement::kDisagreement);
}

// An error rate that is zero but for `excursions` of 1000 points, where it is 0.125.
ChainWindow AlmostConstantChain(int chain, int excursions) {
  const double probability = excursions / 1000.0;
  return {.chain = chain,
          .mean = 0.125 * probability,
          .variance = 0.125 * 0.125 * probability * (1 - probability),
          .least = 0,
          .greatest = 0.125,
          .effective_sample_size = 1000};
}

TEST(CompareTest, RareExcursionsFromTheInformedConstantAgreeAndFrequentOnesDoNot) {
  std::vector<ChainWindow> informed = {ConstantChain(0, 0), ConstantChain(1, 0)};
  for (ChainWindow& chain : informed) chain.effective_sample_size = 1000;
  EXPECT_EQ(CompareByDefault(informed, {AlmostConstantChain(2, 1)}).agreement,
            Agreement::kAgreement);
  EXPECT_EQ(CompareByDefault(informed, {AlmostConstantChain(2, 50)}).agreement,
            Agreement::kDisagreement);
}

TEST(CompareTest, ChainAroundAnotherValueThanTheInformedConstantDisagrees) {
  ChainWindow chain = ChainAt(1, 0.5);
  chain.variance = 0.01;
  chain.least = 0.2;
  chain.greatest = 0.8;
  EXPECT_EQ(CompareByDefault({ConstantChain(0, 0)}, {chain}).agreement, Agreement::kDisagreement);
}

TEST(JudgeTest, WindowsOfTheFirstAgreementAndOfTheConfirmingSweepShareNoSweep) {
  for (std::int64_t begin = 1; begin <= 1000; ++begin) {
    const std::int64_t since = FirstSweepOfWindow(begin);
    EXPECT_GT(2 * since, begin);        // since is in (begin/2, begin] ...
    EXPECT_LE(2 * (since - 1), begin);  // ... and the first such
    EXPECT_GT(FirstSweepOfWindow(ConfirmingSweep(since)), begin);
    EXPECT_LE(ConfirmingSweep(since), 2 * begin + 2);
  }
}

TEST(JudgeTest, AgreementBecomesThermalizationOnceConfirmed) {
  const Verdict first = Judge(Agreement::kAgreement, std::nullopt, 101, false);
  EXPECT_EQ(first.state, ThermalizationState::kNotYet);
  EXPECT_EQ(first.agreeing_since, 51);
  const Verdict shortly_before = Judge(Agreement::kAgreement, 51, 201, false);
  EXPECT_EQ(shortly_before.state, ThermalizationState::kNotYet);
  EXPECT_EQ(shortly_before.agreeing_since, 51);
  const Verdict confirmed = Judge(Agreement::kAgreement, 51, 202, false);
  EXPECT_EQ(confirmed.state, ThermalizationState::kThermalized);
  EXPECT_EQ(confirmed.agreeing_since, 51);
  EXPECT_EQ(Judge(Agreement::kAgreement, 51, 5000, true).state, ThermalizationState::kThermalized);
}

TEST(JudgeTest, DisagreementOrIndecisionEndsTheRun) {
  const Verdict disagreement = Judge(Agreement::kDisagreement, 51, 5000, false);
  EXPECT_EQ(disagreement.state, ThermalizationState::kNotYet);
  EXPECT_EQ(disagreement.agreeing_since, std::nullopt);
  const Verdict indecision = Judge(Agreement::kUndecided, 51, 5000, false);
  EXPECT_EQ(indecision.state, ThermalizationState::kTooEarly);
  EXPECT_EQ(indecision.agreeing_since, std::nullopt);
}

TEST(JudgeTest, WhatIsNotThermalizedFinallyHasFailedTo) {
  for (const Agreement agreement :
       {Agreement::kUndecided, Agreement::kDisagreement, Agreement::kAgreement}) {
    EXPECT_EQ(Judge(agreement, 51, 201, true).state, ThermalizationState::kNotThermalized);
  }
}

}  // namespace
}  // namespace posteriord::core
