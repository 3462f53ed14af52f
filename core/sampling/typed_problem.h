// The problem in the precision of its chains. Internal to core/sampling.
#ifndef POSTERIORD_CORE_SAMPLING_TYPED_PROBLEM_H_
#define POSTERIORD_CORE_SAMPLING_TYPED_PROBLEM_H_

#include <memory>
#include <optional>
#include <vector>

#include "core/sampling/observables.h"
#include "core/sampling/problem.h"

namespace posteriord::core {

template <typename T>
class TypedProblem final : public Problem {
 public:
  static absl::StatusOr<std::shared_ptr<const Problem>> Create(Spec spec, Data data);

  const Spec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return model_.layout(); }
  const std::vector<ObservableInfo>& observables() const override { return observables_; }
  double PredictiveTestError(absl::Span<const double> sum, std::int64_t draws) const override;

  const Model<T>& model() const { return model_; }
  const TrainingSet<T>& training() const { return training_; }
  const TestSet<T>& test() const { return test_; }

  // Where the chain begins, before its first sweep.
  State<T> StartState(int chain) const;

 private:
  TypedProblem(Spec spec, const Data& data);
  absl::Status CheckLabels(const Data& data) const;
  void Label(const TeacherSpec& teacher);

  const Spec spec_;
  const Model<T> model_;
  TrainingSet<T> training_;
  TestSet<T> test_;
  std::optional<State<T>> teacher_;  // with its latents on the training inputs
  std::vector<ObservableInfo> observables_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_TYPED_PROBLEM_H_
