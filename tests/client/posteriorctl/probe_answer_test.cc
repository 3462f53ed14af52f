#include "client/posteriorctl/probe_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/testing/sample_job.h"

namespace posteriord::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::SampleJob;

class ProbeAnswerTest : public ::testing::Test {
 protected:
  ProbeAnswerTest() {
    job_.mutable_spec()->mutable_data()->clear_teacher();
    companion_.set_name("jobs/c1");
    companion_.mutable_spec()->mutable_thermalization()->set_tolerance(1);
    companion_.mutable_spec()->mutable_thermalization()->set_min_effective_sample_size(50);
    companion_.mutable_diagnostics()->set_sweep(20'000);
    companion_.mutable_diagnostics()->set_thermalized_since_sweep(5'001);
  }

  v1::Schedule& schedule() { return *job_.mutable_spec()->mutable_schedule(); }
  v1::Diagnostics& diagnostics() { return *companion_.mutable_diagnostics(); }
  v1::ObservableDiagnostics& observable(int i) { return *diagnostics().mutable_observables(i); }

  // No agreement in the first observable when the sweeps were spent.
  void SetNotThermalized() {
    diagnostics().set_state(v1::THERMALIZATION_STATE_NOT_THERMALIZED);
    diagnostics().clear_thermalized_since_sweep();
    observable(0).set_state(v1::THERMALIZATION_STATE_NOT_THERMALIZED);
    observable(0).clear_thermalized_since_sweep();
  }

  std::string Text() const { return ProbeAnswer(job_, companion_, "posteriorctl"); }

  v1::Job job_ = SampleJob();
  v1::Job companion_ = SampleJob();
};

TEST_F(ProbeAnswerTest, WarmUpThatIsTooShortIsToldWithWhatNotToTrust) {
  schedule().set_warmup_sweeps(2'000);
  schedule().set_draws(1'000);
  EXPECT_EQ(OutcomeOfProbe(companion_), ProbeOutcome::kThermalized);
  EXPECT_EQ(
      Text(),
      R"(The sampler thermalizes: from sweep 5,001 on the companion's chains agree with the informed ones.
  Give jobs/a1 at least warmup_sweeps: 5001 (it has 2,000: its first 3,001 sweeps after warm-up are not to be trusted).
  test_error agrees least of the 2 monitored observables: to 0.71 of the 1 informed standard deviation tolerated.
  All observables: posteriorctl job get jobs/c1
)");
  schedule().set_warmup_sweeps(0);
  EXPECT_THAT(Text(), HasSubstr("(it has none: its first 5,001 sweeps are not to be trusted)"));
}

TEST_F(ProbeAnswerTest, JobThatEndsBeforeItsChainsThermalizeHasNoDrawToTrust) {
  schedule().set_warmup_sweeps(2'000);
  schedule().set_draws(300);
  EXPECT_THAT(Text(), HasSubstr("(it has 2,000: of its 5,000 sweeps none is to be trusted)"));
}

TEST_F(ProbeAnswerTest, WarmUpThatIsLongEnoughIsConfirmed) {
  schedule().set_warmup_sweeps(5'001);
  EXPECT_THAT(Text(), HasSubstr("jobs/a1 has warmup_sweeps: 5001, which is enough.\n"));
  schedule().set_warmup_sweeps(5'000);
  EXPECT_THAT(Text(), HasSubstr("its first 1 sweeps after warm-up"));
}

TEST_F(ProbeAnswerTest, ChainsThatStayApartSayInWhatAndWhatMayHelp) {
  SetNotThermalized();
  observable(0).set_worst_distance(7.5);
  EXPECT_EQ(OutcomeOfProbe(companion_), ProbeOutcome::kNotThermalized);
  EXPECT_EQ(
      Text(),
      R"(The sampler did not thermalize within 20,000 sweeps: do not trust the draws of jobs/a1.
  1 of 2 monitored observables is apart, most of all test_error: informed chains at 0.00031 with a standard deviation of 2e-05, the others at 0.00032; a chain is up to 7.5 informed standard deviations away, 1 is tolerated.
  Try more noise in the hidden layers, a population start (chain_groups { population {} }), a smaller network, or more sweeps: posteriorctl job probe jobs/a1 --sweeps 80000
  All observables: posteriorctl job get jobs/c1
)");
}

TEST_F(ProbeAnswerTest, RemediesFitTheJob) {
  SetNotThermalized();
  observable(0).set_worst_distance(7.5);
  companion_.mutable_spec()->add_chain_groups()->mutable_population();
  EXPECT_THAT(Text(), Not(HasSubstr("population start")));
  companion_.mutable_spec()->mutable_sampler()->mutable_nuts();
  companion_.mutable_spec()->mutable_network()->set_posterior(v1::Network::POSTERIOR_CLASSICAL);
  EXPECT_THAT(Text(), HasSubstr("Try a longer warm-up, which adapts the sampler, or more sweeps"));
}

TEST_F(ProbeAnswerTest, ChainsFarApartNeedNoMoreSamplesToBeTold) {
  SetNotThermalized();
  observable(0).set_worst_distance(90);
  observable(0).set_min_chain_effective_sample_size(3);
  observable(0).set_uninformed_mean(0.001);
  EXPECT_EQ(OutcomeOfProbe(companion_), ProbeOutcome::kNotThermalized);
}

TEST_F(ProbeAnswerTest, UnmonitoredObservablesDoNotCount) {
  SetNotThermalized();
  observable(0).set_worst_distance(90);
  companion_.mutable_observables(0)->set_monitored(false);
  observable(1).clear_thermalized_since_sweep();
  observable(1).set_worst_distance(3);
  EXPECT_THAT(Text(), HasSubstr("1 of 1 monitored observables is apart, most of all "
                                "dense1.weight_norm"));
}

TEST_F(ProbeAnswerTest, InformedChainsThatDifferAreExplainedByTheServer) {
  SetNotThermalized();
  diagnostics().set_explanation("the informed chains themselves disagree");
  EXPECT_EQ(OutcomeOfProbe(companion_), ProbeOutcome::kNotThermalized);
  EXPECT_THAT(Text(), HasSubstr("\n  the informed chains themselves disagree\n"));
}

TEST_F(ProbeAnswerTest, TooFewEffectiveSamplesSayOfWhatAndHowManySweepsItTakes) {
  SetNotThermalized();
  observable(0).set_min_chain_effective_sample_size(12);
  EXPECT_EQ(OutcomeOfProbe(companion_), ProbeOutcome::kTooEarly);
  EXPECT_EQ(Text(), R"(Too early to tell after 20,000 sweeps: the chains move too slowly for so few.
  test_error moves slowest: in sweeps 10,001 to 20,000 a chain has 12 effective samples of the 50 needed.
  Probe again with more sweeps: posteriorctl job probe jobs/a1 --sweeps 170000
  All observables: posteriorctl job get jobs/c1
)");
}

TEST_F(ProbeAnswerTest, AgreementThatIsTooYoungSaysWhenItWillBeOldEnough) {
  diagnostics().set_state(v1::THERMALIZATION_STATE_NOT_THERMALIZED);
  diagnostics().set_thermalized_since_sweep(8'000);
  EXPECT_EQ(OutcomeOfProbe(companion_), ProbeOutcome::kTooEarly);
  EXPECT_THAT(Text(), HasSubstr("Too early to be sure: the companion's chains agree with the "
                                "informed ones from sweep 8,000 on, but that has to hold until "
                                "sweep 32,000, and the companion made 20,000.\n"));
  EXPECT_THAT(Text(), HasSubstr("posteriorctl job probe jobs/a1 --sweeps 32000\n"));
}

TEST_F(ProbeAnswerTest, CompanionThatWasStoppedTellsWhatItHad) {
  companion_.set_state(v1::Job::STATE_CANCELLED);
  EXPECT_THAT(Text(), HasSubstr("The companion was cancelled; this is what it had found.\nThe "
                                "sampler thermalizes"));
  companion_.clear_diagnostics();
  EXPECT_EQ(OutcomeOfProbe(companion_), ProbeOutcome::kTooEarly);
  EXPECT_THAT(Text(), HasSubstr("Too early to tell after 0 sweeps"));
}

}  // namespace
}  // namespace posteriord::client
