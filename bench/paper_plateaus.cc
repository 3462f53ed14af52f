// Repeats two runs of Piccioli, Troiani, Zdeborova (arXiv 2306.02729) and prints our numbers beside
// those of the authors' published result files:
//   noisy      Delta = 1e-4, teacher with the model's own noise, informed start (their figure 1)
//   noiseless  Delta = 1e-2, noise-free teacher, zero and informed start (their figure 2)
// n = 2084 samples, d = 50 inputs, K = 10 hidden ReLU units, one output, 2000 test samples. Exits 1
// when a number differs by more than three standard errors.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "core/sampling/chain.h"
#include "core/sampling/problem.h"

namespace posteriord::core {
namespace {

constexpr int kSamples = 2084;
constexpr int kTestSamples = 2000;
constexpr int kInputs = 50;
constexpr int kHidden = 10;

// From the authors' result files. Their spreads are within one run; between teachers the test error
// varies by about 14 %.
constexpr double kNoisyTestMse = 1.64e-4;
constexpr double kNoisyScaledLogDensity = -2.187;
constexpr double kNoiselessTestMseOverDelta = 0.51;
constexpr double kTheirSpreadBetweenTeachers = 0.14;

struct Options {
  std::string run = "both";
  int teachers = 8;
  std::int64_t noisy_sweeps = 40'000;
  std::int64_t noiseless_sweeps = 200'000;
  int threads = 2;
};

// Means over the second half of a chain's evenly spaced trace.
class WindowMeans final : public SampleSink {
 public:
  explicit WindowMeans(const Problem& problem)
      : from_(problem.spec().schedule.total_sweeps() / 2), sums_(problem.observables().size()) {}

  absl::Status AppendDraw(const Draw&) override { return absl::OkStatus(); }
  absl::Status AppendPredictive(const PredictiveSum&) override { return absl::OkStatus(); }
  absl::Status AppendTrace(const TracePoint& point) override {
    if (!point.even || point.sweep <= from_) return absl::OkStatus();
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += point.values[i];
    ++points_;
    return absl::OkStatus();
  }

  std::map<std::string, double> Means(const Problem& problem) const {
    std::map<std::string, double> means;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      means[problem.observables()[i].name] = sums_[i] / static_cast<double>(points_);
    }
    return means;
  }

