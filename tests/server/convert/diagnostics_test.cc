#include "server/convert/diagnostics.h"

#include <gtest/gtest.h>

#include <vector>

namespace posteriord::server {
namespace {

using core::ThermalizationState;

const std::vector<core::ObservableInfo> kObservables = {{"train_error", "", true},
                                                        {"log_posterior", "", true}};

core::Diagnostics MakeDiagnostics(ThermalizationState state) {
  core::Diagnostics diagnostics;
  diagnostics.sweep = 100;
  diagnostics.state = state;
  diagnostics.agreeing_since = 26;
  diagnostics.explanation = "because";
  diagnostics.observables.resize(2);
  diagnostics.observables[0].state = ThermalizationState::kNotYet;
  diagnostics.observables[0].agreeing_since = 51;
  diagnostics.observables[0].informed_mean = 1.5;
  diagnostics.observables[0].informed_standard_deviation = 0.5;
  diagnostics.observables[0].uninformed_mean = 1.25;
  diagnostics.observables[0].worst_distance = 0.75;
  diagnostics.observables[0].split_rhat = 1.01;
  diagnostics.observables[0].effective_sample_size = 400;
  diagnostics.observables[0].min_chain_effective_sample_size = 90;
  return diagnostics;
}

TEST(DiagnosticsTest, EveryFieldReachesTheMessage) {
  const v1::Diagnostics message =
      ToProto(MakeDiagnostics(ThermalizationState::kThermalized), kObservables);
  EXPECT_EQ(message.sweep(), 100);
  EXPECT_EQ(message.state(), v1::THERMALIZATION_STATE_THERMALIZED);
  EXPECT_EQ(message.thermalized_since_sweep(), 26);
  EXPECT_EQ(message.explanation(), "because");
  ASSERT_EQ(message.observables_size(), 2);
  const v1::ObservableDiagnostics& first = message.observables(0);
  EXPECT_EQ(first.name(), "train_error");
  EXPECT_EQ(first.state(), v1::THERMALIZATION_STATE_NOT_YET);
  EXPECT_EQ(first.thermalized_since_sweep(), 51);
  EXPECT_EQ(first.informed_mean(), 1.5);
  EXPECT_EQ(first.informed_standard_deviation(), 0.5);
  EXPECT_EQ(first.uninformed_mean(), 1.25);
  EXPECT_EQ(first.worst_distance(), 0.75);
  EXPECT_EQ(first.split_rhat(), 1.01);
  EXPECT_EQ(first.effective_sample_size(), 400);
  EXPECT_EQ(first.min_chain_effective_sample_size(), 90);
  const v1::ObservableDiagnostics& second = message.observables(1);
  EXPECT_EQ(second.name(), "log_posterior");
  EXPECT_FALSE(second.has_uninformed_mean());
  EXPECT_FALSE(second.has_worst_distance());
  EXPECT_FALSE(second.has_split_rhat());
  EXPECT_FALSE(second.has_effective_sample_size());
  EXPECT_FALSE(second.has_min_chain_effective_sample_size());
}

TEST(DiagnosticsTest, StatesAndRunsOfAgreementComeBack) {
  for (const ThermalizationState state :
       {ThermalizationState::kNotApplicable, ThermalizationState::kTooEarly,
        ThermalizationState::kNotYet, ThermalizationState::kThermalized,
        ThermalizationState::kNotThermalized}) {
    const core::Diagnostics original = MakeDiagnostics(state);
    const core::Diagnostics restored = FromProto(ToProto(original, kObservables));
    EXPECT_EQ(restored.sweep, original.sweep);
    EXPECT_EQ(restored.state, original.state);
    EXPECT_EQ(restored.agreeing_since, original.agreeing_since);
    ASSERT_EQ(restored.observables.size(), 2);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(restored.observables[i].state, original.observables[i].state);
      EXPECT_EQ(restored.observables[i].agreeing_since, original.observables[i].agreeing_since);
    }
  }
}

}  // namespace
}  // namespace posteriord::server
