// The problem that benchmarks measure: that of Piccioli, Troiani, Zdeborova (arXiv 2306.02729),
// n = 2084 samples, d = 50 inputs, K = 10 hidden ReLU units, one output, noisy labels of a teacher.
#ifndef POSTERIORD_BENCH_REFERENCE_PROBLEM_H_
#define POSTERIORD_BENCH_REFERENCE_PROBLEM_H_

#include <memory>
#include <utility>

#include "core/sampling/typed_problem.h"

namespace posteriord::core {

inline constexpr int kSamples = 2084;
inline constexpr int kInputs = 50;
inline constexpr int kHidden = 10;

// One chain started at the teacher, with noise of variance `delta` after every layer.
inline Spec ReferenceSpec(double delta) {
  Spec spec;
  spec.network.inputs = kInputs;
  spec.network.layers = {
      {"dense1", DenseSpec{kHidden, true, kInputs, kInputs}, delta},
      {"relu1", ActivationSpec{}, delta},
      {"dense2", DenseSpec{1, true, kHidden, kHidden}, delta},
  };
  spec.groups = {{StartKind::kInformed, {}, 1}};
  spec.schedule.draws = 1;
  return spec;
}

// Sets the precision of the spec to that of T.
template <typename T>
std::shared_ptr<const TypedProblem<T>> MakeReferenceProblem(Spec spec) {
  spec.precision = sizeof(T) == 4 ? Precision::kFloat32 : Precision::kFloat64;
  Data data = GaussianInputs(kInputs, kSamples, 0, 1);
  data.teacher = TeacherSpec{.seed = 2};
  return std::static_pointer_cast<const TypedProblem<T>>(
      *Problem::Create(std::move(spec), std::move(data)));
}

}  // namespace posteriord::core

#endif  // POSTERIORD_BENCH_REFERENCE_PROBLEM_H_
