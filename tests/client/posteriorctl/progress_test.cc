#include "client/posteriorctl/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/posteriorctl/text.h"
#include "tests/client/testing/sample_job.h"

namespace posteriord::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::SampleJob;

const absl::Time kStart = absl::FromUnixSeconds(1740837909);
const Screen kScreen = {.live = true, .width = 100, .height = 24};

// The sample job on its way: chain i has made sweeps[i] of 10,000.
v1::Job Running(const std::vector<std::int64_t>& sweeps) {
  v1::Job job = SampleJob();
  job.set_state(v1::Job::STATE_RUNNING);
  job.clear_end_time();
  job.clear_diagnostics();
  for (int i = 0; i < job.chains_size(); ++i) {
    job.mutable_chains(i)->set_sweeps(sweeps[static_cast<std::size_t>(i)]);
    job.mutable_chains(i)->set_total_sweeps(10000);
  }
  return job;
}

TEST(BarTest, FillsItsShareOfTheWidth) {
  EXPECT_EQ(Bar(0, 12, false), "[..........]");
  EXPECT_EQ(Bar(0.5, 12, false), "[#####.....]");
  EXPECT_EQ(Bar(1, 12, false), "[##########]");
  EXPECT_EQ(Bar(0, 4, true), "░░░░");
  EXPECT_EQ(Bar(0.53125, 4, true), "██▏░");
  EXPECT_EQ(Bar(1, 4, true), "████");
  EXPECT_EQ(Bar(7, 4, true), "████");
}

TEST(ProgressTest, EveryChainHasABarWithSpeedAndTimeLeft) {
  JobProgress progress;
  progress.Update(Running({1000, 2000, 0, 10000}), kStart + absl::Seconds(10));
  progress.Update(Running({3000, 2500, 0, 10000}), kStart + absl::Seconds(15));
  EXPECT_THAT(
      progress.Lines(kStart + absl::Seconds(15), kScreen),
      ElementsAre("jobs/a1 (student and teacher)  running  15s",
                  "  chain 0  informed  [########.....................]   30%   3,000/10,000  "
                  "400 sweeps/s  ETA 18s",
                  "  chain 1  informed  [#######......................]   25%   2,500/10,000  "
                  "100 sweeps/s  ETA 1m 15s",
                  "  chain 2  zero      [.............................]    0%       0/10,000  "
                  "425 sweeps/s  ETA 24s",
                  "  chain 3  zero      [#############################]  100%  10,000/10,000  "
                  "420 sweeps/s  done"));
}

TEST(ProgressTest, LinesFitTheScreenAndTheLeastImportantCellsGoFirst) {
  JobProgress progress;
  progress.Update(Running({1000, 2000, 0, 10000}), kStart);
  for (int width = 40; width < 140; ++width) {
    Screen screen = kScreen;
    screen.width = width;
    for (const std::string& line : progress.Lines(kStart, screen)) {
      EXPECT_LT(DisplayWidth(line), width) << line;
    }
  }
  Screen narrow = kScreen;
  narrow.width = 60;
  EXPECT_THAT(progress.Lines(kStart, narrow)[1],
              "  chain 0  [#................]   10%  410 sweeps/s  ETA 22s");
}

TEST(ProgressTest, ChainsThatDoNotFitTheScreenAreCounted) {
  v1::Job job = Running({0, 0, 0, 0});
  for (int i = 4; i < 50; ++i) {
    *job.add_chains() = job.chains(3);
    job.mutable_chains(i)->set_chain(i);
    job.mutable_chains(i)->set_sweeps(5000);
  }
  JobProgress progress;
  progress.Update(job, kStart);
  Screen screen = kScreen;
  screen.height = 10;
  const std::vector<std::string> lines = progress.Lines(kStart, screen);
  EXPECT_EQ(lines.size(), 9u);
  EXPECT_EQ(lines.back(), "  ... and 43 more chains; all: 46%");
}

TEST(ProgressTest, SpeedIsThatOfTheLastSecondsOnly) {
  JobProgress progress;
  progress.Update(Running({0, 0, 0, 0}), kStart);
  progress.Update(Running({100, 0, 0, 0}), kStart + absl::Seconds(50));
  progress.Update(Running({1100, 0, 0, 0}), kStart + absl::Seconds(60));
  progress.Update(Running({2100, 0, 0, 0}), kStart + absl::Seconds(65));
  EXPECT_THAT(progress.Lines(kStart, kScreen)[1], HasSubstr("133 sweeps/s"));
}

