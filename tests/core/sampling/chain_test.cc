#include "core/sampling/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "core/sampling/schedule.h"
#include "tests/core/testing/collecting_sink.h"
#include "tests/core/testing/networks.h"
#include "tests/testing/status.h"

namespace posteriord::core {
namespace {

using testing::CollectingSink;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using testing::StatusIs;

constexpr int kTrainSamples = 30;
constexpr int kTestSamples = 7;

Spec MakeSpec(LikelihoodKind likelihood = LikelihoodKind::kGaussian,
              Precision precision = Precision::kFloat64) {
  Spec spec;
  spec.network = testing::ReluNetwork({2, 3, 3}, 0.1, likelihood);
  spec.precision = precision;
  spec.seed = 5;
  spec.groups = {{StartKind::kInformed, {}, 1}, {StartKind::kPrior, {}, 2}};
  spec.schedule = {.warmup_sweeps = 17, .draws = 20, .thinning = 3, .keep_warmup = true};
  spec.observation = {.initial_stride = 1, .max_points = 16, .probes = 2};
  return spec;
}

std::shared_ptr<const Problem> MakeProblem(Spec spec, std::int64_t train_samples = kTrainSamples) {
  const int inputs = spec.network.inputs.size();
  return Problem::Create(std::move(spec),
                         testing::TeacherData(inputs, train_samples, kTestSamples, 3))
      .value();
}

CollectingSink RunWhole(const std::shared_ptr<const Problem>& problem, int chain = 0) {
  CollectingSink sink;
  EXPECT_EQ(Chain::Create(problem, chain)->Run(sink, {}).value(), RunOutcome::kFinished);
  return sink;
}

// ----- What a chain hands over -----

TEST(ChainTest, DrawsFollowTheSchedule) {
  const std::vector<ScheduleSpec> schedules = {
      {.warmup_sweeps = 0, .draws = 4, .thinning = 1, .keep_warmup = false},
      {.warmup_sweeps = 5, .draws = 4, .thinning = 1, .keep_warmup = true},
      {.warmup_sweeps = 5, .draws = 4, .thinning = 1, .keep_warmup = false},
      {.warmup_sweeps = 7, .draws = 3, .thinning = 3, .keep_warmup = true},
      {.warmup_sweeps = 7, .draws = 3, .thinning = 3, .keep_warmup = false},
      {.warmup_sweeps = 2, .draws = 2, .thinning = 5, .keep_warmup = true},
      {.warmup_sweeps = 6, .draws = 2, .thinning = 3, .keep_warmup = true}};
  for (const ScheduleSpec& schedule : schedules) {
    Spec spec = MakeSpec();
    spec.schedule = schedule;
    const CollectingSink sink = RunWhole(MakeProblem(spec));
    std::vector<std::tuple<std::int64_t, std::int64_t, bool>> expected, actual;
    for (std::int64_t sweep = 1; sweep <= schedule.warmup_sweeps; ++sweep) {
      if (schedule.keep_warmup && sweep % schedule.thinning == 0) {
        expected.emplace_back(expected.size(), sweep, true);
      }
    }
    for (std::int64_t draw = 1; draw <= schedule.draws; ++draw) {
      expected.emplace_back(expected.size(), schedule.warmup_sweeps + draw * schedule.thinning,
                            false);
    }
    for (const CollectingSink::Draw& draw : sink.draws) {
      actual.emplace_back(draw.index, draw.sweep, draw.warmup);
    }
    EXPECT_EQ(actual, expected);
    EXPECT_EQ(static_cast<std::int64_t>(actual.size()), schedule.total_draws());
  }
}

TEST(ChainTest, TraceFollowsBothSchedulesOfObservation) {
  const Spec spec = MakeSpec();
  const auto problem = MakeProblem(spec);
  const CollectingSink sink = RunWhole(problem);
  const std::int64_t total = spec.schedule.total_sweeps();
  std::vector<std::tuple<std::int64_t, bool, bool>> expected, actual;
  for (std::int64_t sweep = 0; sweep <= total; ++sweep) {
    const bool even = IsEvenPoint(spec.observation, sweep);
    const bool logarithmic = IsLogarithmicPoint(sweep, total);
    if (even || logarithmic) expected.emplace_back(sweep, even, logarithmic);
  }
  for (const CollectingSink::Point& point : sink.trace) {
    actual.emplace_back(point.sweep, point.even, point.logarithmic);
    EXPECT_EQ(point.values.size(), problem->observables().size());
  }
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(sink.trace.front().sweep, 0);
  EXPECT_EQ(sink.trace.back().sweep, total);
}

// Plug-in outputs of the network 2 -> 3 -> 3 for one flat draw, by hand.
Eigen::MatrixXd PlugIn(const std::vector<double>& flat, const Eigen::MatrixXd& inputs) {
  Eigen::MatrixXd outputs(inputs.rows(), 3);
  for (Eigen::Index row = 0; row < inputs.rows(); ++row) {
    for (int output = 0; output < 3; ++output) {
      double sum = flat[9 + 9 + output];
      for (int unit = 0; unit < 3; ++unit) {
        const double z =
            flat[6 + unit] + flat[2 * unit] * inputs(row, 0) + flat[2 * unit + 1] * inputs(row, 1);
        sum += flat[9 + 3 * output + unit] * std::max(z, 0.0);
      }
      outputs(row, output) = sum;
    }
  }
  return outputs;
}

TEST(ChainTest, PredictiveIsTheSumOfThePlugInPredictionsOfTheDraws) {
  for (const LikelihoodKind likelihood : {LikelihoodKind::kGaussian, LikelihoodKind::kProbit}) {
    const auto problem = MakeProblem(MakeSpec(likelihood));
    const CollectingSink sink = RunWhole(problem);
    const Eigen::MatrixXd inputs =
        testing::TeacherData(2, kTrainSamples, kTestSamples, 3).test.inputs;
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(kTestSamples, 3);
    std::int64_t draws = 0;
    auto next_draw = sink.draws.begin();
    std::size_t points = 0;
    for (const CollectingSink::Point& point : sink.trace) {
      for (; next_draw != sink.draws.end() && next_draw->sweep <= point.sweep; ++next_draw) {
        if (next_draw->warmup) continue;
        const Eigen::MatrixXd outputs = PlugIn(next_draw->values, inputs);
        ++draws;
        for (Eigen::Index row = 0; row < kTestSamples; ++row) {
          Eigen::Index largest = 0;
          outputs.row(row).maxCoeff(&largest);
          if (likelihood == LikelihoodKind::kProbit) sum(row, largest) += 1;
        }
        if (likelihood == LikelihoodKind::kGaussian) sum += outputs;
      }
      if (!point.logarithmic || draws == 0) continue;
      ASSERT_LT(points, sink.predictives.size());
      const CollectingSink::Predictive& predictive = sink.predictives[points++];
      EXPECT_EQ(predictive.sweep, point.sweep);
      EXPECT_EQ(predictive.draws, draws);
      ASSERT_EQ(predictive.values.size(), static_cast<std::size_t>(sum.size()));
      for (Eigen::Index i = 0; i < sum.size(); ++i) {
        EXPECT_NEAR(predictive.values[i], sum.data()[i], 1e-10);
      }
      const double error = problem->PredictiveTestError(predictive.values, predictive.draws);
      EXPECT_EQ(point.values[testing::ObservableIndex(*problem, "predictive_test_error")], error);
    }
    EXPECT_EQ(points, sink.predictives.size());
    EXPECT_GT(points, 3u);
  }
}

TEST(ChainTest, PredictiveErrorIsNotANumberBeforeTheFirstDraw) {
  const auto problem = MakeProblem(MakeSpec());
  const CollectingSink sink = RunWhole(problem);
  const std::size_t index = testing::ObservableIndex(*problem, "predictive_test_error");
  const std::int64_t first = 17 + 3;
  for (const CollectingSink::Point& point : sink.trace) {
    EXPECT_EQ(std::isnan(point.values[index]), point.sweep < first) << point.sweep;
  }
}

TEST(ChainTest, WithoutTestSamplesThereIsNoPredictive) {
  const auto problem =
      Problem::Create(MakeSpec(), testing::TeacherData(2, kTrainSamples, 0, 3)).value();
  const CollectingSink sink = RunWhole(problem);
  EXPECT_THAT(sink.predictives, ::testing::IsEmpty());
  EXPECT_EQ(sink.draws.size(), 25u);
}

TEST(ChainTest, SinglePrecisionDrawsAreExactFloats) {
  const auto problem = MakeProblem(MakeSpec(LikelihoodKind::kGaussian, Precision::kFloat32));
  for (const CollectingSink::Draw& draw : RunWhole(problem).draws) {
    for (const double value : draw.values) EXPECT_EQ(value, static_cast<float>(value));
  }
}

TEST(ChainTest, ChainsAndSeedsDifferAndRunsRepeat) {
  const auto problem = MakeProblem(MakeSpec());
  Spec other = MakeSpec();
  other.seed = 6;
  EXPECT_EQ(RunWhole(problem, 1), RunWhole(MakeProblem(MakeSpec()), 1));
  EXPECT_NE(RunWhole(problem, 1).draws, RunWhole(problem, 2).draws);
  EXPECT_NE(RunWhole(problem, 1).draws, RunWhole(MakeProblem(other), 1).draws);
}

// ----- Cutting a run into pieces -----

struct Setting {
  std::string name;
  LikelihoodKind likelihood;
  Precision precision;
  std::function<void(Spec&)> change = [](Spec&) {};
};

std::function<void(Spec&)> SampledBy(GradientSamplerSpec sampler, PosteriorKind posterior) {
  return [sampler, posterior](Spec& spec) {
    spec.sampler = sampler;
    spec.network.posterior = posterior;
  };
}

// Chain 1 starts by successive halving: 3 members, then 2, in the first 10 sweeps.
void StartAsPopulation(Spec& spec) {
  spec.groups[1].start = StartKind::kPopulation;
  spec.groups[1].population = {.members = 3, .sweeps = 2};
}

void UseCollapsedMoves(Spec& spec) {
  spec.network = testing::ReluNetwork({2, 3, 1}, 0.1);
  spec.sampler = GibbsSpec{.collapsed_from_sweep = 5};
}

void LearnScales(Spec& spec) {
  for (LayerSpec& layer : spec.network.layers) layer.noise_precision_prior = GammaSpec{4, 0.5};
  spec.network.layers[0].weight_precision_prior = GammaSpec{4, 2};
  spec.network.layers[0].bias_precision_prior = GammaSpec{4, 2};
}

class ChainBitsTest : public ::testing::TestWithParam<Setting> {
 protected:
  Spec spec() const {
    Spec spec = MakeSpec(GetParam().likelihood, GetParam().precision);
    GetParam().change(spec);
    return spec;
  }
  const std::shared_ptr<const Problem> problem_ = MakeProblem(spec());
  const CollectingSink whole_ = RunWhole(problem_, 1);
};

INSTANTIATE_TEST_SUITE_P(
    All, ChainBitsTest,
    ::testing::Values(
        Setting{"RegressionDouble", LikelihoodKind::kGaussian, Precision::kFloat64},
        Setting{"RegressionFloat", LikelihoodKind::kGaussian, Precision::kFloat32},
        Setting{"ClassificationDouble", LikelihoodKind::kProbit, Precision::kFloat64},
        Setting{"ClassificationFloat", LikelihoodKind::kProbit, Precision::kFloat32},
        Setting{"Nuts", LikelihoodKind::kGaussian, Precision::kFloat64,
                SampledBy({.kind = GradientSamplerKind::kNuts}, PosteriorKind::kIntermediateNoise)},
        Setting{"NutsOnTheClassicalPosteriorInFloat", LikelihoodKind::kGaussian,
                Precision::kFloat32,
                SampledBy({.kind = GradientSamplerKind::kNuts}, PosteriorKind::kClassical)},
        Setting{"HmcWithDenseMetric", LikelihoodKind::kSoftmax, Precision::kFloat64,
                SampledBy({.kind = GradientSamplerKind::kHmc,
                           .leapfrog_steps = 4,
                           .metric = MetricKind::kDense},
                          PosteriorKind::kClassical)},
        Setting{"MalaWithSoftmax", LikelihoodKind::kSoftmax, Precision::kFloat64,
                SampledBy({.kind = GradientSamplerKind::kMala}, PosteriorKind::kIntermediateNoise)},
        Setting{"Population", LikelihoodKind::kGaussian, Precision::kFloat64, StartAsPopulation},
        Setting{"CollapsedMoves", LikelihoodKind::kGaussian, Precision::kFloat64,
                UseCollapsedMoves},
        Setting{"LearnedScales", LikelihoodKind::kGaussian, Precision::kFloat32, LearnScales}),
    [](const auto& setting) { return setting.param.name; });

TEST_P(ChainBitsTest, YieldingAfterEverySweepChangesNothing) {
  const auto chain = Chain::Create(problem_, 1);
  CollectingSink sink;
  const std::int64_t total = spec().schedule.total_sweeps();
  for (std::int64_t sweep = 1; sweep < total; ++sweep) {
    ASSERT_EQ(chain->Run(sink, {.should_yield = [] { return true; }}).value(),
              RunOutcome::kYielded);
    ASSERT_EQ(chain->sweep(), sweep);
  }
  EXPECT_EQ(chain->Run(sink, {.should_yield = [] { return true; }}).value(), RunOutcome::kFinished);
  EXPECT_EQ(chain->sweep(), total);
  EXPECT_EQ(chain->draws(), spec().schedule.total_draws());
  EXPECT_EQ(sink, whole_);
}

TEST_P(ChainBitsTest, AFinishedChainStaysFinished) {
  const auto chain = Chain::Create(problem_, 1);
  CollectingSink sink;
  ASSERT_OK(chain->Run(sink, {}));
  EXPECT_EQ(chain->Run(sink, {}).value(), RunOutcome::kFinished);
  EXPECT_EQ(sink, whole_);
}

TEST_P(ChainBitsTest, GoingOnFromACheckpointInANewChainChangesNothing) {
  const std::int64_t total = spec().schedule.total_sweeps();
  for (std::int64_t cut = 0; cut <= total; ++cut) {
    CollectingSink sink;
    const auto before = Chain::Create(problem_, 1);
    std::int64_t left = cut;
    if (cut > 0) {
      ASSERT_OK(before->Run(sink, {.should_yield = [&] { return --left == 0; }}));
    }
    ASSERT_EQ(before->sweep(), cut);
    const std::string checkpoint = before->Checkpoint();

    // Another process has prepared its own problem.
    const auto after = Chain::Create(MakeProblem(spec()), 1);
    ASSERT_OK(after->Restore(checkpoint));
    EXPECT_EQ(after->sweep(), before->sweep());
    EXPECT_EQ(after->draws(), before->draws());
    EXPECT_EQ(after->Checkpoint(), checkpoint);
    ASSERT_OK(after->Run(sink, {}));
    ASSERT_EQ(sink, whole_) << "cut after sweep " << cut;
  }
}

// Accepts what was already handed over, if the bits are the same.
class RepeatableSink final : public SampleSink {
 public:
  absl::Status AppendDraw(const Draw& draw) override {
    Keep(draws_[draw.sweep], draw.values);
    return absl::OkStatus();
  }
  absl::Status AppendTrace(const TracePoint& point) override {
    Keep(trace_[point.sweep], point.values);
    return absl::OkStatus();
  }
  absl::Status AppendPredictive(const PredictiveSum& sum) override {
    Keep(predictives_[sum.sweep], sum.values);
    return absl::OkStatus();
  }

