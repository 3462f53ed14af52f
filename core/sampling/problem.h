// What the chains of a job share: the validated spec, the data in the chains' precision, the
// factorisation of the inputs' Gram matrix, the teacher, and the list of observables.
#ifndef POSTERIORD_CORE_SAMPLING_PROBLEM_H_
#define POSTERIORD_CORE_SAMPLING_PROBLEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/data/data.h"
#include "core/model/parameter_layout.h"
#include "core/spec.h"

namespace posteriord::core {

// A number traced along a chain.
struct ObservableInfo {
  std::string name;         // for instance "test_error", "dense1.weight_norm"
  std::string description;  // one line: what it is, which unit
  bool monitored = false;   // takes part in the thermalization verdict
};

// Predicted needs, computed before anything is allocated.
struct ResourceEstimate {
  std::int64_t memory_bytes = 0;
  std::int64_t disk_bytes = 0;
};

// Shape of the data, known before the data are read.
struct DataShape {
  std::int64_t train_samples = 0;
  std::int64_t test_samples = 0;
  bool has_teacher = false;
};

// Names of the observables monitored when a spec names none, and of all that exist.
// `spec.thermalization.observables` empty means the default set.
std::vector<ObservableInfo> ListObservables(const Spec& spec, const DataShape& shape);

// Peak memory while sampling (with `running_chains` of the chains in memory at once: all of them)
// and final disk use. `storage_bytes` is the width of a stored number, 4 or 8.
ResourceEstimate EstimateResources(const Spec& spec, const DataShape& shape, int storage_bytes);

// Immutable; shared by the chains of a job, safe to use from many threads.
class Problem {
 public:
  virtual ~Problem() = default;

  // Prepares the data for sampling: converts them to the spec's precision, labels them when there
  // is a teacher, factorises what is constant. REQUIRES: the shapes of `data` fit `spec`.
  // Errors: INVALID_ARGUMENT when a Gram matrix cannot be factorised or a label is not a class.
  static absl::StatusOr<std::shared_ptr<const Problem>> Create(Spec spec, Data data);

  virtual const Spec& spec() const = 0;
  virtual const ParameterLayout& layout() const = 0;
  virtual const std::vector<ObservableInfo>& observables() const = 0;

  // Error of pooled predictive sums on the test samples: `sum` of `draws` plug-in predictions,
  // samples x outputs, column-major (see PredictiveSum). Mean squared error over samples and
  // outputs, or error rate of the majority vote. NaN without test samples or draws.
  virtual double PredictiveTestError(absl::Span<const double> sum, std::int64_t draws) const = 0;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_PROBLEM_H_
