#include "server/jobs/stop_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/testing/proto.h"

namespace posteriord::server {
namespace {

using testing::FromText;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Of a schedule with 100 sweeps of warm-up and a draw every 10 sweeps.
StopPolicy Policy(const std::string& rules) {
  auto spec = FromText<v1::JobSpec>(
      "schedule { warmup_sweeps: 100 draws: 1000 thinning: 10 }"
      "thermalization { min_effective_sample_size: 50 }");
  *spec.mutable_stop() = FromText<v1::StopRules>(rules);
  return StopPolicy(spec);
}
constexpr core::ScheduleSpec kSchedule = {.warmup_sweeps = 100, .draws = 1000, .thinning = 10};

// An evaluation of two monitored observables and one that is not.
class StopPolicyTest : public ::testing::Test {
 protected:
  StopPolicyTest() {
    input_.names = {"first", "second", "third"};
    input_.monitored = {true, true, false};
    diagnostics_.sweep = 12589;
    diagnostics_.state = core::ThermalizationState::kThermalized;
    diagnostics_.agreeing_since = 5001;
    diagnostics_.observables.resize(3);
    diagnostics_.observables[0].split_rhat = 1.001;
    diagnostics_.observables[1].split_rhat = 1.02;
    diagnostics_.observables[2].split_rhat = 7;
    diagnostics_.observables[0].effective_sample_size = 90;
    diagnostics_.observables[1].effective_sample_size = 400;
    diagnostics_.observables[2].effective_sample_size = 1;
    for (auto& observable : diagnostics_.observables) {
      observable.min_chain_effective_sample_size = 50;
    }
  }

  std::string Reason(const std::string& rules, bool wall_time_spent = false) {
    return Policy("min_draws: 1 " + rules).ReasonToStop(diagnostics_, input_, wall_time_spent);
  }

