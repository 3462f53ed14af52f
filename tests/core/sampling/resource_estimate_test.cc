// The predicted memory against what is allocated.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/sampling/chain.h"
#include "tests/core/testing/allocation_counter.h"
#include "tests/core/testing/networks.h"
#include "tests/testing/status.h"

namespace posteriord::core {
namespace {

// Keeps nothing: what a server remembers of a trace is its own.
class NullSink final : public SampleSink {
 public:
  absl::Status AppendDraw(const Draw&) override { return absl::OkStatus(); }
  absl::Status AppendTrace(const TracePoint&) override { return absl::OkStatus(); }
  absl::Status AppendPredictive(const PredictiveSum&) override { return absl::OkStatus(); }
};

struct Shape {
  std::string name;
  std::vector<int> widths;
  std::int64_t train;
  std::int64_t test;
  int chains;
  LikelihoodKind likelihood = LikelihoodKind::kGaussian;
  Precision precision = Precision::kFloat64;
};

// Most bytes allocated from the data of a job to a checkpoint of every chain.
std::int64_t MeasureMemory(const Spec& spec, std::int64_t train, std::int64_t test) {
  const std::int64_t before = testing::ResetPeakOfAllocatedBytes();
  {
    const auto problem =
        Problem::Create(spec, testing::TeacherData(spec.network.inputs.size(), train, test, 1))
            .value();
    std::vector<std::unique_ptr<Chain>> chains;
    for (int i = 0; i < spec.chain_count(); ++i) chains.push_back(Chain::Create(problem, i));
    NullSink sink;
    for (const auto& chain : chains) EXPECT_OK(chain->Run(sink, {}));
    std::vector<std::string> checkpoints;
    for (const auto& chain : chains) checkpoints.push_back(chain->Checkpoint());
  }
  return testing::PeakOfAllocatedBytes() - before;
}

// The estimate covers the peak and is not three times it.
void ExpectGoodEstimate(const Spec& spec, std::int64_t train, std::int64_t test) {
  const std::int64_t estimate =
      EstimateResources(spec, {.train_samples = train, .test_samples = test, .has_teacher = true},
                        8)
          .memory_bytes;
  const std::int64_t measured = MeasureMemory(spec, train, test);
  ::testing::Test::RecordProperty("estimated_over_measured_percent",
                                  static_cast<int>(100 * estimate / measured));
  EXPECT_GE(estimate, measured);
  constexpr std::int64_t kMegabyte = 1 << 20;
  EXPECT_LE(estimate, 3 * measured + kMegabyte);
}

class ShapesTest : public ::testing::TestWithParam<Shape> {};

TEST_P(ShapesTest, MemoryCoversThePeakAndIsNotThreeTimesIt) {
  const Shape& shape = GetParam();
  Spec spec;
  spec.network = testing::ReluNetwork(shape.widths, 0.1, shape.likelihood);
  spec.precision = shape.precision;
  spec.groups = {{StartKind::kInformed, {}, 1}, {StartKind::kPrior, {}, shape.chains - 1}};
  spec.schedule.draws = 3;
  ExpectGoodEstimate(spec, shape.train, shape.test);
}

INSTANTIATE_TEST_SUITE_P(
    ResourceEstimate, ShapesTest,
    ::testing::Values(Shape{"Tiny", {2, 3, 1}, 10, 5, 2},
                      Shape{"OfThePaper", {50, 10, 1}, 2084, 2000, 4},
                      Shape{"Images", {784, 12, 10}, 3000, 500, 2, LikelihoodKind::kProbit},
                      Shape{"ImagesFloat",
                            {784, 12, 10},
                            3000,
                            500,
                            2,
                            LikelihoodKind::kProbit,
                            Precision::kFloat32},
                      Shape{"Digits", {64, 32, 10}, 1400, 397, 8, LikelihoodKind::kProbit},
                      Shape{"Wide", {20, 500, 1}, 300, 100, 2},
                      Shape{"WideOutputs", {5, 10, 200}, 500, 500, 2},
                      Shape{"Deep", {10, 50, 50, 50, 1}, 2000, 0, 2},
                      Shape{"ManySamplesFloat",
                            {5, 4, 1},
                            60'000,
                            100,
                            4,
                            LikelihoodKind::kGaussian,
                            Precision::kFloat32},
                      Shape{"ManyTestSamples", {5, 4, 1}, 200, 50'000, 2}),
    [](const auto& shape) { return shape.param.name; });

// Two chains of the reference network.
Spec ReferenceSpec() {
  Spec spec;
  spec.network = testing::ReluNetwork({50, 10, 1}, 0.1);
  spec.groups = {{StartKind::kPrior, {}, 2}};
  spec.schedule.draws = 3;
  return spec;
}

TEST(ResourceEstimateTest, CoversGradientSamplers) {
  for (const GradientSamplerKind kind :
       {GradientSamplerKind::kHmc, GradientSamplerKind::kMala, GradientSamplerKind::kNuts}) {
    for (const PosteriorKind posterior :
         {PosteriorKind::kClassical, PosteriorKind::kIntermediateNoise}) {
      SCOPED_TRACE(::testing::Message() << static_cast<int>(kind) << static_cast<int>(posterior));
      Spec spec = ReferenceSpec();
      spec.network.posterior = posterior;
      spec.sampler = GradientSamplerSpec{.kind = kind, .max_tree_depth = 4};
      spec.schedule.warmup_sweeps = 20;
      ExpectGoodEstimate(spec, 2084, 2000);
    }
  }
}

TEST(ResourceEstimateTest, CoversADenseMetric) {
  Spec spec = ReferenceSpec();
  spec.network.posterior = PosteriorKind::kClassical;
  spec.sampler = GradientSamplerSpec{.max_tree_depth = 4, .metric = MetricKind::kDense};
  spec.schedule.warmup_sweeps = 60;
  ExpectGoodEstimate(spec, 500, 100);
}

TEST(ResourceEstimateTest, CoversPopulations) {
  Spec spec = ReferenceSpec();
  spec.groups = {
      {.start = StartKind::kPopulation, .chains = 2, .population = {.members = 8, .sweeps = 2}}};
  spec.schedule.warmup_sweeps = 40;
  ExpectGoodEstimate(spec, 2084, 100);
}

TEST(ResourceEstimateTest, CoversCollapsedMoves) {
  Spec spec = ReferenceSpec();
  spec.sampler = GibbsSpec{.collapsed_from_sweep = 1};
  ExpectGoodEstimate(spec, 2084, 2000);
}

// The convolutional network of the paper.
TEST(ResourceEstimateTest, CoversConvolutions) {
  Spec spec;
  spec.network.inputs = {1, 28, 28};
  spec.network.likelihood = LikelihoodKind::kProbit;
  spec.network.layers = {{"conv1", Conv2dSpec{2, 4, 4, 2, true, 16, 16}, 0.1},
                         {"pool1", AvgPool2dSpec{2, 2}, 0.1},
                         {"relu1", ActivationSpec{}, 0.1},
                         {"dense1", DenseSpec{10, true, 72, 72}, 0.1}};
  spec.precision = Precision::kFloat32;
  spec.groups = {{StartKind::kPrior, {}, 2}};
  spec.schedule.draws = 3;
  ExpectGoodEstimate(spec, 3000, 500);
}

// What a chain adds to a job of the shape of MNIST but with fewer inputs, on which it does not
// depend beyond its parameters: little more than its latents.
TEST(ChainMemoryTest, IsThatOfTheLatentsAndAHalfMore) {
  constexpr std::int64_t kSamples = 60'000;
  Spec spec;
  spec.network = testing::ReluNetwork({8, 12, 10}, 2, LikelihoodKind::kProbit);
  spec.precision = Precision::kFloat32;
  spec.groups = {{StartKind::kPrior, {}, 1}};
  spec.schedule.draws = 3;
  const auto problem = Problem::Create(spec, testing::TeacherData(8, kSamples, 5000, 1)).value();
  const std::int64_t before = testing::ResetPeakOfAllocatedBytes();
  const auto chain = Chain::Create(problem, 0);
  NullSink sink;
  ASSERT_OK(chain->Run(sink, {}));
  const auto measured = static_cast<double>(testing::PeakOfAllocatedBytes() - before);
  constexpr double kLatents = 1.0 * kSamples * (12 + 12 + 10) * sizeof(float);
  RecordProperty("memory_over_latents", std::to_string(measured / kLatents));
  EXPECT_LT(measured / kLatents, 1.5);
}

}  // namespace
}  // namespace posteriord::core
