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

class ResourceEstimateTest : public ::testing::TestWithParam<Shape> {};

TEST_P(ResourceEstimateTest, MemoryCoversThePeakAndIsNotThreeTimesIt) {
  const Shape& shape = GetParam();
  Spec spec;
  spec.network = testing::ReluNetwork(shape.widths, 0.1, shape.likelihood);
  spec.precision = shape.precision;
  spec.groups = {{StartKind::kInformed, {}, 1}, {StartKind::kPrior, {}, shape.chains - 1}};
  spec.schedule.draws = 3;
  const std::int64_t estimate =
      EstimateResources(
          spec, {.train_samples = shape.train, .test_samples = shape.test, .has_teacher = true}, 8)
          .memory_bytes;

  // From the data to a checkpoint of every chain.
  const std::int64_t before = testing::ResetPeakOfAllocatedBytes();
  {
    const auto problem = Problem::Create(spec, testing::TeacherData(shape.widths.front(),
                                                                    shape.train, shape.test, 1))
                             .value();
    std::vector<std::unique_ptr<Chain>> chains;
    for (int i = 0; i < shape.chains; ++i) chains.push_back(Chain::Create(problem, i));
    NullSink sink;
    for (const auto& chain : chains) ASSERT_OK(chain->Run(sink, {}));
    std::vector<std::string> checkpoints;
    for (const auto& chain : chains) checkpoints.push_back(chain->Checkpoint());
  }
  const std::int64_t measured = testing::PeakOfAllocatedBytes() - before;
  RecordProperty("estimated_over_measured_percent", static_cast<int>(100 * estimate / measured));
  EXPECT_GE(estimate, measured);
  constexpr std::int64_t kMegabyte = 1 << 20;
  EXPECT_LE(estimate, 3 * measured + kMegabyte);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ResourceEstimateTest,
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

}  // namespace
}  // namespace posteriord::core
