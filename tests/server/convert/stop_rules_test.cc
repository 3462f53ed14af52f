#include "server/convert/stop_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "server/base/field_violation.h"
#include "server/convert/job_spec.h"
#include "tests/testing/proto.h"

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;
using testing::FromText;
using ::testing::HasSubstr;
using testing::ViolatedFields;

// Two informed chains and two from zero; 100 draws; windows of 512 points.
v1::JobSpec Spec(const std::string& rules) {
  auto spec = FromText<v1::JobSpec>(R"pb(
    network {
      layers { dense { units: 2 } }
      noise_variance: 0.5
      likelihood { gaussian {} }
    }
    data {
      gaussian { dimension: 5 train_samples: 100 }
      teacher {}
    }
    schedule { draws: 100 }
  )pb");
  *spec.mutable_stop() = FromText<v1::StopRules>(rules);
  return spec;
}

absl::Status Complete(v1::JobSpec& spec) {
  FieldViolations violations;
  CompleteSpec(spec, violations);
  return violations.ToStatus();
}

absl::Status Check(const std::string& rules) {
  v1::JobSpec spec = Spec(rules);
  return Complete(spec);
}

TEST(StopRulesTest, SpecWithoutRulesStaysWithout) {
  v1::JobSpec spec = Spec("");
  spec.clear_stop();
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  EXPECT_FALSE(spec.has_stop());
}

TEST(StopRulesTest, DefaultsAreFilledInOnce) {
  v1::JobSpec spec = Spec("thermalized: true");
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  EXPECT_EQ(spec.stop().combination(), v1::StopRules::COMBINATION_ANY);
  EXPECT_EQ(spec.stop().min_draws(), 1);
  EXPECT_FALSE(spec.stop().has_rhat_below());
  EXPECT_FALSE(spec.stop().has_ess_above());
  EXPECT_FALSE(spec.stop().has_wall_time());
  const std::string completed = spec.SerializeAsString();
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  EXPECT_EQ(spec.SerializeAsString(), completed);
}

TEST(StopRulesTest, EveryRuleIsAcceptedAtItsBounds) {
  for (const char* rules :
       {"wall_time { nanos: 1000000 }", "wall_time { seconds: 315360000 }", "rhat_below: 1.0001",
        "ess_above: 1", "ess_above: 2048", "thermalized: true min_draws: 100",
        "combination: COMBINATION_ALL thermalized: true rhat_below: 1.01 ess_above: 400 "
        "wall_time { seconds: 60 }"}) {
    EXPECT_EQ(Check(rules), absl::OkStatus()) << rules;
  }
}

TEST(StopRulesTest, BadRulesNameTheirFields) {
  struct BadRules {
    const char* rules;
    const char* field;
  };
  for (const auto& [rules, field] : {
           BadRules{"", "spec.stop"},
           {"combination: COMBINATION_ALL min_draws: 10", "spec.stop"},
           {"thermalized: false", "spec.stop"},
           {"rhat_below: 1.1 combination: 7", "spec.stop.combination"},
           {"wall_time {}", "spec.stop.wall_time"},
           {"wall_time { nanos: 999999 }", "spec.stop.wall_time"},
           {"wall_time { seconds: -1 }", "spec.stop.wall_time"},
           {"wall_time { seconds: 1 nanos: -1 }", "spec.stop.wall_time"},
           {"wall_time { seconds: 1 nanos: 1000000000 }", "spec.stop.wall_time"},
           {"wall_time { seconds: 315360000 nanos: 1 }", "spec.stop.wall_time"},
           {"wall_time { seconds: 9000000000000000000 }", "spec.stop.wall_time"},
           {"rhat_below: 1", "spec.stop.rhat_below"},
           {"rhat_below: -2", "spec.stop.rhat_below"},
           {"rhat_below: nan", "spec.stop.rhat_below"},
           {"rhat_below: inf", "spec.stop.rhat_below"},
           {"ess_above: 0", "spec.stop.ess_above"},
           {"ess_above: nan", "spec.stop.ess_above"},
           {"ess_above: inf", "spec.stop.ess_above"},
           {"ess_above: 2049", "spec.stop.ess_above"},
           {"thermalized: true min_draws: -1", "spec.stop.min_draws"},
           {"thermalized: true min_draws: 101", "spec.stop.min_draws"},
       }) {
    EXPECT_THAT(ViolatedFields(Check(rules)), ElementsAre(field)) << rules;
  }
}

TEST(StopRulesTest, ThermalizationNeedsChainsToCompare) {
  for (const char* groups :
       {"chain_groups { zero {} chains: 4 }", "chain_groups { informed {} chains: 4 }"}) {
    v1::JobSpec spec = Spec("thermalized: true");
    spec.MergeFrom(FromText<v1::JobSpec>(groups));
    EXPECT_THAT(ViolatedFields(Complete(spec)), ElementsAre("spec.stop.thermalized")) << groups;
    spec = Spec("rhat_below: 1.01");
    spec.MergeFrom(FromText<v1::JobSpec>(groups));
    EXPECT_EQ(Complete(spec), absl::OkStatus()) << groups;
  }
}

TEST(StopRulesTest, RhatNeedsWindowsThatHoldItsEffectiveSamples) {
  v1::JobSpec spec = Spec("rhat_below: 1.01");
  spec.MergeFrom(
      FromText<v1::JobSpec>("chain_groups { zero {} chains: 4 }"
                            "observation { max_points: 198 }"));
  EXPECT_THAT(ViolatedFields(Complete(spec)), ElementsAre("spec.observation.max_points"));
  spec.mutable_observation()->set_max_points(200);
  EXPECT_EQ(Complete(spec), absl::OkStatus());
}

TEST(StopRulesTest, TooManyEffectiveSamplesAreRefusedWithWhatThereCanBe) {
  EXPECT_THAT(std::string(Check("ess_above: 5000").message()),
              HasSubstr("must be at most 2048, not 5000"));
  v1::JobSpec spec = Spec("ess_above: 5000");
  spec.mutable_observation()->set_max_points(4096);
  EXPECT_EQ(Complete(spec), absl::OkStatus());
}

TEST(StopRulesTest, WallTimeIsTakenToTheMicrosecond) {
  google::protobuf::Duration duration;
  duration.set_seconds(3);
  duration.set_nanos(4'999);
  EXPECT_EQ(ToMicroseconds(duration), std::chrono::microseconds(3'000'004));
}

}  // namespace
}  // namespace posteriord::server