  void ExpectSameAs(const CollectingSink& whole) const {
    ASSERT_EQ(draws_.size(), whole.draws.size());
    ASSERT_EQ(trace_.size(), whole.trace.size());
    ASSERT_EQ(predictives_.size(), whole.predictives.size());
    for (const auto& draw : whole.draws) {
      EXPECT_EQ(draws_.at(draw.sweep), testing::BitsOf(draw.values));
    }
    for (const auto& point : whole.trace) {
      EXPECT_EQ(trace_.at(point.sweep), testing::BitsOf(point.values));
    }
    for (const auto& sum : whole.predictives) {
      EXPECT_EQ(predictives_.at(sum.sweep), testing::BitsOf(sum.values));
    }
  }

 private:
  using Bits = std::vector<std::uint64_t>;
  static void Keep(Bits& kept, absl::Span<const double> values) {
    const Bits bits = testing::BitsOf(values);
    if (!kept.empty()) {
      EXPECT_EQ(kept, bits);
    }
    kept = bits;
  }

  std::map<std::int64_t, Bits> draws_;
  std::map<std::int64_t, Bits> trace_;
  std::map<std::int64_t, Bits> predictives_;
};

TEST_P(ChainBitsTest, AnInterruptedSweepRepeatsIdenticallyFromTheLastCheckpoint) {
  const auto chain = Chain::Create(problem_, 1);
  RepeatableSink sink;
  std::string checkpoint = chain->Checkpoint();
  std::atomic<bool> interrupt = false;
  std::mt19937 random(4);
  int interruptions = 0;
  while (true) {
    // Raised after a whole sweep, it is seen at the first poll of the next.
    std::int64_t sweeps_left = 1 + static_cast<std::int64_t>(random() % 5);
    interrupt = false;
    const RunOutcome outcome = chain
                                   ->Run(sink, {.should_yield =
                                                    [&] {
                                                      interrupt = --sweeps_left <= 0;
                                                      return false;
                                                    },
                                                .interrupt = &interrupt})
                                   .value();
    if (outcome == RunOutcome::kFinished) break;
    ASSERT_EQ(outcome, RunOutcome::kInterrupted);
    ++interruptions;
    ASSERT_OK(chain->Restore(checkpoint));
    // Get one sweep further, so that the chain ends.
    interrupt = false;
    if (chain->Run(sink, {.should_yield = [] { return true; }, .interrupt = &interrupt}).value() ==
        RunOutcome::kFinished) {
      break;
    }
    checkpoint = chain->Checkpoint();
  }
  EXPECT_GT(interruptions, 10);
  sink.ExpectSameAs(whole_);
}

// Several chunks of samples, so that a sweep polls many times, and a thread that interrupts at any
// of them.
TEST(ChainTest, InterruptionsInTheMiddleOfSweepsLeaveNoTrace) {
  Spec spec = MakeSpec(LikelihoodKind::kProbit);
  spec.schedule = {.warmup_sweeps = 5, .draws = 15, .thinning = 1};
  const auto problem = MakeProblem(spec, 5000);
  const CollectingSink whole = RunWhole(problem);

  const auto chain = Chain::Create(problem, 0);
  RepeatableSink sink;
  std::atomic<bool> interrupt = false;
  std::atomic<bool> finished = false;
  std::atomic<int> round = 0;
  std::thread interrupter([&] {
    std::mt19937 random(5);
    for (int seen = 0; !finished;) {
      std::this_thread::yield();
      if (round == seen) continue;
      seen = round;
      for (unsigned yields = random() % 1000; yields > 0; --yields) std::this_thread::yield();
      interrupt = true;
    }
  });
  std::string checkpoint = chain->Checkpoint();
  while (true) {
    interrupt = false;
    ++round;
    const RunOutcome outcome =
        chain->Run(sink, {.should_yield = [] { return true; }, .interrupt = &interrupt}).value();
    if (outcome == RunOutcome::kFinished) break;
    if (outcome == RunOutcome::kInterrupted) {
      ASSERT_OK(chain->Restore(checkpoint));
      if (chain->Run(sink, {.should_yield = [] { return true; }}).value() ==
          RunOutcome::kFinished) {
        break;
      }
    }
    checkpoint = chain->Checkpoint();
  }
  finished = true;
  interrupter.join();
  sink.ExpectSameAs(whole);
}

TEST(ChainTest, InterruptedBeforeItsFirstSweepMakesNone) {
  const auto chain = Chain::Create(MakeProblem(MakeSpec()), 0);
  CollectingSink sink;
  const std::atomic<bool> interrupt = true;
  EXPECT_EQ(chain->Run(sink, {.interrupt = &interrupt}).value(), RunOutcome::kInterrupted);
  EXPECT_EQ(chain->sweep(), 0);
  EXPECT_EQ(sink.trace.size(), 1u);  // the start
  EXPECT_THAT(sink.draws, ::testing::IsEmpty());
}

// ----- Checkpoints that do not fit -----

TEST(ChainTest, CheckpointsOfTheWrongSizeAreDataLossAndChangeNothing) {
  const auto problem = MakeProblem(MakeSpec());
  const auto chain = Chain::Create(problem, 0);
  CollectingSink sink;
  ASSERT_OK(chain->Run(sink, {.should_yield = [] { return true; }}));
  const std::string good = chain->Checkpoint();
  for (std::size_t size = 0; size < good.size(); size += 1 + size / 7) {
    EXPECT_THAT(chain->Restore(good.substr(0, size)), StatusIs(absl::StatusCode::kDataLoss));
  }
  EXPECT_THAT(chain->Restore(good.substr(0, good.size() - 1)),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(chain->Restore(good + "x"), StatusIs(absl::StatusCode::kDataLoss));
  Spec wider = MakeSpec();
  wider.network = testing::ReluNetwork({2, 4, 3}, 0.1);
  EXPECT_THAT(chain->Restore(Chain::Create(MakeProblem(wider), 0)->Checkpoint()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("chain 0")));
  EXPECT_EQ(chain->Checkpoint(), good);
  ASSERT_OK(chain->Run(sink, {}));
  EXPECT_EQ(sink, RunWhole(problem));
}

TEST(ChainTest, GarbageOfTheRightSizeIsDataLoss) {
  const auto chain = Chain::Create(MakeProblem(MakeSpec()), 0);
  std::mt19937 random(6);
  for (int trial = 0; trial < 100; ++trial) {
    std::string garbage = chain->Checkpoint();
    for (char& byte : garbage) byte = static_cast<char>(random());
    EXPECT_THAT(chain->Restore(garbage), StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(ChainTest, CountsThatContradictTheScheduleAreDataLoss) {
  const auto chain = Chain::Create(MakeProblem(MakeSpec()), 0);
  CollectingSink sink;
  ASSERT_OK(chain->Run(sink, {.should_yield = [] { return true; }}));
  const std::string good = chain->Checkpoint();
  for (int count = 0; count < 4; ++count) {
    for (const std::int64_t wrong :
         {std::int64_t{-1}, std::int64_t{1000}, std::numeric_limits<std::int64_t>::min()}) {
      std::string bad = good;
      std::copy_n(reinterpret_cast<const char*>(&wrong), sizeof(wrong),
                  bad.begin() + count * static_cast<std::ptrdiff_t>(sizeof(wrong)));
      EXPECT_THAT(chain->Restore(bad), StatusIs(absl::StatusCode::kDataLoss));
    }
  }
  EXPECT_OK(chain->Restore(good));
}

// ----- Errors -----

class FailingSink final : public SampleSink {
 public:
  absl::Status AppendDraw(const Draw& draw) override {
    return draw.index == 3 ? absl::UnavailableError("the disk is full") : absl::OkStatus();
  }
  absl::Status AppendTrace(const TracePoint&) override { return absl::OkStatus(); }
  absl::Status AppendPredictive(const PredictiveSum&) override { return absl::OkStatus(); }
};

TEST(ChainTest, ErrorsOfTheSinkEndTheRunUnchanged) {
  const auto chain = Chain::Create(MakeProblem(MakeSpec()), 0);
  FailingSink sink;
  EXPECT_THAT(chain->Run(sink, {}).status(),
              StatusIs(absl::StatusCode::kUnavailable, "the disk is full"));
}

TEST(ChainTest, AStateThatIsNoLongerFiniteIsInternalAndNamesTheSweep) {
  Spec spec = MakeSpec();
  const auto parameters = static_cast<std::size_t>(MakeParameterLayout(spec.network).size);
  spec.groups = {{StartKind::kParameters, std::vector<double>(parameters, 1e200), 1}};
  const auto chain = Chain::Create(MakeProblem(spec), 0);
  CollectingSink sink;
  EXPECT_THAT(chain->Run(sink, {}).status(),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("sweep 1;")));
}

// ----- Starts -----

TEST(ChainTest, ZeroStartHasZeroParameters) {
  Spec spec = MakeSpec();
  spec.groups = {{StartKind::kZero, {}, 1}};
  const auto problem = MakeProblem(spec);
  const std::vector<double> start = RunWhole(problem).trace.front().values;
  EXPECT_EQ(start[testing::ObservableIndex(*problem, "dense1.weight_norm")], 0);
  EXPECT_EQ(start[testing::ObservableIndex(*problem, "dense2.weight_norm")], 0);
  EXPECT_EQ(start[testing::ObservableIndex(*problem, "probe0.output0")], 0);
}

TEST(ChainTest, GivenParametersAreTheStart) {
  Spec spec = MakeSpec();
  std::vector<double> parameters;
  for (int i = 0; i < MakeParameterLayout(spec.network).size; ++i) {
    parameters.push_back(std::sin(1.0 + i));
  }
  spec.groups = {{StartKind::kParameters, parameters, 1}};
  const auto problem = MakeProblem(spec);
  const std::vector<double> start = RunWhole(problem).trace.front().values;
  const Eigen::MatrixXd outputs =
      PlugIn(parameters, testing::TeacherData(2, kTrainSamples, kTestSamples, 3).test.inputs);
  for (int output = 0; output < 3; ++output) {
    const std::string name = "probe1.output" + std::to_string(output);
    EXPECT_NEAR(start[testing::ObservableIndex(*problem, name)], outputs(1, output), 1e-12);
  }
}

TEST(ChainTest, PriorStartsDifferBetweenChains) {
  const auto problem = MakeProblem(MakeSpec());
  EXPECT_NE(RunWhole(problem, 1).trace.front(), RunWhole(problem, 2).trace.front());
}

TEST(ChainTest, InformedStartIsTheTeacher) {
  const auto problem = MakeProblem(MakeSpec());
  const std::vector<double> start = RunWhole(problem, 0).trace.front().values;
  EXPECT_EQ(start[testing::ObservableIndex(*problem, "test_error")], 0);
  EXPECT_GT(start[testing::ObservableIndex(*problem, "train_error")], 0);
}

}  // namespace
}  // namespace posteriord::core
