#include "server/services/job_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/server/store/testing/sqlite_server.h"
#include "tests/testing/proto.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;
using testing::FromText;
using ::testing::HasSubstr;
using testing::StatusIs;
using testing::ViolatedFields;

constexpr char kJobId[] = "job1";
constexpr int kWarmup = 100;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// A job of two chains with an observable, 0 in warm-up and then chain + (sweep mod 5), and two of
// the sampler.
class JobSummaryTest : public ::testing::Test {
 protected:
  JobSummaryTest() {
    job_ = FromText<v1::Job>(R"pb(
      name: "jobs/job1"
      spec {
        sampler { nuts {} }
        schedule { warmup_sweeps: 100 draws: 1000 thinning: 1 }
        observation { initial_stride: 1 max_points: 1024 }
      }
      chains {}
      chains { chain: 1 }
      observables { name: "train_error" }
      observables { name: "sampler.acceptance" }
      observables { name: "sampler.divergences" }
      observables { name: "predictive_test_error" }
    )pb");
    JobRecord record;
    record.id = kJobId;
    record.create_time_us = 1;
    EXPECT_THAT(server_.store().CreateJob(record, 2, "", ""), testing::IsOk());
    EXPECT_THAT(server_.store().SetState(kJobId, {JobState::kQueued}, JobState::kRunning, 2, ""),
                testing::IsOk());
  }

  void RunTo(int chain, std::int64_t sweeps, double divergences = 3) {
    ChainCommit commit;
    commit.chain = chain;
    for (std::int64_t sweep = 0; sweep <= sweeps; ++sweep) {
      const double error =
          sweep <= kWarmup ? 0 : static_cast<double>(chain) + static_cast<double>(sweep % 5);
      commit.points.push_back({.index = sweep,
                               .sweep = sweep,
                               .even = true,
                               .logarithmic = false,
                               .values = {error, sweep == 0 ? kNan : 0.75, divergences, 0.5}});
    }
    commit.sweeps = sweeps;
    EXPECT_THAT(server_.store().Commit(kJobId, commit), testing::IsOk());
  }

  absl::StatusOr<v1::JobSummary> Summarize(const std::vector<int>& chains = {}) {
    v1::GetJobSummaryRequest request;
    request.mutable_chains()->Assign(chains.begin(), chains.end());
    return SummarizeJob(server_.store(), kJobId, job_, request);
  }

  SqliteServer server_;
  v1::Job job_;
};

TEST_F(JobSummaryTest, PointsAfterWarmupOfEveryChainCount) {
  RunTo(0, 600);
  RunTo(1, 600);
  const absl::StatusOr<v1::JobSummary> summary = Summarize();
  ASSERT_OK(summary);
  EXPECT_THAT(summary->chains(), ElementsAre(0, 1));
  EXPECT_EQ(summary->points_per_chain(), 500);
  EXPECT_EQ(summary->stride(), 1);
  ASSERT_EQ(summary->observables_size(), 1);
  const v1::ObservableSummary& error = summary->observables(0);
  EXPECT_EQ(error.name(), "train_error");
  EXPECT_NEAR(error.mean(), 2.5, 1e-12);
  EXPECT_EQ(error.quantiles_size(), 3);
  EXPECT_GT(error.rhat(), 1.01);  // the chains differ by 1
  ASSERT_EQ(summary->samplers_size(), 2);
  EXPECT_EQ(summary->samplers(1).chain(), 1);
  EXPECT_EQ(summary->samplers(1).acceptance(), 0.75);
  EXPECT_EQ(summary->samplers(1).divergences(), 3);
  EXPECT_FALSE(summary->samplers(1).has_step_size());
}

TEST_F(JobSummaryTest, ChainsOfUnequalLengthAreCutAndThoseWithoutPointsLeftOut) {
  RunTo(0, 600);
  RunTo(1, 50);
  absl::StatusOr<v1::JobSummary> summary = Summarize();
  ASSERT_OK(summary);
  EXPECT_THAT(summary->chains(), ElementsAre(0));
  EXPECT_THAT(summary->notes(), ElementsAre(HasSubstr("Chain 1")));
  EXPECT_NEAR(summary->observables(0).mean(), 2, 1e-12);
}

TEST_F(JobSummaryTest, OnlyTheChainsAskedForCount) {
  RunTo(0, 600);
  RunTo(1, 600);
  const absl::StatusOr<v1::JobSummary> summary = Summarize({1});
  ASSERT_OK(summary);
  EXPECT_THAT(summary->chains(), ElementsAre(1));
  EXPECT_NEAR(summary->observables(0).mean(), 3, 1e-12);
}

TEST_F(JobSummaryTest, AnUnknownChainIsInvalid) {
  const absl::Status status = Summarize({0, 2}).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_));
  EXPECT_THAT(ViolatedFields(status), ElementsAre("chains[1]"));
}

TEST_F(JobSummaryTest, BeforeTheFirstPointNothingIsKnown) {
  const absl::StatusOr<v1::JobSummary> summary = Summarize();
  ASSERT_OK(summary);
  EXPECT_TRUE(summary->chains().empty());
  EXPECT_FALSE(summary->observables(0).has_mean());
}

}  // namespace
}  // namespace posteriord::server
