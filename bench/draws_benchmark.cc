// What a latent before an activation costs, by activation and noise: time per entry, and for smooth
// activations proposals per entry. The entries are what a chain sees: prior means N(0, 1), and
// outputs made from them with the noise given, of one variance before and after the activation.
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "core/random/draw_before_piecewise_linear.h"
#include "core/random/draw_before_smooth.h"
#include "core/random/draws.h"

namespace posteriord::core {
namespace {

constexpr std::size_t kEntries = 4096;

template <typename T>
struct Latents {
  template <typename Evaluate>
  Latents(double variance, Evaluate&& evaluate) : mean(kEntries), output(kEntries), out(kEntries) {
    std::vector<T> noise(2 * kEntries);
    DrawNormals<T>(RandomBlock(1, 0, 0, 0), 0, absl::MakeSpan(mean));
    DrawNormals<T>(RandomBlock(2, 0, 0, 0), 0, absl::MakeSpan(noise));
    const T sd = static_cast<T>(std::sqrt(variance));
    for (std::size_t i = 0; i < kEntries; ++i) out[i] = mean[i] + sd * noise[i];
    evaluate(absl::MakeConstSpan(out), absl::MakeSpan(output));
    for (std::size_t i = 0; i < kEntries; ++i) output[i] += sd * noise[kEntries + i];
  }

  std::vector<T> mean;
  std::vector<T> output;
  std::vector<T> out;
};

void SetPerEntry(benchmark::State& state) {
  state.counters["per_entry"] =
      benchmark::Counter(static_cast<double>(kEntries) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// The noise variance is 10^-range.
double Variance(const benchmark::State& state) {
  return std::pow(10.0, -static_cast<double>(state.range(0)));
}

template <typename T>
void BeforePiecewiseLinear(benchmark::State& state, const PiecewiseLinear& activation) {
  const double variance = Variance(state);
  Latents<T> latents(
      variance, [&](absl::Span<const T> z, absl::Span<T> out) { Evaluate(activation, z, out); });
  std::uint64_t sweep = 0;
  for (auto _ : state) {
    DrawBeforePiecewiseLinear<T>(activation, variance, variance, RandomBlock(3, 0, ++sweep, 0), 0,
                                 latents.mean, latents.output, absl::MakeSpan(latents.out));
    benchmark::DoNotOptimize(latents.out.data());
  }
  SetPerEntry(state);
}

template <typename T>
void BeforeSmooth(benchmark::State& state, const SmoothActivation& activation) {
  const double variance = Variance(state);
  Latents<T> latents(
      variance, [&](absl::Span<const T> z, absl::Span<T> out) { Evaluate(activation, z, out); });
  std::uint64_t sweep = 0;
  std::int64_t proposals = 0;
  for (auto _ : state) {
    proposals +=
        DrawBeforeSmooth<T>(activation, variance, variance, RandomBlock(3, 0, ++sweep, 0), 0,
                            kEntries, latents.mean, latents.output, absl::MakeSpan(latents.out));
    benchmark::DoNotOptimize(latents.out.data());
  }
  SetPerEntry(state);
  state.counters["proposals"] =
      static_cast<double>(proposals) /
      (static_cast<double>(kEntries) * static_cast<double>(state.iterations()));
}

void Register() {
  const auto noises = [](benchmark::internal::Benchmark* benchmark) {
    benchmark->Arg(0)->Arg(2)->Arg(4);
  };
  const auto piecewise = [&](const std::string& name, PiecewiseLinear activation) {
    noises(benchmark::RegisterBenchmark((name + "<double>").c_str(), BeforePiecewiseLinear<double>,
                                        activation));
    noises(benchmark::RegisterBenchmark((name + "<float>").c_str(), BeforePiecewiseLinear<float>,
                                        activation));
  };
  const auto smooth = [&](const std::string& name, SmoothActivation activation) {
    noises(benchmark::RegisterBenchmark((name + "<double>").c_str(), BeforeSmooth<double>,
                                        activation));
    noises(
        benchmark::RegisterBenchmark((name + "<float>").c_str(), BeforeSmooth<float>, activation));
  };
  piecewise("Relu", PiecewiseLinear::Relu());
  piecewise("LeakyRelu", PiecewiseLinear::LeakyRelu(0.1));
  piecewise("Absolute", PiecewiseLinear::Absolute());
  piecewise("Sign", PiecewiseLinear::Sign());
  piecewise("HardTanh", PiecewiseLinear::HardTanh());
  piecewise("Linear", PiecewiseLinear::Linear());
  smooth("Tanh", SmoothActivation::Tanh());
  smooth("Erf", SmoothActivation::Erf());
  smooth("Gelu", SmoothActivation::Gelu());
}

}  // namespace
}  // namespace posteriord::core

int main(int argc, char** argv) {
  posteriord::core::Register();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
