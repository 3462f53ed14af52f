#include "core/diagnostics/thermalization.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace posteriord::core {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double SquaredStandardError(const ChainWindow& chain) {
  return chain.effective_sample_size ? chain.variance / *chain.effective_sample_size : kInfinity;
}

// The unit of distance: s, or its substitute when the informed chains do not move.
double Spread(const PooledChains& informed, const ChainWindow& chain) {
  if (informed.variance > 0) return std::sqrt(informed.variance);
  if (chain.variance == 0) return 0;
  const double departure =
      std::max(std::abs(chain.least - informed.mean), std::abs(chain.greatest - informed.mean));
  return departure / std::sqrt(informed.effective_sample_size);
}

double Distance(double difference, double standard_error, double spread) {
  const double bound = difference + 2 * standard_error;
  if (bound == 0) return 0;
  return spread > 0 ? bound / spread : kInfinity;
}

// Largest distance of one of `chains` to the others. The difference to the mean of the k - 1 others
// is k / (k - 1) times that to the mean of all.
double DistanceAmong(absl::Span<const ChainWindow> chains, const PooledChains& pooled) {
  if (chains.size() < 2) return 0;
  const auto k = static_cast<double>(chains.size());
  double largest = 0;
  for (const ChainWindow& chain : chains) {
    const double own = SquaredStandardError(chain);
    const double others =
        std::max(0.0, k * k * pooled.squared_standard_error - own) / ((k - 1) * (k - 1));
    largest = std::max(largest, Distance(std::abs(chain.mean - pooled.mean) * k / (k - 1),
                                         std::sqrt(own + others), std::sqrt(pooled.variance)));
  }
  return largest;
}

}  // namespace

PooledChains Pool(absl::Span<const ChainWindow> chains) {
  assert(!chains.empty());
  const auto k = static_cast<double>(chains.size());
  PooledChains pooled;
  for (const ChainWindow& chain : chains) {
    pooled.mean += (chain.mean - chains[0].mean) / k;  // exact when all means are equal
    pooled.variance += chain.variance / k;
    pooled.squared_standard_error += SquaredStandardError(chain) / (k * k);
    pooled.effective_sample_size += chain.effective_sample_size.value_or(0);
  }
  pooled.mean += chains[0].mean;
  return pooled;
}

Comparison Compare(absl::Span<const ChainWindow> informed, absl::Span<const ChainWindow> uninformed,
                   double tolerance, double min_effective_sample_size) {
  assert(!informed.empty() && !uninformed.empty());
  Comparison result;
  result.least_effective_sample_size = kInfinity;
  for (const absl::Span<const ChainWindow> group : {informed, uninformed}) {
    for (const ChainWindow& chain : group) {
      const double samples = chain.effective_sample_size.value_or(0);
      if (samples >= result.least_effective_sample_size) continue;
      result.least_effective_sample_size = samples;
      result.least_effective_chain = chain.chain;
    }
  }
  const auto resolved = [&](const ChainWindow& chain) {
    return chain.effective_sample_size.value_or(0) >= min_effective_sample_size;
  };

  const PooledChains reference = Pool(informed);
  const bool reference_resolved = std::all_of(informed.begin(), informed.end(), resolved);
  result.informed_distance = DistanceAmong(informed, reference);
  bool disagreement = result.informed_distance > tolerance;
  result.worst_distance = -1;
  for (const ChainWindow& chain : uninformed) {
    const double difference = std::abs(chain.mean - reference.mean);
    const double standard_error =
        std::sqrt(SquaredStandardError(chain) + reference.squared_standard_error);
    const double spread = Spread(reference, chain);
    const double distance = Distance(difference, standard_error, spread);
    if (distance > result.worst_distance) {
      result.worst_distance = distance;
      result.worst_chain = chain.chain;
    }
    disagreement |= resolved(chain) ? distance > tolerance
                                    : difference - 2 * standard_error > tolerance * spread;
  }

  if (reference_resolved && disagreement) {
    result.agreement = Agreement::kDisagreement;
  } else if (result.least_effective_sample_size >= min_effective_sample_size) {
    result.agreement = Agreement::kAgreement;
  }
  return result;
}

std::int64_t FirstSweepOfWindow(std::int64_t sweep) { return sweep / 2 + 1; }

// A window that begins at s is that of sweep 2s - 2 or 2s - 1; the first one to begin after the
// latter is that of 2 (2s - 1).
std::int64_t ConfirmingSweep(std::int64_t agreeing_since) { return 4 * agreeing_since - 2; }

Verdict Judge(Agreement agreement, std::optional<std::int64_t> agreeing_since, std::int64_t sweep,
              bool final) {
  Verdict verdict;
  if (agreement == Agreement::kAgreement) {
    verdict.agreeing_since = agreeing_since.value_or(FirstSweepOfWindow(sweep));
  }
  if (verdict.agreeing_since && sweep >= ConfirmingSweep(*verdict.agreeing_since)) {
    verdict.state = ThermalizationState::kThermalized;
  } else if (final) {
    verdict.state = ThermalizationState::kNotThermalized;
  } else if (agreement == Agreement::kUndecided) {
    verdict.state = ThermalizationState::kTooEarly;
  } else {
    verdict.state = ThermalizationState::kNotYet;
  }
  return verdict;
}

}  // namespace posteriord::core
