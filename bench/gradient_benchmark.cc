// How fast is a gradient of a posterior of the reference problem, and how far from the limit?
// "Floor" measures, in the same run, the matrix products that no gradient can do without, as bare
// Eigen products. The ratio of Gradient to Floor is the distance to the limit.
#include <benchmark/benchmark.h>

#include "bench/reference_problem.h"
#include "core/posterior/network_density.h"

namespace posteriord::core {
namespace {

template <typename T>
void Gradient(benchmark::State& state, PosteriorKind posterior) {
  Spec spec = ReferenceSpec(1e-2);
  spec.network.posterior = posterior;
  spec.sampler = GradientSamplerSpec{};
  const auto problem = MakeReferenceProblem<T>(spec);
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
