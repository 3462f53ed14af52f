#include "core/kernels/gradient_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/core/kernels/targets.h"
#include "tests/core/testing/statistics.h"
#include "tests/testing/status.h"

namespace posteriord::core {
namespace {

using ::posteriord::testing::IsOk;
using ::testing::AllOf;
using testing::AutoregressiveGaussian;
using testing::CurvedTarget;
using testing::FunctionDensity;
using ::testing::HasSubstr;
using testing::kAlways;
using testing::LogSpaced;
using testing::Target;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

SweepAddress At(std::int64_t sweep) {
  return {.seed = 5, .chain = 2, .sweep = static_cast<std::uint64_t>(sweep)};
}

// Sees a position as floats, like a chain in single precision, and polls like a long evaluation.
class FloatDensity final : public LogDensity {
 public:
  explicit FloatDensity(Target target) : target_(std::move(target)) {}

  Eigen::Index dimension() const override { return target_.dimension; }
  bool Evaluate(const Eigen::VectorXd& position, const KeepGoing& keep_going, double& value,
                Eigen::VectorXd& gradient) override {
    Eigen::VectorXd rounded = position;
    Round(rounded);
    gradient.setConstant(kNaN);  // half-made
    value = kNaN;
    if (!keep_going()) return false;
    value = target_.density(rounded, gradient);
    return true;
  }
  void Round(Eigen::VectorXd& position) const override {
    position = position.cast<float>().cast<double>();
  }

 private:
  const Target target_;
};

struct Setting {
  std::string name;
  GradientSamplerKind kind;
  MetricKind metric;
};

class GradientSamplerTest : public ::testing::TestWithParam<Setting> {
 protected:
  static constexpr std::int64_t kWarmup = 160;

