// How fast is a Gibbs sweep of the reference problem, and how far from the limit? "Floor"
// measures, in the same run, what no implementation can do without: the matrix products of a sweep
// as bare Eigen products, and one bare Gaussian draw per hidden latent entry (two latents). The
// ratio of Sweep to Floor is the distance to the limit.
#include <benchmark/benchmark.h>

#include "bench/reference_problem.h"
#include "core/random/draws.h"
#include "core/sampling/gibbs.h"

namespace posteriord::core {
namespace {

template <typename T>
void Sweep(benchmark::State& state) {
  const auto problem = MakeReferenceProblem<T>(ReferenceSpec(1e-4));
  GibbsSampler<T> sampler(problem->model(), problem->training());
  State<T> chain = problem->StartState(0);
  std::uint64_t sweep = 0;
  for (auto _ : state)
    sampler.Sweep(
        {.seed = 3, .sweep = ++sweep}, [] { return true; }, chain);
}
BENCHMARK_TEMPLATE(Sweep, double)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(Sweep, float)->Unit(benchmark::kMicrosecond);

template <typename T>
void Floor(benchmark::State& state) {
  const Matrix<T> x = Matrix<T>::Random(kSamples, 1 + kInputs);
  const Matrix<T> w = Matrix<T>::Random(1 + kInputs, kHidden);
  Matrix<T> z(kSamples, kHidden);
  Matrix<T> h(kSamples, kHidden);
  Matrix<T> moments(1 + kInputs, kHidden);
  Matrix<T> gram(kHidden, kHidden);
  std::uint64_t sweep = 0;
  for (auto _ : state) {
    ++sweep;
    for (Matrix<T>* latent : {&z, &h}) {
      DrawNormals<T>(RandomBlock(1, 0, sweep, 0), 0,
                     absl::MakeSpan(latent->data(), static_cast<std::size_t>(latent->size())));
    }
    z.noalias() += x * w;
    moments.noalias() = x.transpose() * z;
    gram.noalias() = h.transpose() * h;
    benchmark::DoNotOptimize(moments.data());
    benchmark::DoNotOptimize(gram.data());
  }
}
BENCHMARK_TEMPLATE(Floor, double)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(Floor, float)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace posteriord::core

BENCHMARK_MAIN();
