// How fast is a Gibbs sweep, and how far from the limit? The reference problem is that of the
// paper: n = 2084 samples, d = 50 inputs, K = 10 hidden ReLU units, one output. "Floor" measures,
// in the same run, what no implementation can do without: the matrix products of a sweep as bare
// Eigen products, and one bare Gaussian draw per hidden latent entry (two latents). The ratio of
// Sweep to Floor is the distance to the limit.
#include <benchmark/benchmark.h>

#include <memory>

#include "core/random/draws.h"
#include "core/sampling/gibbs.h"
#include "core/sampling/typed_problem.h"

namespace posteriord::core {
namespace {

constexpr int kSamples = 2084;
constexpr int kInputs = 50;
constexpr int kHidden = 10;

Spec ReferenceSpec(Precision precision) {
  Spec spec;
  spec.network.inputs = kInputs;
  spec.network.layers = {
      {"dense1", DenseSpec{kHidden, true, kInputs, kInputs}, 1e-4},
      {"relu1", ActivationSpec{}, 1e-4},
      {"dense2", DenseSpec{1, true, kHidden, kHidden}, 1e-4},
  };
  spec.precision = precision;
  spec.groups = {{StartKind::kInformed, {}, 1}};
  spec.schedule.draws = 1;
  return spec;
}

template <typename T>
std::shared_ptr<const TypedProblem<T>> ReferenceProblem() {
  Data data = GaussianInputs(kInputs, kSamples, 0, 1);
  data.teacher = TeacherSpec{.seed = 2};
  const Precision precision = sizeof(T) == 4 ? Precision::kFloat32 : Precision::kFloat64;
  auto problem = Problem::Create(ReferenceSpec(precision), std::move(data));
  return std::static_pointer_cast<const TypedProblem<T>>(*problem);
}

template <typename T>
void Sweep(benchmark::State& state) {
  const auto problem = ReferenceProblem<T>();
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
