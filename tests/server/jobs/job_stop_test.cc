// Jobs that stop before their schedule is spent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/sampling/schedule.h"
#include "tests/server/jobs/testing/job_manager_fixture.h"
#include "tests/testing/notification.h"
#include "tests/testing/proto.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::testing::AllOf;
using testing::FromText;
using ::testing::HasSubstr;
using testing::Notification;

constexpr std::int64_t kDraws = 100'000;  // of the schedule: more than any of these jobs makes

// The fake chains 0 and 1 are informed, 2 and 3 are not. All of them move about 0 as if every sweep
// were independent; chains 2 and 3 come from far away until sweep `arrival_`.
class JobStopTest : public JobManagerFixture {
 protected:
  JobStopTest() {
    observe_ = [this](int chain, std::int64_t sweep) {
      const double value = testing::FakeChain::Value(chain, Scrambled(sweep), 3);
      return chain >= 2 && sweep < arrival_ ? value + 100 : value;
    };
    Restart();
  }

  void Restart() {
    Stop();
    Start();
  }

  static v1::CreateJobRequest StoppingRequest(const std::string& rules,
                                              std::int64_t draws = kDraws) {
    v1::CreateJobRequest request = MakeRequest(draws);
    *request.mutable_job()->mutable_spec()->mutable_stop() = FromText<v1::StopRules>(rules);
    return request;
  }

  v1::Job Get(const std::string& id) {
    const auto job = manager_->GetJob(id);
    EXPECT_OK(job);
    return job.ok() ? *job : v1::Job();
  }

  v1::Job Run(const v1::CreateJobRequest& request) {
    const std::string id = Create(request);
    AwaitEnd(id);
    return Get(id);
  }

  static std::string IdOf(const v1::Job& job) { return *ParseJobName(job.name(), "name"); }