 private:
  const std::int64_t from_;
  std::vector<double> sums_;
  std::int64_t points_ = 0;
};

Spec MakeSpec(double delta, StartKind start, std::int64_t sweeps, std::uint64_t seed) {
  Spec spec;
  spec.network.inputs = kInputs;
  spec.network.layers = {
      {"dense1", DenseSpec{kHidden, true, kInputs, kInputs}, delta},
      {"relu1", ActivationSpec{}, delta},
      {"dense2", DenseSpec{1, true, kHidden, kHidden}, delta},
  };
  spec.seed = seed;
  spec.groups = {{start, {}, 1}};
  spec.schedule = {.warmup_sweeps = sweeps - 1, .draws = 1};
  return spec;
}

std::map<std::string, double> RunChain(double delta, bool noiseless, StartKind start,
                                       std::int64_t sweeps, std::uint64_t seed) {
  Data data = GaussianInputs(kInputs, kSamples, kTestSamples, seed);
  data.teacher = TeacherSpec{.seed = seed + 1000, .noiseless = noiseless};
  const auto problem = Problem::Create(MakeSpec(delta, start, sweeps, seed), std::move(data));
  if (!problem.ok()) std::abort();
  WindowMeans sink(**problem);
  const auto outcome = Chain::Create(*problem, 0)->Run(sink, {});
  if (!outcome.ok()) std::abort();
  return sink.Means(**problem);
}

// One run per teacher, spread over the threads.
template <typename Body>
std::vector<std::map<std::string, double>> ForEachTeacher(const Options& options, Body body) {
  std::vector<std::map<std::string, double>> results(options.teachers);
  std::atomic<int> next = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < options.threads; ++t) {
    threads.emplace_back([&] {
      for (int i = next++; i < options.teachers; i = next++) {
        results[i] = body(static_cast<std::uint64_t>(i + 1));
        std::fprintf(stderr, "  teacher %d of %d done\n", i + 1, options.teachers);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

struct Estimate {
  double mean = 0;
  double standard_error = 0;
};

template <typename Value>
Estimate OverTeachers(const std::vector<std::map<std::string, double>>& results, Value value) {
  Estimate estimate;
  const auto count = static_cast<double>(results.size());
  for (const auto& result : results) estimate.mean += value(result) / count;
  for (const auto& result : results) {
    const double d = value(result) - estimate.mean;
    estimate.standard_error += d * d / (count * (count - 1));
  }
  estimate.standard_error = std::sqrt(estimate.standard_error);
  return estimate;
}

// Prints one comparison; false when they differ by more than three standard errors.
bool Compare(const char* what, const Estimate& ours, double theirs, double their_error) {
  const double error = std::hypot(ours.standard_error, their_error);
  const double distance = (ours.mean - theirs) / error;
  std::printf("  %-34s %12.5g +- %-9.2g %12.5g   %+5.2f\n", what, ours.mean, ours.standard_error,
              theirs, distance);
  return std::abs(distance) <= 3;
}

// The authors' logP_resc: Delta times minus half the sum of the squared noises over their variance.
double ScaledLogDensity(const std::map<std::string, double>& means, double delta) {
  return -0.5 * delta * kSamples *
         (kHidden * (means.at("dense1.residual") + means.at("relu1.residual")) +
          means.at("dense2.residual"));
}

void PrintHeading(const char* title) {
  std::printf("%s\n  %-34s %12s    %-9s %12s   %s\n", title, "", "ours", "(error)", "theirs",
              "distance in errors");
}

bool RunNoisy(const Options& options) {
  constexpr double kDelta = 1e-4;
  const auto results = ForEachTeacher(options, [&](std::uint64_t seed) {
    return RunChain(kDelta, false, StartKind::kInformed, options.noisy_sweeps, seed);
  });
  PrintHeading("Delta = 1e-4, noisy teacher, informed start");
  const double one_teacher = kTheirSpreadBetweenTeachers * kNoisyTestMse;
  bool agrees =
      Compare("test MSE", OverTeachers(results, [](const auto& r) { return r.at("test_error"); }),
              kNoisyTestMse, 0);
  std::printf("  (their number is one teacher's: +- %.2g)\n", one_teacher);
  agrees &=
      Compare("Delta * log density of the noise",
              OverTeachers(results, [&](const auto& r) { return ScaledLogDensity(r, kDelta); }),
              kNoisyScaledLogDensity, 0.015 / std::sqrt(478.0));
  agrees &=
      Compare("score of the first layer",
              OverTeachers(results, [](const auto& r) { return r.at("dense1.score"); }), 0, 0);
  agrees &=
      Compare("score of the second layer",
              OverTeachers(results, [](const auto& r) { return r.at("dense2.score"); }), 0, 0);
  return agrees;
}

bool RunNoiseless(const Options& options) {
  constexpr double kDelta = 1e-2;
  const auto run = [&](StartKind start) {
    return ForEachTeacher(options, [&](std::uint64_t seed) {
      return RunChain(kDelta, true, start, options.noiseless_sweeps, seed);
    });
  };
  const auto zero = run(StartKind::kZero);
  const auto informed = run(StartKind::kInformed);
  const auto scaled_error = [](const auto& means) { return means.at("test_error") / kDelta; };

  PrintHeading("Delta = 1e-2, noiseless teacher");
  const double their_error =
      kTheirSpreadBetweenTeachers * kNoiselessTestMseOverDelta / std::sqrt(72.0);
  bool agrees = Compare("test MSE / Delta, zero start", OverTeachers(zero, scaled_error),
                        kNoiselessTestMseOverDelta, their_error);
  agrees &= Compare("test MSE / Delta, informed start", OverTeachers(informed, scaled_error),
                    kNoiselessTestMseOverDelta, their_error);
  std::printf("  by teacher, zero and informed start:");
  for (std::size_t i = 0; i < zero.size(); ++i) {
    std::printf("%s %.3f %.3f", i == 0 ? "" : ",", scaled_error(zero[i]),
                scaled_error(informed[i]));
  }
  std::printf("\n");
  return agrees;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Repeats two of the paper's runs and prints our plateaus beside the authors'.");
  app.add_option("--run", options.run, "Which run: noisy, noiseless or both")
      ->check(CLI::IsMember({"noisy", "noiseless", "both"}))
      ->capture_default_str();
  app.add_option("--teachers", options.teachers, "Number of random teachers")
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  app.add_option("--noisy-sweeps", options.noisy_sweeps, "Sweeps of each noisy run")
      ->capture_default_str();
  app.add_option("--noiseless-sweeps", options.noiseless_sweeps, "Sweeps of each noiseless run")
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Teachers worked on at once")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  bool agrees = true;
  if (options.run != "noiseless") agrees &= RunNoisy(options);
  if (options.run != "noisy") agrees &= RunNoiseless(options);
  std::printf(agrees ? "All within three standard errors.\n"
                     : "NOT all within three standard errors.\n");
  return agrees ? 0 : 1;
}

}  // namespace
}  // namespace posteriord::core

int main(int argc, char** argv) { return posteriord::core::Main(argc, argv); }