  core::Diagnostics diagnostics_;
  core::DiagnosticsInput input_;
};

TEST_F(StopPolicyTest, WithoutRulesNothingStopsTheJob) {
  EXPECT_THAT(StopPolicy().ReasonToStop(diagnostics_, input_, true), IsEmpty());
  EXPECT_FALSE(StopPolicy().decides_at_evaluations());
  EXPECT_FALSE(StopPolicy().stops_by_time());
  EXPECT_EQ(StopPolicy(v1::JobSpec()).WallTimeEnd(0), std::nullopt);
}

TEST_F(StopPolicyTest, ThermalizationStopsTheJob) {
  EXPECT_EQ(Reason("thermalized: true"),
            "Thermalized since sweep 5,001, as stop.thermalized asks, at sweep 12,589.");
  diagnostics_.state = core::ThermalizationState::kNotYet;
  EXPECT_THAT(Reason("thermalized: true"), IsEmpty());
}

TEST_F(StopPolicyTest, LargestRhatOfTheMonitoredObservablesDecides) {
  EXPECT_THAT(Reason("rhat_below: 1.01"), IsEmpty());
  EXPECT_THAT(Reason("rhat_below: 1.02"), IsEmpty());
  EXPECT_EQ(Reason("rhat_below: 1.05"),
            "Largest split R-hat 1.02 (second), below stop.rhat_below of 1.05, at sweep 12,589.");
  for (const std::optional<double> unknown :
       {std::optional<double>(), std::optional(std::numeric_limits<double>::quiet_NaN()),
        std::optional(std::numeric_limits<double>::infinity())}) {
    diagnostics_.observables[0].split_rhat = unknown;
    EXPECT_THAT(Reason("rhat_below: 1.05"), IsEmpty());
  }
}

TEST_F(StopPolicyTest, RhatOfTooFewEffectiveSamplesDecidesNothing) {
  diagnostics_.observables[0].min_chain_effective_sample_size = 49.9;
  EXPECT_THAT(Reason("rhat_below: 1.05"), IsEmpty());
  diagnostics_.observables[0].min_chain_effective_sample_size.reset();
  EXPECT_THAT(Reason("rhat_below: 1.05"), IsEmpty());
}

TEST_F(StopPolicyTest, SmallestEffectiveSampleSizeOfTheMonitoredObservablesDecides) {
  EXPECT_THAT(Reason("ess_above: 90"), IsEmpty());
  EXPECT_EQ(Reason("ess_above: 89.5"),
            "Smallest effective sample size 90 (first), above stop.ess_above of 89.5, at sweep "
            "12,589.");
  diagnostics_.observables[1].effective_sample_size.reset();
  EXPECT_THAT(Reason("ess_above: 10"), IsEmpty());
}

TEST_F(StopPolicyTest, WithoutMonitoredObservablesThereIsNothingToDecideOn) {
  input_.monitored = {false, false, false};
  EXPECT_THAT(Reason("rhat_below: 1000 ess_above: 1"), IsEmpty());
}

TEST_F(StopPolicyTest, AnyRuleIsEnoughUnlessAllAreAskedFor) {
  EXPECT_THAT(Reason("combination: COMBINATION_ANY thermalized: true rhat_below: 1.01"),
              HasSubstr("Thermalized since"));
  EXPECT_THAT(Reason("combination: COMBINATION_ALL thermalized: true rhat_below: 1.01"), IsEmpty());
  EXPECT_EQ(Reason("combination: COMBINATION_ALL thermalized: true rhat_below: 1.05 ess_above: 50"),
            "Thermalized since sweep 5,001, as stop.thermalized asks; largest split R-hat 1.02 "
            "(second), below stop.rhat_below of 1.05; smallest effective sample size 90 (first), "
            "above stop.ess_above of 50, at sweep 12,589.");
}

TEST_F(StopPolicyTest, WallTimeTakesPartInAnEvaluationOnlyWhenAllRulesAreAskedFor) {
  const std::string any = "combination: COMBINATION_ANY ess_above: 5000 wall_time { seconds: 60 }";
  EXPECT_THAT(Reason(any, true), IsEmpty());
  EXPECT_TRUE(Policy(any).stops_by_time());
  const std::string all = "combination: COMBINATION_ALL ess_above: 50 wall_time { seconds: 60 }";
  EXPECT_THAT(Reason(all, false), IsEmpty());
  EXPECT_THAT(Reason(all, true), HasSubstr("; the wall time of 60 s is spent, at sweep 12,589."));
  EXPECT_FALSE(Policy(all).stops_by_time());
}

TEST_F(StopPolicyTest, WallTimeAloneIsTiedToNoEvaluation) {
  const StopPolicy policy =
      Policy("combination: COMBINATION_ALL wall_time { seconds: 3600 nanos: 500000000 }");
  EXPECT_TRUE(policy.stops_by_time());
  EXPECT_FALSE(policy.decides_at_evaluations());
  EXPECT_EQ(policy.WallTimeEnd(1'000'000), 3'601'500'000);
  EXPECT_EQ(policy.WallTimeReason(), "The wall time of 3600.5 s is spent.");
}

TEST_F(StopPolicyTest, NothingIsDecidedBeforeEveryChainHasItsDraws) {
  const StopPolicy policy = Policy("thermalized: true min_draws: 50");
  EXPECT_EQ(policy.first_deciding_sweep(), 600);
  diagnostics_.sweep = 599;
  EXPECT_THAT(policy.ReasonToStop(diagnostics_, input_, false), IsEmpty());
  diagnostics_.sweep = 600;
  EXPECT_THAT(policy.ReasonToStop(diagnostics_, input_, false), HasSubstr("at sweep 600."));
  // The evaluations around it are at 562 and 631.
  EXPECT_EQ(policy.NextDecidingSweep(0, kSchedule), 631);
  EXPECT_EQ(policy.NextDecidingSweep(562, kSchedule), 631);
  EXPECT_EQ(policy.NextDecidingSweep(631, kSchedule), 631);
  EXPECT_EQ(policy.NextDecidingSweep(708, kSchedule), 708);
  EXPECT_EQ(Policy("thermalized: true min_draws: 1000").NextDecidingSweep(1, kSchedule), 10'100);
}

}  // namespace
}  // namespace posteriord::server