  GradientSamplerSpec Spec() const {
    GradientSamplerSpec spec;
    spec.kind = GetParam().kind;
    spec.metric = GetParam().metric;
    spec.leapfrog_steps = 4;
    spec.step_size_jitter = 0.1;
    spec.target_acceptance = DefaultTargetAcceptance(spec.kind);
    return spec;
  }
  std::unique_ptr<GradientSampler> Make() const {
    return std::make_unique<GradientSampler>(std::make_unique<FloatDensity>(CurvedTarget()), Spec(),
                                             kWarmup);
  }
  std::unique_ptr<GradientSampler> MakeStarted() const {
    auto sampler = Make();
    EXPECT_THAT(sampler->Start(Eigen::Vector3d(0.1, -0.2, 0.3), kAlways), IsOk());
    return sampler;
  }
};

std::vector<Setting> Settings() {
  using Kind = GradientSamplerKind;
  return {{"HmcIdentity", Kind::kHmc, MetricKind::kIdentity},
          {"HmcDense", Kind::kHmc, MetricKind::kDense},
          {"MalaDiagonal", Kind::kMala, MetricKind::kDiagonal},
          {"NutsDiagonal", Kind::kNuts, MetricKind::kDiagonal},
          {"NutsDense", Kind::kNuts, MetricKind::kDense}};
}
INSTANTIATE_TEST_SUITE_P(All, GradientSamplerTest, ::testing::ValuesIn(Settings()),
                         [](const auto& test) { return test.param.name; });

bool SameInfo(const StepInfo& a, const StepInfo& b) {
  return a.acceptance == b.acceptance && a.step_size == b.step_size &&
         a.tree_depth == b.tree_depth && a.leapfrog_steps == b.leapfrog_steps &&
         a.energy == b.energy && a.divergent == b.divergent;
}

TEST_P(GradientSamplerTest, RestoredAnywhereContinuesBitForBit) {
  const auto sampler = MakeStarted();
  // Before the first step, in a window, around its end and that of warm-up, and in sampling.
  for (std::int64_t sweep = 0; sweep < 200; ++sweep) {
    const std::string saved = sampler->Save();
    ASSERT_EQ(saved.size(), sampler->SavedSize());
    const auto other = Make();  // which must not know anything by itself
    ASSERT_THAT(other->Restore(saved), IsOk());
    ASSERT_EQ(other->position(), sampler->position());
    StepInfo info, other_info;
    ASSERT_TRUE(sampler->Step(At(sweep + 1), kAlways, info));
    ASSERT_TRUE(other->Step(At(sweep + 1), kAlways, other_info));
    ASSERT_TRUE(SameInfo(info, other_info)) << sweep;
    ASSERT_EQ(sampler->Save(), other->Save()) << sweep;
  }
}

TEST_P(GradientSamplerTest, InterruptedStepChangesNothingAndRepeatsIdentically) {
  const auto sampler = MakeStarted();
  const auto twin = MakeStarted();
  int interruptions = 0;
  for (std::int64_t sweep = 1; sweep <= 180; ++sweep) {
    StepInfo info, twin_info;
    ASSERT_TRUE(twin->Step(At(sweep), kAlways, twin_info));
    // At the first, second, fourth, ... question until none is left.
    const std::string before = sampler->Save();
    const Eigen::VectorXd position = sampler->position();
    for (int patience = 0;; patience = 2 * patience + 1) {
      int questions = 0;
      if (sampler->Step(
              At(sweep), [&] { return questions++ < patience; }, info))
        break;
      ++interruptions;
      ASSERT_EQ(sampler->Save(), before);
      ASSERT_EQ(sampler->position(), position);
    }
    ASSERT_TRUE(SameInfo(info, twin_info)) << sweep;
    ASSERT_EQ(sampler->Save(), twin->Save()) << sweep;
  }
  EXPECT_GT(interruptions, 300);
}

TEST_P(GradientSamplerTest, NothingIsAdaptedAfterWarmup) {
  const auto sampler = MakeStarted();
  StepInfo info;
  for (std::int64_t sweep = 1; sweep <= kWarmup; ++sweep) {
    ASSERT_TRUE(sampler->Step(At(sweep), kAlways, info));
  }
  const double step_size = sampler->step_size();
  const Eigen::MatrixXd inverse_mass = sampler->metric().inverse_mass();
  if (GetParam().metric != MetricKind::kIdentity) {
    EXPECT_NE(inverse_mass(0, 0), 1);
  }
  testing::UniformityTest jitter;
  for (std::int64_t sweep = kWarmup + 1; sweep <= kWarmup + 5000; ++sweep) {
    ASSERT_TRUE(sampler->Step(At(sweep), kAlways, info));
    ASSERT_EQ(sampler->step_size(), step_size);
    jitter.Add((info.step_size / step_size - 0.9) / 0.2);
  }
  EXPECT_EQ(sampler->metric().inverse_mass(), inverse_mass);
  EXPECT_GT(jitter.PValue(), testing::kFalseAlarm);
}

TEST_P(GradientSamplerTest, PositionsAreThoseTheDensityCanSee) {
  const auto sampler = Make();
  ASSERT_THAT(sampler->Start(Eigen::Vector3d(0.1, -0.2, 0.3), kAlways), IsOk());
  EXPECT_EQ(sampler->position()[0], static_cast<double>(0.1F));
  StepInfo info;
  for (std::int64_t sweep = 1; sweep <= 100; ++sweep) {
    ASSERT_TRUE(sampler->Step(At(sweep), kAlways, info));
    const Eigen::VectorXd rounded = sampler->position().cast<float>().cast<double>();
    ASSERT_EQ(sampler->position(), rounded);
  }
}

TEST_P(GradientSamplerTest, DrawsAreAFunctionOfTheAddress) {
  const auto first_positions = [&](const SweepAddress& address) {
    const auto sampler = MakeStarted();
    StepInfo info;
    EXPECT_TRUE(sampler->Step(address, kAlways, info));
    return std::make_pair(info.energy, info.step_size);
  };
  const auto here = first_positions({.seed = 1, .chain = 2, .sweep = 3});
  EXPECT_EQ(here, first_positions({.seed = 1, .chain = 2, .sweep = 3}));
  EXPECT_NE(here, first_positions({.seed = 2, .chain = 2, .sweep = 3}));
  EXPECT_NE(here, first_positions({.seed = 1, .chain = 3, .sweep = 3}));
  EXPECT_NE(here, first_positions({.seed = 1, .chain = 2, .sweep = 4}));
}

TEST_P(GradientSamplerTest, RestoreRefusesWhatDoesNotFitAndStaysAsItWas) {
  const auto sampler = MakeStarted();
  const std::string saved = sampler->Save();
  std::string not_finite = saved;
  const std::size_t position_at = 56;  // after seven numbers
  const double nan = kNaN;
  not_finite.replace(position_at, sizeof nan, reinterpret_cast<const char*>(&nan), sizeof nan);
  for (const std::string& bad : {std::string(), saved.substr(1), saved + "x",
                                 std::string(saved.size(), '\xff'), not_finite}) {
    EXPECT_EQ(sampler->Restore(bad).code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(sampler->Save(), saved);
  }
}

TEST_P(GradientSamplerTest, StartAgainForgetsWhatWasAdapted) {
  const auto sampler = MakeStarted();
  const std::string fresh = sampler->Save();
  StepInfo info;
  for (std::int64_t sweep = 1; sweep <= 150; ++sweep) {
    ASSERT_TRUE(sampler->Step(At(sweep), kAlways, info));
  }
  ASSERT_THAT(sampler->Start(Eigen::Vector3d(0.1, -0.2, 0.3), kAlways), IsOk());
  EXPECT_EQ(sampler->Save(), fresh);
}

// ----- Start -----

TEST(GradientSamplerStartTest, NamesTheCoordinateThatIsNotFinite) {
  // Density of N(0, I) with holes.
  const auto density = [](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    gradient = -x;
    if (x[1] > 10) gradient[1] = kNaN;
    if (x[1] > 20) return kNaN;
    if (x[2] > 10) return -kInfinity;
    if (x[2] < -10) return kInfinity;
    return -0.5 * x.squaredNorm();
  };
  GradientSampler sampler(std::make_unique<FunctionDensity>(3, density), {}, 10);
  ASSERT_THAT(sampler.Start(Eigen::Vector3d(1, 2, 3), kAlways), IsOk());
  const std::string before = sampler.Save();

  const auto expect_error = [&](const Eigen::VectorXd& start, absl::StatusCode code,
                                const std::string& text) {
    const absl::Status status = sampler.Start(start, kAlways);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
    EXPECT_EQ(sampler.Save(), before);
    EXPECT_EQ(sampler.position(), Eigen::Vector3d(1, 2, 3));
  };
  expect_error(Eigen::VectorXd::Zero(2), absl::StatusCode::kInvalidArgument, "2 coordinates");
  expect_error(Eigen::Vector3d(0, 0, kNaN), absl::StatusCode::kInvalidArgument, "coordinate 2");
  expect_error(Eigen::Vector3d(kInfinity, 0, 0), absl::StatusCode::kInvalidArgument,
               "coordinate 0");
  expect_error(Eigen::Vector3d(0, 15, 0), absl::StatusCode::kInternal, "coordinate 1");
  expect_error(Eigen::Vector3d(0, 25, 0), absl::StatusCode::kInternal, "coordinate 1");
  expect_error(Eigen::Vector3d(0, 0, 15), absl::StatusCode::kInternal, "-inf");
  expect_error(Eigen::Vector3d(0, 0, -15), absl::StatusCode::kInternal, "inf");
  EXPECT_EQ(sampler.Start(Eigen::Vector3d::Zero(), [] { return false; }).code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(sampler.Save(), before);
}

// ----- Adaptation -----

struct ChainRun {
  std::unique_ptr<GradientSampler> sampler;
  std::vector<StepInfo> infos;  // after warm-up
};

ChainRun RunChain(const Target& target, const GradientSamplerSpec& spec, std::int64_t warmup,
                  std::int64_t draws) {
  ChainRun run;
  run.sampler = std::make_unique<GradientSampler>(target.Make(), spec, warmup);
  EXPECT_THAT(run.sampler->Start(Eigen::VectorXd::Ones(target.dimension), kAlways), IsOk());
  for (std::int64_t sweep = 1; sweep <= warmup + draws; ++sweep) {
    StepInfo info;
    EXPECT_TRUE(run.sampler->Step(At(sweep), kAlways, info));
    if (sweep > warmup) run.infos.push_back(info);
  }
  return run;
}

double MeanAcceptance(const ChainRun& run) {
  testing::Mean acceptance;
  for (const StepInfo& info : run.infos) acceptance.Add(info.acceptance);
  return acceptance.mean();
}

class AcceptanceTest : public ::testing::TestWithParam<GradientSamplerKind> {};
INSTANTIATE_TEST_SUITE_P(All, AcceptanceTest,
                         ::testing::Values(GradientSamplerKind::kHmc, GradientSamplerKind::kMala,
                                           GradientSamplerKind::kNuts));

TEST_P(AcceptanceTest, ComesOutAtTheTargetAfterALongAdaptation) {
  const Eigen::VectorXd scales = LogSpaced(10, 0.1, 10);
  GradientSamplerSpec spec;
  spec.kind = GetParam();
  spec.leapfrog_steps = 5;
  for (const double scale : scales) spec.inverse_mass.push_back(scale * scale);
  for (const double wanted : {0.574, 0.8, 0.95}) {
    spec.target_acceptance = wanted;
    const ChainRun run = RunChain(AutoregressiveGaussian(scales, 0.5), spec, 2000, 4000);
    EXPECT_NEAR(MeanAcceptance(run), wanted, 0.06);
  }
}

// The 50 steps after the last window begin with steps that are too long; what follows is cautious.
TEST_P(AcceptanceTest, ComesOutAtOrAboveTheTargetWhenTheMetricAdaptsToo) {
  const Target target = AutoregressiveGaussian(LogSpaced(10, 0.1, 10), 0.5);
  for (const MetricKind metric : {MetricKind::kDiagonal, MetricKind::kDense}) {
    for (const double wanted : {0.574, 0.8, 0.95}) {
      GradientSamplerSpec spec;
      spec.kind = GetParam();
      spec.metric = metric;
      spec.target_acceptance = wanted;
      spec.leapfrog_steps = 5;
      const double found = MeanAcceptance(RunChain(target, spec, 1000, 2000));
      EXPECT_GT(found, wanted - 0.06);
      EXPECT_LT(found, wanted + 0.8 * (1 - wanted));
    }
  }
}

TEST(AdaptedSamplerTest, MetricBecomesTheVariancesOfTheTarget) {
  for (const auto kind :
       {GradientSamplerKind::kHmc, GradientSamplerKind::kMala, GradientSamplerKind::kNuts}) {
    const double widest = kind == GradientSamplerKind::kMala ? 10 : 100;
    const Eigen::VectorXd scales = LogSpaced(8, 1 / widest, widest);
    const Target target = AutoregressiveGaussian(scales, 0.5);
    for (const MetricKind metric : {MetricKind::kDiagonal, MetricKind::kDense}) {
      GradientSamplerSpec spec;
      spec.kind = kind;
      spec.metric = metric;
      spec.target_acceptance = DefaultTargetAcceptance(kind);
      const ChainRun run = RunChain(target, spec, 2000, 1);
      const Eigen::MatrixXd& found = run.sampler->metric().inverse_mass();
      for (Eigen::Index i = 0; i < scales.size(); ++i) {
        // From 1100 positions; those of MALA are worth a few dozen.
        const double ratio =
            found(i, metric == MetricKind::kDense ? i : 0) / (scales[i] * scales[i]);
        const double factor = kind == GradientSamplerKind::kMala ? 3 : 1.6;
        EXPECT_LT(ratio, factor) << static_cast<int>(kind) << " " << i;
        EXPECT_GT(ratio, 1 / factor) << static_cast<int>(kind) << " " << i;
      }
    }
  }
}

TEST(AdaptedSamplerTest, GivenSettingsAreUsedUntouched) {
  const Target target = AutoregressiveGaussian(LogSpaced(4, 0.5, 2), 0.5);
  GradientSamplerSpec spec;
  spec.step_size = 0.3;
  spec.inverse_mass = {0.5, 1, 2, 4};
  ChainRun run = RunChain(target, spec, 500, 500);
  for (const StepInfo& info : run.infos) ASSERT_EQ(info.step_size, 0.3);
  EXPECT_EQ(run.sampler->step_size(), 0.3);
  EXPECT_EQ(run.sampler->metric().inverse_mass(), Eigen::Vector4d(0.5, 1, 2, 4));

  spec.inverse_mass.clear();  // only the metric is learned
  run = RunChain(target, spec, 500, 1);
  EXPECT_EQ(run.sampler->step_size(), 0.3);
  EXPECT_NE(run.sampler->metric().inverse_mass(), Eigen::Vector4d::Ones());

  spec.step_size.reset();  // only the step size is learned
  spec.inverse_mass = {0.5, 1, 2, 4};
  run = RunChain(target, spec, 500, 1);
  EXPECT_NE(run.sampler->step_size(), 0.3);
  EXPECT_EQ(run.sampler->metric().inverse_mass(), Eigen::Vector4d(0.5, 1, 2, 4));
}

TEST(AdaptedSamplerTest, WithoutWarmupTheSearchFindsAUsableStepSize) {
  for (const double scale : {1e-6, 1e-3, 1.0, 1e3}) {
    const Target target = AutoregressiveGaussian(Eigen::VectorXd::Constant(5, scale), 0.3);
    for (const auto kind :
         {GradientSamplerKind::kHmc, GradientSamplerKind::kMala, GradientSamplerKind::kNuts}) {
      GradientSamplerSpec spec;
      spec.kind = kind;
      GradientSampler sampler(target.Make(), spec, 0);
      ASSERT_THAT(sampler.Start(Eigen::VectorXd::Constant(5, scale), kAlways), IsOk());
      testing::Mean acceptance;
      double step_size = 0;
      for (std::int64_t sweep = 1; sweep <= 300; ++sweep) {
        StepInfo info;
        ASSERT_TRUE(sampler.Step(At(sweep), kAlways, info));
        if (sweep == 1) step_size = info.step_size;
        ASSERT_EQ(info.step_size, step_size);
        acceptance.Add(info.acceptance);
      }
      EXPECT_GT(acceptance.mean(), 0.5) << scale;
      EXPECT_GT(step_size, 0.05 * scale);
      EXPECT_LT(step_size, 2 * scale);
    }
  }
}

TEST(AdaptedSamplerTest, FlatDensityLeavesEverythingFinite) {
  const auto flat = [](const Eigen::VectorXd&, Eigen::VectorXd& gradient) {
    gradient.setZero();
    return 0.0;
  };
  GradientSamplerSpec spec;
  spec.max_tree_depth = 3;
  GradientSampler sampler(std::make_unique<FunctionDensity>(2, flat), spec, 300);
  ASSERT_THAT(sampler.Start(Eigen::VectorXd::Zero(2), kAlways), IsOk());
  for (std::int64_t sweep = 1; sweep <= 350; ++sweep) {
    StepInfo info;
    ASSERT_TRUE(sampler.Step(At(sweep), kAlways, info));
    ASSERT_TRUE(std::isfinite(info.step_size) && info.step_size > 0);
    ASSERT_TRUE(sampler.position().allFinite());
  }
}

}  // namespace
}  // namespace posteriord::core