TEST(ProgressTest, AChainThatFellBackAfterARestartIsMeasuredAnew) {
  JobProgress progress;
  progress.Update(Running({5000, 0, 0, 0}), kStart);
  progress.Update(Running({4000, 0, 0, 0}), kStart + absl::Seconds(1));
  EXPECT_THAT(progress.Lines(kStart, kScreen)[1], HasSubstr("410 sweeps/s"));
  progress.Update(Running({4100, 0, 0, 0}), kStart + absl::Seconds(2));
  EXPECT_THAT(progress.Lines(kStart, kScreen)[1], HasSubstr("100 sweeps/s"));
}

TEST(ProgressTest, VerdictAndPredictionFollowTheBars) {
  v1::Job job = Running({1, 2, 3, 4});
  *job.mutable_diagnostics() = SampleJob().diagnostics();
  JobProgress progress;
  progress.Update(job, kStart);
  Screen screen = kScreen;
  screen.width = 200;
  const std::vector<std::string> lines = progress.Lines(kStart, screen);
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines[5],
            "  test mean squared error: posterior predictive 0.000164, of the informed chains "
            "0.000162, a single draw 0.00032");
  EXPECT_EQ(lines[6],
            "  thermalization: thermalized since sweep 60 (all 2 monitored observables agree since "
            "sweep 60)");
}

TEST(ProgressTest, ANoticeTakesThePlaceOfTheVerdictUntilItIsWithdrawn) {
  JobProgress progress;
  progress.Update(SampleJob(), kStart);
  progress.set_notice("connection lost");
  EXPECT_EQ(progress.Lines(kStart, kScreen).back(), "  connection lost");
  EXPECT_THAT(progress.Line(), HasSubstr("; connection lost"));
  progress.set_notice("");
  EXPECT_THAT(progress.Lines(kStart, kScreen).back(), HasSubstr("thermalization"));
}

TEST(ProgressTest, ColorsComeOnlyWhereTheyAreWanted) {
  JobProgress progress;
  progress.Update(SampleJob(), kStart);
  Screen colored = kScreen;
  colored.color = true;
  EXPECT_THAT(progress.Lines(kStart, colored)[1], HasSubstr("\x1b[32m"));
  EXPECT_THAT(progress.Lines(kStart, colored).back(), HasSubstr("\x1b[32m"));
  for (const std::string& line : progress.Lines(kStart, kScreen)) {
    EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  }
}

TEST(ProgressTest, NamesOfUsersCannotSteerTheTerminal) {
  v1::Job job = Running({0, 0, 0, 0});
  job.set_display_name("\x1b[2J");
  JobProgress progress;
  progress.Update(job, kStart);
  EXPECT_THAT(progress.Lines(kStart, kScreen)[0], HasSubstr("(?[2J)"));
}

TEST(ProgressTest, AStoppedChainIsNotDone) {
  v1::Job job = Running({5000, 10000, 0, 0});
  job.set_state(v1::Job::STATE_CANCELLED);
  JobProgress progress;
  progress.Update(job, kStart);
  EXPECT_THAT(progress.Lines(kStart, kScreen)[1], HasSubstr("stopped"));
  EXPECT_THAT(progress.Lines(kStart, kScreen)[2], HasSubstr("done"));
}

TEST(ProgressTest, AQueuedJobHasNoSpeed) {
  v1::Job job = Running({0, 0, 0, 0});
  job.set_state(v1::Job::STATE_QUEUED);
  job.clear_start_time();
  for (v1::ChainProgress& chain : *job.mutable_chains()) chain.clear_sweeps_per_second();
  JobProgress progress;
  progress.Update(job, kStart);
  EXPECT_EQ(progress.Lines(kStart, kScreen)[0], "jobs/a1 (student and teacher)  queued");
  EXPECT_THAT(progress.Lines(kStart, kScreen)[1], Not(HasSubstr("ETA")));
  EXPECT_EQ(progress.Line(), "jobs/a1 queued: 0% of 40,000 sweeps in 4 chains");
}

TEST(ProgressTest, TheLineSumsTheChainsUp) {
  JobProgress progress;
  progress.Update(Running({1000, 2000, 0, 10000}), kStart);
  progress.Update(Running({3000, 2500, 1000, 10000}), kStart + absl::Seconds(5));
  EXPECT_EQ(progress.Line(),
            "jobs/a1 running: 41% of 40,000 sweeps in 4 chains, 700 sweeps/s, ETA 1m 15s");
}

}  // namespace
}  // namespace posteriord::client
