// How fast is a gradient of a posterior, and how far from the limit? The reference problem is that
// of the paper: n = 2084 samples, d = 50 inputs, K = 10 hidden ReLU units, one output. "Floor"
// measures, in the same run, the matrix products that no gradient can do without, as bare Eigen
// products. The ratio of Gradient to Floor is the distance to the limit.
#include <benchmark/benchmark.h>

#include <memory>

#include "core/posterior/network_density.h"
#include "core/sampling/typed_problem.h"

namespace posteriord::core {
namespace {

constexpr int kSamples = 2084;
constexpr int kInputs = 50;
constexpr int kHidden = 10;

template <typename T>
std::shared_ptr<const TypedProblem<T>> ReferenceProblem(PosteriorKind posterior) {
  Spec spec;
  spec.network.inputs = kInputs;
  spec.network.layers = {
      {"dense1", DenseSpec{kHidden, true, kInputs, kInputs}, 1e-2},
      {"relu1", ActivationSpec{}, 1e-2},
      {"dense2", DenseSpec{1, true, kHidden, kHidden}, 1e-2},
  };
  spec.network.posterior = posterior;
  spec.sampler = GradientSamplerSpec{};
  spec.precision = sizeof(T) == 4 ? Precision::kFloat32 : Precision::kFloat64;
  spec.groups = {{StartKind::kInformed, {}, 1}};
  spec.schedule.draws = 1;
  Data data = GaussianInputs(kInputs, kSamples, 0, 1);
  data.teacher = TeacherSpec{.seed = 2};
  return std::static_pointer_cast<const TypedProblem<T>>(*Problem::Create(spec, std::move(data)));
}

template <typename T>
void Gradient(benchmark::State& state, PosteriorKind posterior) {
  const auto problem = ReferenceProblem<T>(posterior);
  NetworkDensity<T> density(problem->model(), problem->training());
  const PositionLayout<T> layout(problem->model(), kSamples);
  Eigen::VectorXd position;
  layout.Pack(problem->StartState(0), position);
  Eigen::VectorXd gradient(position.size());
  double value = 0;
  for (auto _ : state) {
    density.Evaluate(
        position, [] { return true; }, value, gradient);
    benchmark::DoNotOptimize(gradient.data());
  }
}

void ClassicalGradientDouble(benchmark::State& state) {
  Gradient<double>(state, PosteriorKind::kClassical);
}
void ClassicalGradientFloat(benchmark::State& state) {
  Gradient<float>(state, PosteriorKind::kClassical);
}
void IntermediateNoiseGradientDouble(benchmark::State& state) {
  Gradient<double>(state, PosteriorKind::kIntermediateNoise);
}
BENCHMARK(ClassicalGradientDouble)->Unit(benchmark::kMicrosecond);
BENCHMARK(ClassicalGradientFloat)->Unit(benchmark::kMicrosecond);
BENCHMARK(IntermediateNoiseGradientDouble)->Unit(benchmark::kMicrosecond);

// Forward and backward through the first layer, whose inputs need no gradient.
template <typename T>
void Floor(benchmark::State& state) {
  const Matrix<T> x = Matrix<T>::Random(kSamples, 1 + kInputs);
  const Matrix<T> w = Matrix<T>::Random(1 + kInputs, kHidden);
  Matrix<T> z(kSamples, kHidden);
  Matrix<T> gradient(1 + kInputs, kHidden);
  for (auto _ : state) {
    z.noalias() = x * w;
    gradient.noalias() = x.transpose() * z;
    benchmark::DoNotOptimize(gradient.data());
  }
}
BENCHMARK_TEMPLATE(Floor, double)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(Floor, float)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace posteriord::core

BENCHMARK_MAIN();