  std::vector<v1::Diagnostics> Evaluations(const std::string& id) {
    std::vector<v1::Diagnostics> evaluations;
    const std::vector<DiagnosticsRecord> records = *store_->ReadDiagnostics(id, 0, 10'000);
    for (const DiagnosticsRecord& record : records) {
      EXPECT_TRUE(evaluations.emplace_back().ParseFromString(record.body));
    }
    return evaluations;
  }

  // That a job stopped at one of its evaluations, with all chains there and nothing left out.
  void ExpectStoppedAtAnEvaluation(const v1::Job& job) {
    EXPECT_EQ(job.state(), v1::Job::STATE_SUCCEEDED);
    const std::int64_t sweep = job.diagnostics().sweep();
    EXPECT_LT(sweep, kDraws);
    EXPECT_FALSE(job.stop_reason().empty());
    EXPECT_EQ(job.stop_reason(), job.diagnostics().stop_reason());
    for (const v1::ChainProgress& chain : job.chains()) {
      EXPECT_EQ(chain.sweeps(), sweep);
      EXPECT_EQ(chain.draws(), sweep);
      EXPECT_EQ(chain.total_sweeps(), kDraws);
    }
    std::vector<std::int64_t> expected;
    for (std::int64_t t = 0; t <= sweep; t = core::NextLogarithmicPoint(t, kDraws)) {
      expected.push_back(t);
    }
    std::vector<std::int64_t> actual;
    for (const v1::Diagnostics& evaluation : Evaluations(IdOf(job))) {
      actual.push_back(evaluation.sweep());
      EXPECT_EQ(evaluation.stop_reason().empty(), evaluation.sweep() != sweep);
    }
    EXPECT_EQ(actual, expected);
    for (const v1::ObservableDiagnostics& observable : job.diagnostics().observables()) {
      EXPECT_TRUE(observable.state() == v1::THERMALIZATION_STATE_THERMALIZED ||
                  observable.state() == v1::THERMALIZATION_STATE_NOT_THERMALIZED);
    }
  }

  std::atomic<std::int64_t> arrival_ = 0;

 private:
  // Neighbouring numbers become unrelated ones (splitmix64).
  static std::int64_t Scrambled(std::int64_t number) {
    auto z = static_cast<std::uint64_t>(number) + 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<std::int64_t>((z ^ (z >> 31)) >> 40);
  }
};

constexpr char kThermalized[] = "thermalized: true";

v1::CreateJobRequest WithManyPoints(v1::CreateJobRequest request) {
  request.mutable_job()->mutable_spec()->mutable_observation()->set_max_points(256);
  return request;
}

TEST_F(JobStopTest, WithoutRulesTheScheduleEndsTheJob) {
  const v1::Job job = Run(MakeRequest(200));
  EXPECT_EQ(job.state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_EQ(job.stop_reason(), "The schedule's draws are made.");
  EXPECT_EQ(job.diagnostics().stop_reason(), "");
}

TEST_F(JobStopTest, ScheduleEndsAJobWhoseRulesAreNotMet) {
  arrival_ = kDraws;
  const v1::Job job = Run(StoppingRequest("thermalized: true rhat_below: 1.5", 300));
  EXPECT_EQ(job.stop_reason(), "The schedule's draws are made.");
  EXPECT_EQ(job.diagnostics().sweep(), 300);
  for (const v1::ChainProgress& chain : job.chains()) EXPECT_EQ(chain.draws(), 300);
}

TEST_F(JobStopTest, ThermalizedJobStops) {
  arrival_ = 100;
  const v1::Job job = Run(WithManyPoints(StoppingRequest(kThermalized)));
  ExpectStoppedAtAnEvaluation(job);
  EXPECT_EQ(job.diagnostics().state(), v1::THERMALIZATION_STATE_THERMALIZED);
  EXPECT_GE(job.diagnostics().thermalized_since_sweep(), 100);
  EXPECT_THAT(job.stop_reason(), HasSubstr("Thermalized since sweep"));
}

TEST_F(JobStopTest, JobStopsWhenRhatIsSmall) {
  arrival_ = 100;
  const v1::Job job = Run(WithManyPoints(StoppingRequest("rhat_below: 1.1")));
  ExpectStoppedAtAnEvaluation(job);
  EXPECT_LT(job.diagnostics().observables(0).split_rhat(), 1.1);
  const std::vector<v1::Diagnostics> evaluations = Evaluations(IdOf(job));
  for (const v1::Diagnostics& evaluation : evaluations) {
    if (!evaluation.stop_reason().empty()) continue;
    const v1::ObservableDiagnostics& monitored = evaluation.observables(0);
    EXPECT_TRUE(!monitored.has_split_rhat() || monitored.split_rhat() >= 1.1 ||
                monitored.min_chain_effective_sample_size() < 4);
  }
}

TEST_F(JobStopTest, JobStopsWhenItHasEffectiveSamplesEnough) {
  const v1::Job job = Run(WithManyPoints(StoppingRequest("ess_above: 150")));
  ExpectStoppedAtAnEvaluation(job);
  EXPECT_GT(job.diagnostics().observables(0).effective_sample_size(), 150);
  EXPECT_THAT(job.stop_reason(), HasSubstr("stop.ess_above of 150"));
}

TEST_F(JobStopTest, FirstOfAnyRulesAndLastOfAllRulesStopTheJob) {
  arrival_ = 100;
  const std::string rules = "thermalized: true ess_above: 20 ";
  const v1::Job any = Run(WithManyPoints(StoppingRequest(rules)));
  const v1::Job all = Run(WithManyPoints(StoppingRequest(rules + "combination: COMBINATION_ALL")));
  ExpectStoppedAtAnEvaluation(any);
  ExpectStoppedAtAnEvaluation(all);
  EXPECT_LT(any.diagnostics().sweep(), all.diagnostics().sweep());
  EXPECT_THAT(any.stop_reason(), HasSubstr("effective sample size"));
  EXPECT_THAT(all.stop_reason(),
              AllOf(HasSubstr("Thermalized"), HasSubstr("effective sample size")));
}

TEST_F(JobStopTest, VerdictOfAJobThatStopsWithoutAgreementIsFinal) {
  arrival_ = kDraws;
  v1::CreateJobRequest request = WithManyPoints(StoppingRequest("rhat_below: 1e9 min_draws: 500"));
  const v1::Job job = Run(request);
  ExpectStoppedAtAnEvaluation(job);
  EXPECT_EQ(job.diagnostics().sweep(), 501);
  EXPECT_EQ(job.diagnostics().state(), v1::THERMALIZATION_STATE_NOT_THERMALIZED);
  const std::vector<v1::Diagnostics> evaluations = Evaluations(IdOf(job));
  EXPECT_EQ(evaluations[evaluations.size() - 2].state(), v1::THERMALIZATION_STATE_NOT_YET);
}

TEST_F(JobStopTest, NoRuleStopsAJobBeforeItsFewestDraws) {
  v1::CreateJobRequest request =
      WithManyPoints(StoppingRequest("rhat_below: 1e9 min_draws: 40", 1000));
  v1::Schedule& schedule = *request.mutable_job()->mutable_spec()->mutable_schedule();
  schedule.set_warmup_sweeps(100);
  schedule.set_thinning(2);
  const v1::Job job = Run(request);
  EXPECT_EQ(job.diagnostics().sweep(), 200);  // the first evaluation from 180 on
  EXPECT_THAT(job.stop_reason(), HasSubstr("at sweep 200."));
}

TEST_F(JobStopTest, WhereAJobStopsDependsOnNeitherThreadsNorSlices) {
  arrival_ = 60;
  const v1::CreateJobRequest request = WithManyPoints(StoppingRequest(kThermalized));
  std::optional<std::string> expected;
  for (const int threads : {1, 2, 8}) {
    for (const int microseconds : {1, 300, 50'000}) {
      threads_ = threads;
      slice_ = std::chrono::microseconds(microseconds);
      Restart();
      const v1::Job job = Run(request);
      ExpectStoppedAtAnEvaluation(job);
      const std::string contents = Contents(IdOf(job));
      if (!expected.has_value()) expected = contents;
      EXPECT_TRUE(contents == *expected) << threads << " threads, " << microseconds << " us";
    }
  }
}

TEST_F(JobStopTest, NobodyWaitsWithoutRulesOnDiagnostics) {
  Notification passed;
  on_sweep_ = [&](std::uint64_t, int chain, std::int64_t sweep) {
    if (chain == 0 && sweep == 1000) passed.Notify();
    if (chain == 3 && sweep == 5) passed.Wait();
    return absl::OkStatus();
  };
  const v1::Job job = Run(StoppingRequest("wall_time { seconds: 3600 }", 2000));
  EXPECT_EQ(job.stop_reason(), "The schedule's draws are made.");
}

// Tells jobs the time.
class WallTimeTest : public JobStopTest {
 protected:
  WallTimeTest() {
    time_of_day_us_ = [this] { return now_us_.load(); };
    Restart();
  }

  void AdvanceSeconds(std::int64_t seconds) { now_us_ += seconds * 1'000'000; }

  std::atomic<std::int64_t> now_us_ = 1'700'000'000'000'000;
};

TEST_F(WallTimeTest, SpentWallTimeStopsTheJobAndKeepsItsDraws) {
  on_sweep_ = [this](std::uint64_t, int chain, std::int64_t sweep) {
    if (chain == 0 && sweep == 50) AdvanceSeconds(60);
    return absl::OkStatus();
  };
  const v1::Job job = Run(StoppingRequest("wall_time { seconds: 60 }", 1'000'000'000));
  EXPECT_EQ(job.state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_EQ(job.stop_reason(), "The wall time of 60 s is spent.");
  EXPECT_GE(job.chains(0).draws(), 49);
  EXPECT_EQ(job.diagnostics().stop_reason(), "");
  EXPECT_TRUE(job.has_end_time());
}

TEST_F(WallTimeTest, WallTimeStopsAJobWhoseOtherRulesAreNotMet) {
  arrival_ = 1'000'000'000;
  on_sweep_ = [this](std::uint64_t, int chain, std::int64_t sweep) {
    if (chain == 0 && sweep == 300) AdvanceSeconds(61);
    return absl::OkStatus();
  };
  const v1::Job job =
      Run(StoppingRequest("thermalized: true wall_time { seconds: 60 }", 1'000'000'000));
  EXPECT_EQ(job.stop_reason(), "The wall time of 60 s is spent.");
}

TEST_F(WallTimeTest, WallTimeRunsOnWhileThereIsNoServer) {
  Notification reached;
  std::atomic<bool> stopped = false;
  std::atomic<int> later_sweeps = 0;
  on_sweep_ = [&](std::uint64_t, int, std::int64_t sweep) {
    if (sweep == 20) reached.Notify();
    if (stopped) ++later_sweeps;
    return absl::OkStatus();
  };
  const std::string id = Create(StoppingRequest("wall_time { seconds: 60 }", 1'000'000'000));
  reached.Wait();
  AdvanceSeconds(59);
  Restart();
  EXPECT_EQ(store_->GetJob(id)->state, JobState::kRunning);
  Stop();
  stopped = true;
  AdvanceSeconds(1);
  Start();
  AwaitEnd(id);
  EXPECT_EQ(Get(id).stop_reason(), "The wall time of 60 s is spent.");
  EXPECT_EQ(later_sweeps, 0);
}

TEST_F(WallTimeTest, WithAllRulesTheWallTimeIsLookedAtInEvaluations) {
  on_sweep_ = [this](std::uint64_t, int chain, std::int64_t sweep) {
    if (chain == 0 && sweep == 300) AdvanceSeconds(60);
    return absl::OkStatus();
  };
  const v1::Job job = Run(WithManyPoints(
      StoppingRequest("combination: COMBINATION_ALL rhat_below: 1e9 wall_time { seconds: 60 }")));
  ExpectStoppedAtAnEvaluation(job);
  EXPECT_EQ(job.diagnostics().sweep(), 316);  // the evaluation before was at 282
  EXPECT_THAT(job.stop_reason(), HasSubstr("; the wall time of 60 s is spent, at sweep 316."));
}

// Holds a chain back before a sweep, so that the others come to wait for it.
class HeldBackTest : public JobStopTest {
 protected:
  static constexpr std::int64_t kHeldSweep = 120;
  static constexpr std::int64_t kBarrier = 126;  // the evaluation after it

  HeldBackTest() {
    arrival_ = 60;
    on_sweep_ = [this](std::uint64_t, int chain, std::int64_t sweep) {
      if (sweep <= made_[static_cast<std::size_t>(chain)].exchange(sweep)) repeated_ = true;
      if (chain == 3 && sweep == kHeldSweep && hold_.exchange(false)) {
        held_.Notify();
        released_.Wait();
      }
      return absl::OkStatus();
    };
  }

  // A job of which all chains but the last wait at the barrier.
  std::string CreateHeldBack() {
    const std::string id = Create(WithManyPoints(StoppingRequest(kThermalized)));
    held_.Wait();
    Await(id, [&](const JobRecord&) { return ThreeChainsAreAtTheBarrier(id); });
    return id;
  }

  bool ThreeChainsAreAtTheBarrier(const std::string& id) {
    const std::vector<ChainPosition> positions = *store_->Positions(id);
    return std::all_of(positions.begin(), positions.begin() + 3,
                       [](const ChainPosition& each) { return each.sweeps == kBarrier; });
  }

  // What a job leaves that nothing holds up.
  std::string ExpectedContents() {
    hold_ = false;
    const v1::Job job = Run(WithManyPoints(StoppingRequest(kThermalized)));
    EXPECT_GT(job.diagnostics().sweep(), kBarrier);
    for (std::atomic<std::int64_t>& made : made_) made = 0;
    hold_ = true;
    repeated_ = false;
    return Contents(IdOf(job));
  }

  std::atomic<bool> hold_ = true;
  Notification held_;
  Notification released_;
  std::array<std::atomic<std::int64_t>, 4> made_ = {};  // last sweep begun, by chain
  std::atomic<bool> repeated_ = false;                  // whether any was begun twice
};

TEST_F(HeldBackTest, ChainsWaitForTheSlowestAndGoOnWithIt) {
  const std::string expected = ExpectedContents();
  const std::string id = CreateHeldBack();
  EXPECT_EQ(Evaluations(id).back().sweep(), 112);
  released_.Notify();
  AwaitEnd(id);
  ExpectStoppedAtAnEvaluation(Get(id));
  EXPECT_TRUE(Contents(id) == expected);
}

TEST_F(HeldBackTest, WaitingChainsLeaveTheirThreadsToOtherJobs) {
  const std::string id = CreateHeldBack();
  // One of the two threads is held up; the other one has nothing but this job to do.
  EXPECT_EQ(Run(MakeRequest(500)).state(), v1::Job::STATE_SUCCEEDED);
  EXPECT_TRUE(ThreeChainsAreAtTheBarrier(id));
  released_.Notify();
  AwaitEnd(id);
  ExpectStoppedAtAnEvaluation(Get(id));
}

TEST_F(HeldBackTest, JobIsCancelledWhileChainsWait) {
  arrival_ = 1'000'000'000;  // no rule ends the job before
  const std::string id = CreateHeldBack();
  std::thread canceller([&] { EXPECT_OK(manager_->CancelJob(id)); });
  released_.Notify();
  canceller.join();
  const v1::Job job = Get(id);
  EXPECT_EQ(job.state(), v1::Job::STATE_CANCELLED);
  EXPECT_EQ(job.stop_reason(), "");
  EXPECT_GE(job.chains(0).draws(), kBarrier);
}

TEST_F(HeldBackTest, ShutdownWhileChainsWaitStoresTheirCheckpoints) {
  const std::string expected = ExpectedContents();
  const std::string id = CreateHeldBack();
  std::thread stopper([this] { Stop(); });
  released_.Notify();
  stopper.join();
  Start();
  AwaitEnd(id);
  ExpectStoppedAtAnEvaluation(Get(id));
  EXPECT_TRUE(Contents(id) == expected);
  EXPECT_FALSE(repeated_);
}

TEST_F(HeldBackTest, CrashWhileChainsWaitChangesNothing) {
  const std::string expected = ExpectedContents();
  const std::string id = CreateHeldBack();
  Crash([this] { released_.Notify(); });
  AwaitEnd(id);
  ExpectStoppedAtAnEvaluation(Get(id));
  EXPECT_TRUE(Contents(id) == expected);
}

TEST_F(HeldBackTest, CrashBetweenTheDecisionAndTheEndDoesNotUndoIt) {
  const std::string expected = ExpectedContents();
  hold_ = false;
  store_->before_set_state = [](JobState to) {
    return IsFinal(to) ? absl::UnavailableError("input/output error") : absl::OkStatus();
  };
  const std::string id = Create(WithManyPoints(StoppingRequest(kThermalized)));
  Await(id, [&](const JobRecord&) {
    const std::vector<v1::Diagnostics> evaluations = Evaluations(id);
    return !evaluations.empty() && !evaluations.back().stop_reason().empty();
  });
  Restart();
  AwaitEnd(id);
  ExpectStoppedAtAnEvaluation(Get(id));
  EXPECT_TRUE(Contents(id) == expected);
  EXPECT_FALSE(repeated_);
}

TEST_F(HeldBackTest, StoppedJobStaysStoppedAfterARestart) {
  hold_ = false;
  const v1::Job job = Run(WithManyPoints(StoppingRequest(kThermalized)));
  Restart();
  EXPECT_EQ(Get(IdOf(job)).SerializeAsString(), job.SerializeAsString());
  EXPECT_FALSE(repeated_);
}

}  // namespace
}  // namespace posteriord::server
