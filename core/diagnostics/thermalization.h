// The thermalization rule: do chains started elsewhere (uninformed) agree with chains started at
// the teacher (informed, at equilibrium from the first sweep), and since when?
//
// It is an equivalence test: chains agree once they are shown to be close, not as long as they
// cannot be told apart, which noise would reward. For one observable in one window, chain c has
// mean m_c, variance s_c^2 and effective sample size n_c. With the k informed chains pooled,
//
//   m = (1/k) sum m_c,   s^2 = (1/k) sum s_c^2,   SE^2 = (1/k^2) sum s_c^2 / n_c,
//   distance(c) = (|m_c - m| + 2 sqrt(s_c^2 / n_c + SE^2)) / s,
//
// every uninformed chain is compared on its own, so that a stuck chain cannot hide behind others,
// and must have distance(c) <= tolerance. The informed chains vouch for each other in the same way,
// each against the rest of them; s is their spread within chains, so informed chains that sit in
// different places do not widen the tolerance. Every chain compared needs a minimal n_c.
//
// The verdict asks for agreement at every evaluation from one at sweep t0 until the window has no
// sweep in common with that of t0: two disjoint windows in a row.
#ifndef POSTERIORD_CORE_DIAGNOSTICS_THERMALIZATION_H_
#define POSTERIORD_CORE_DIAGNOSTICS_THERMALIZATION_H_

#include <cstdint>
#include <optional>

#include "absl/types/span.h"

namespace posteriord::core {

enum class ThermalizationState {
  kNotApplicable,
  kTooEarly,
  kNotYet,
  kThermalized,
  kNotThermalized
};

// Outcome of one evaluation, without regard to those before.
enum class Agreement { kUndecided, kDisagreement, kAgreement };

// One observable of one chain in the window.
struct ChainWindow {
  int chain = 0;  // index in the job
  double mean = 0;
  double variance = 0;
  double least = 0;
  double greatest = 0;
  std::optional<double> effective_sample_size;  // unset when the window is too short to tell
};

// Chains taken together.
struct PooledChains {
  double mean = 0;
  double variance = 0;                // average over the chains
  double squared_standard_error = 0;  // infinite when an effective sample size is unset
  double effective_sample_size = 0;   // sum over the chains
};

// REQUIRES: not empty.
PooledChains Pool(absl::Span<const ChainWindow> chains);

struct Comparison {
  Agreement agreement = Agreement::kUndecided;
  double worst_distance = 0;     // largest over the uninformed chains; infinite when s = 0
  int worst_chain = 0;           // which of them
  double informed_distance = 0;  // largest of an informed chain to the others; 0 when it is alone
  double least_effective_sample_size = 0;  // smallest over all chains; 0 when unset
  int least_effective_chain = 0;           // which of them
};

// Compares one observable in one window. Undecided when a chain has fewer than
// `min_effective_sample_size` effective samples, with one exception: once the informed chains have
// enough, a chain without is a disagreement if it is surely too far,
// |m_c - m| - 2 SE > tolerance * s, as a chain still on its way is.
//
// When the informed chains hold one value throughout, chains that hold the same agree and chains
// that hold another disagree. A chain that departs from it now and then (an error rate that is
// almost always zero) is measured by s^2 = d^2 / n, the variance they would have with a single
// excursion in their n effective samples, d being its largest departure.
//
// REQUIRES: neither group is empty.
Comparison Compare(absl::Span<const ChainWindow> informed, absl::Span<const ChainWindow> uninformed,
                   double tolerance, double min_effective_sample_size);

// First sweep of the window (sweep/2, sweep].
std::int64_t FirstSweepOfWindow(std::int64_t sweep);

struct Verdict {
  ThermalizationState state = ThermalizationState::kNotApplicable;
  // First sweep of the window at which the unbroken run of agreement began; unset without one.
  std::optional<std::int64_t> agreeing_since;
};

// Sweep count from which on the windows are disjoint from that of any evaluation whose window began
// at `agreeing_since`: agreement until then is thermalization.
std::int64_t ConfirmingSweep(std::int64_t agreeing_since);

// The verdict at `sweep`, given the outcome there and agreeing_since of the evaluation before.
// `final`: sampling ends here, what has not thermalized by now has failed to.
Verdict Judge(Agreement agreement, std::optional<std::int64_t> agreeing_since, std::int64_t sweep,
              bool final);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_THERMALIZATION_H_
