#include "client/posteriorctl/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "tests/client/testing/sample_job.h"

namespace posteriord::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::SampleJob;

std::string Text(const v1::Job& job) { return Summary(job, "posteriorctl", absl::UTCTimeZone()); }

TEST(SummaryTest, AFinishedTeacherStudentJobReadsWell) {
  EXPECT_EQ(Text(SampleJob()), R"(jobs/a1  succeeded  "student and teacher"
  labels    suite=demo
  network   inputs 3, dense 2; Gaussian noise; 8 parameters
  sampler   Gibbs
  data      Gaussian inputs, 2,000 training and 500 test samples, labels from a teacher
  chains    4 (2 informed, 2 zero), seed 7
  schedule  100 sweeps per chain: 40 of warm-up, then 6 draws, one every 10 sweeps
  progress  400 of 400 sweeps made in all chains; a chain on a core makes 410 to 425 sweeps/s
  time      created 2025-03-01 14:05:00, started 2025-03-01 14:05:09, ended 2025-03-01 14:08:21 (took 3m 12s)
  needs     12.3 MB of memory, 20.5 kB of disk (predicted)

Observables over sweeps 50 to 100:
  observable          informed mean  uninformed mean  distance  split R-hat    ESS  verdict
  test_error                0.00031          0.00032      0.71         1.01  1,312  since sweep 60
  dense1.weight_norm           1.42             1.43       0.5            1    900  since sweep 50
  distance: between the means plus two standard errors, in informed standard deviations

Prediction: test mean squared error: posterior predictive 0.000164, of the informed chains 0.000162, a single draw 0.00032

Thermalization: thermalized since sweep 60
  all 2 monitored observables agree since sweep 60

Draws: 24 stored (1.5 kB)
  posteriorctl job draws jobs/a1 --out draws.npz
  posteriorctl job trace jobs/a1 --out trace.csv
)");
}

TEST(SummaryTest, AClassifierOnRealLabelsTellsAccuraciesAndNoComparison) {
  v1::Job job = SampleJob();
  job.mutable_spec()->mutable_network()->mutable_likelihood()->mutable_probit();
  job.mutable_spec()->mutable_data()->clear_teacher();
  job.mutable_spec()->mutable_data()->mutable_dataset()->set_dataset("datasets/d1");
  v1::Diagnostics& diagnostics = *job.mutable_diagnostics();
  diagnostics.set_state(v1::THERMALIZATION_STATE_NOT_APPLICABLE);
  diagnostics.set_explanation("no chain started at a teacher");
  diagnostics.set_pooled_predictive_test_error(0.025);
  diagnostics.clear_informed_predictive_test_error();
  for (v1::ObservableDiagnostics& observable : *diagnostics.mutable_observables()) {
    observable.clear_uninformed_mean();
    observable.clear_worst_distance();
    observable.set_state(v1::THERMALIZATION_STATE_NOT_APPLICABLE);
  }
  diagnostics.mutable_observables(0)->set_informed_mean(0.041);
  const std::string text = Text(job);
  EXPECT_THAT(text, HasSubstr("data      datasets/d1, 2,000 training and 500 test samples\n"));
  EXPECT_THAT(text, HasSubstr("multinomial probit"));
  EXPECT_THAT(text, HasSubstr("  observable           mean  std. dev.  split R-hat    ESS\n"
                              "  test_error          0.041      2e-05         1.01  1,312\n"));
  EXPECT_THAT(text,
              HasSubstr("Prediction: test accuracy: posterior predictive 97.5%, a single draw "
                        "95.9%\n"));
  EXPECT_THAT(text, HasSubstr("Thermalization: not applicable\n  no chain started at a teacher\n"));
}

TEST(SummaryTest, AStoppedJobTellsWhy) {
  v1::Job job = SampleJob();
  job.set_stop_reason("The wall time of 60 s is spent.");
  EXPECT_THAT(Text(job), HasSubstr("\n  stopped   The wall time of 60 s is spent.\n"));
}

TEST(SummaryTest, AFailedJobTellsWhyWithTheFields) {
  v1::Job job = SampleJob();
  job.set_state(v1::Job::STATE_FAILED);
  job.mutable_error()->set_code(15);
  job.mutable_error()->set_message("a record is damaged");
  google::rpc::ErrorInfo info;
  info.set_reason("BAD_RECORD");
  job.mutable_error()->add_details()->PackFrom(info);
  EXPECT_THAT(Text(job), HasSubstr("  error     DATA_LOSS: a record is damaged\n"
                                   "              reason: BAD_RECORD\n"));
}

TEST(SummaryTest, AJobJustQueuedShowsHowToWatchItAndNoDiagnostics) {
  v1::Job job = SampleJob();
  job.set_state(v1::Job::STATE_QUEUED);
  job.clear_start_time();
  job.clear_end_time();
  job.clear_diagnostics();
  for (v1::ChainProgress& chain : *job.mutable_chains()) {
    chain.clear_sweeps();
    chain.clear_draws();
    chain.clear_sweeps_per_second();
  }
  const std::string text = Summary(job, "posteriorctl --server h:1", absl::UTCTimeZone());
  EXPECT_THAT(text, HasSubstr("progress  0 of 400 sweeps made in all chains\n"));
  EXPECT_THAT(text, HasSubstr("time      created 2025-03-01 14:05:00\n"));
  EXPECT_THAT(text, HasSubstr("Draws: 0 stored (0 B)\n"
                              "  posteriorctl --server h:1 job watch jobs/a1\n"));
  EXPECT_THAT(text, Not(HasSubstr("Observables")));
  EXPECT_THAT(text, Not(HasSubstr("job draws")));
}

}  // namespace
}  // namespace posteriord::client
