// The thermalization verdict in words.
#ifndef POSTERIORD_CORE_DIAGNOSTICS_EXPLANATION_H_
#define POSTERIORD_CORE_DIAGNOSTICS_EXPLANATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/diagnostics/thermalization.h"

namespace posteriord::core {

// A monitored observable in the window.
struct ComparedObservable {
  std::string name;
  std::optional<Comparison> comparison;  // unset when it has no value in a part of the window
};

// What there is to tell of one evaluation.
struct VerdictFacts {
  Verdict verdict;
  bool thermalized_before = false;  // the evaluation before said kThermalized
  std::int64_t sweep = 0;
  std::int64_t window_points = 0;  // of each chain
  double tolerance = 0;
  double min_effective_sample_size = 0;
  std::vector<ComparedObservable> monitored;
};

// One sentence for a person. REQUIRES: `monitored` is not empty and the state is not
// kNotApplicable.
std::string Explain(const VerdictFacts& facts);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_EXPLANATION_H_
