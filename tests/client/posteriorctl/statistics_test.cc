#include "client/posteriorctl/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/proto.h"

namespace posteriord::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const char kSummary[] = R"pb(
  name: "jobs/a1"
  chains: [ 0, 1 ]
  points_per_chain: 1024
  stride: 4
  observables {
    name: "test_error"
    mean: 0.25
    mean_standard_error: 0.001
    standard_deviation: 0.5
    quantiles { probability: 0.05 value: 0.1 }
    quantiles { probability: 0.5 value: 0.2 }
    quantiles { probability: 0.95 value: 0.3 }
    rhat: 1.001
    bulk_effective_sample_size: 1234
    tail_effective_sample_size: 987
    autocorrelation_time: 6.5
  }
)pb";

TEST(StatisticsTest, AreATable) {
  const std::string text = Statistics(testing::FromText<v1::JobSummary>(kSummary));
  EXPECT_THAT(text, HasSubstr("jobs/a1: 2 chains, 1,024 points each, 4 sweeps apart"));
  for (const char* cell :
       {"test_error", "0.25", "0.001", "0.5", "0.1", "0.2", "0.3", "1,234", "987", "6.5"}) {
    EXPECT_THAT(text, HasSubstr(cell));
  }
  EXPECT_THAT(text, Not(HasSubstr("do not agree")));
}

TEST(StatisticsTest, WhatIsNotKnownIsADash) {
  auto summary = testing::FromText<v1::JobSummary>(kSummary);
  summary.mutable_observables(0)->clear_rhat();
  EXPECT_THAT(Statistics(summary), HasSubstr("  -  "));
}

TEST(StatisticsTest, TroubleIsSaidInWords) {
  auto summary = testing::FromText<v1::JobSummary>(kSummary);
  summary.mutable_observables(0)->set_rhat(1.3);
  summary.mutable_observables(0)->set_tail_effective_sample_size(150);
  auto* sampler = summary.add_samplers();
  sampler->set_divergences(12);
  sampler->set_energy_fraction(0.1);
  summary.add_notes("Chain 7 has no points after warm-up yet.");
  const std::string text = Statistics(summary);
  EXPECT_THAT(text, HasSubstr("the chains do not agree on test_error"));
  EXPECT_THAT(text, HasSubstr("Fewer than 100 effective samples per chain"));
  EXPECT_THAT(text, HasSubstr("12 divergent steps"));
  EXPECT_THAT(text, HasSubstr("E-BFMI is below 0.3"));
  EXPECT_THAT(text, HasSubstr("Chain 7"));
}

TEST(StatisticsTest, WithoutPointsSaysSo) {
  EXPECT_THAT(Statistics({}), HasSubstr("No points after warm-up yet"));
}

}  // namespace
}  // namespace posteriord::client
