#include "core/random/draw_before_smooth.h"

#include <algorithm>
#include <cmath>

#include "core/random/simd_array.h"
#include "core/random/simd_random.h"
#include "core/random/simd_smooth.h"

namespace posteriord::core {
namespace {

using simd::D;
using simd::kLanes;
using simd::M;
using simd::V;
namespace hn = simd::hn;
using D64 = hn::RebindToSigned<D>;
using V64 = hn::Vec<D64>;

// Transitions on their way.
struct Slices {
  V mean;
  V output;
  V current;
  V level;
  // What is left of the interval.
  V low;
  V high;
};

struct Proposal {
  V value;
  M accepted;
};

template <typename Smooth>
class SliceSampler {
 public:
  SliceSampler(double scale, double variance, double output_variance)
      : scale_(scale), variance_(variance), output_variance_(output_variance) {}

  HWY_INLINE Slices Start(V mean, V output, V current, V u) const {
    const D d;
    Slices slices{mean, output, current, {}, {}, {}};
    slices.level = hn::Sub(Energy(mean, output, current), hn::Log(d, u));
    const simd::Bounds bounds = Bracket(slices);
    // Rounding must not leave the current value outside.
    slices.low = hn::Min(bounds.low, current);
    slices.high = hn::Max(bounds.high, current);
    return slices;
  }

  // Shrinks the intervals of those that fail.
  HWY_INLINE Proposal Propose(Slices& slices, V u) const {
    const V width = hn::Sub(slices.high, slices.low);
    const V value = hn::MulAdd(u, width, slices.low);
    const V energy = Energy(slices.mean, slices.output, value);
    const M below = hn::Lt(value, slices.current);
    slices.low = hn::IfThenElse(below, value, slices.low);
    slices.high = hn::IfThenElse(below, slices.high, value);
    return {value, hn::Le(energy, slices.level)};
  }

 private:
  HWY_INLINE V Energy(V mean, V output, V z) const {
    const D d;
    const V from_mean = hn::Sub(z, mean);
    const V from_output = hn::NegMulAdd(hn::Set(d, scale_), Smooth::Value(z), output);
    return hn::MulAdd(
        hn::Mul(from_mean, from_mean), hn::Set(d, 0.5 / variance_),
        hn::Mul(hn::Mul(from_output, from_output), hn::Set(d, 0.5 / output_variance_)));
  }

  // An interval, dependent on the level alone, that contains the slice.
  HWY_INLINE simd::Bounds Bracket(const Slices& slices) const {
    const D d;
    const V zero = hn::Zero(d);
    const double size = std::abs(scale_);
    // Turned around so that the scale is positive.
    const V target = hn::Mul(slices.output, hn::Set(d, std::copysign(1.0, scale_)));
    // What the output term is at least: the target may lie outside of what s takes.
    V outside = hn::Max(zero, hn::Sub(hn::Set(d, size * Smooth::kLowest), target));
    if constexpr (std::isfinite(Smooth::kHighest)) {
      outside = hn::Max(outside, hn::Sub(target, hn::Set(d, size * Smooth::kHighest)));
    }
    const V least = hn::Mul(hn::Mul(outside, outside), hn::Set(d, 0.5 / output_variance_));
    // A hair more, for rounding.
    const V level = hn::Mul(slices.level, hn::Set(d, 1 + 1e-14));
    const V room = hn::Max(hn::Sub(level, least), zero);
    const V radius = hn::Sqrt(hn::Mul(room, hn::Set(d, 2 * variance_)));
    simd::Bounds bounds{hn::Sub(slices.mean, radius), hn::Add(slices.mean, radius)};
    if (size > 0) {
      const V slack = hn::Sqrt(hn::Mul(level, hn::Set(d, 2 * output_variance_)));
      const V hair = hn::Mul(hn::Set(d, 1e-14), hn::Abs(target));
      const V low = hn::Div(hn::Sub(hn::Sub(target, slack), hair), hn::Set(d, size));
      const V high = hn::Div(hn::Add(hn::Add(target, slack), hair), hn::Set(d, size));
      const simd::Bounds other = Smooth::Bracket(low, high);
      bounds.low = hn::Max(bounds.low, other.low);
      bounds.high = hn::Min(bounds.high, other.high);
    }
    return bounds;
  }

  double scale_;
  double variance_;
  double output_variance_;
};

// Transitions whose first proposal failed, to be carried on a whole vector at a time.
class Unfinished {
 public:
  static constexpr std::size_t kVectors = 8;

  Unfinished(const simd::Uniforms& uniforms, std::uint64_t total_entries)
      : uniforms_(uniforms), total_entries_(static_cast<std::int64_t>(total_entries)) {}

  bool empty() const { return size_ == 0; }
  // Whether there may be no room for another vector.
  bool full() const { return size_ > (kVectors - 1) * kLanes; }

  // Adds the lanes of `mask`; lane 0 is entry `first` of the output, and `first_element` addresses
  // its last proposal.
  HWY_INLINE void Add(const Slices& slices, M mask, std::size_t first,
                      std::uint64_t first_element) {
    const D64 d64;
    Store(slices, hn::Iota(d64, static_cast<std::int64_t>(first)),
          hn::Iota(d64, static_cast<std::int64_t>(first_element)), mask);
  }

  // One more proposal for each. Returns how many these were.
  template <typename Smooth, typename T>
  std::int64_t Propose(const SliceSampler<Smooth>& sampler, absl::Span<T> out) {
    const D d;
    const D64 d64;
    const auto waiting = static_cast<std::int64_t>(size_);
    // Elements above this one address the last proposals.
    const V64 before_last = hn::Set(d64, (kMaxSliceProposals - 1) * total_entries_ - 1);
    alignas(64) double values[kLanes];
    const std::size_t size = size_;
    size_ = 0;  // those that fail again move up
    for (std::size_t i = 0; i < size; i += kLanes) {
      Slices slices{hn::LoadU(d, mean_ + i),  hn::LoadU(d, output_ + i), hn::LoadU(d, current_ + i),
                    hn::LoadU(d, level_ + i), hn::LoadU(d, low_ + i),    hn::LoadU(d, high_ + i)};
      const V64 entries = hn::LoadU(d64, entry_ + i);
      const V64 elements = hn::Add(hn::LoadU(d64, element_ + i), hn::Set(d64, total_entries_));
      const simd::UniformPair u = uniforms_.AtElements(hn::BitCast(simd::D64(), elements));
      const Proposal proposal = sampler.Propose(slices, u.second);
      const M present = hn::FirstN(d, size - i);
      hn::Store(proposal.value, d, values);
      alignas(64) std::int64_t where[kLanes];
      hn::Store(entries, d64, where);
      alignas(64) double accepted[kLanes];
      hn::Store(hn::IfThenElseZero(hn::And(proposal.accepted, present), hn::Set(d, 1.0)), d,
                accepted);
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        if (accepted[lane] != 0) {
          out[static_cast<std::size_t>(where[lane])] = static_cast<T>(values[lane]);
        }
      }
      const M spent = hn::RebindMask(d, hn::Gt(elements, before_last));
      Store(slices, entries, elements, hn::AndNot(hn::Or(proposal.accepted, spent), present));
    }
    return waiting;
  }

 private:
  static constexpr std::size_t kCapacity = kVectors * kLanes;

  HWY_INLINE void Store(const Slices& slices, V64 entries, V64 elements, M mask) {
    const D d;
    const D64 d64;
    hn::CompressStore(slices.mean, mask, d, mean_ + size_);
    hn::CompressStore(slices.output, mask, d, output_ + size_);
    hn::CompressStore(slices.current, mask, d, current_ + size_);
    hn::CompressStore(slices.level, mask, d, level_ + size_);
    hn::CompressStore(slices.low, mask, d, low_ + size_);
    hn::CompressStore(slices.high, mask, d, high_ + size_);
    hn::CompressStore(entries, hn::RebindMask(d64, mask), d64, entry_ + size_);
    hn::CompressStore(elements, hn::RebindMask(d64, mask), d64, element_ + size_);
    size_ += hn::CountTrue(d, mask);
  }

  const simd::Uniforms& uniforms_;
  const std::int64_t total_entries_;
  std::size_t size_ = 0;
  double mean_[kCapacity] = {};
  double output_[kCapacity] = {};
  double current_[kCapacity] = {};
  double level_[kCapacity] = {};
  double low_[kCapacity] = {};
  double high_[kCapacity] = {};
  std::int64_t entry_[kCapacity] = {};    // where in the output
  std::int64_t element_[kCapacity] = {};  // of the last proposal
};

}  // namespace

template <typename T>
std::int64_t DrawBeforeSmooth(const SmoothActivation& activation, double variance,
                              double output_variance, const RandomBlock& random,
                              std::uint64_t first_entry, std::uint64_t total_entries,
                              absl::Span<const T> mean, absl::Span<const T> output,
                              absl::Span<T> out) {
  const simd::Uniforms uniforms(random);
  Unfinished unfinished(uniforms, total_entries);
  auto proposals = static_cast<std::int64_t>(out.size());
  simd::WithSmooth(activation.kind, [&]<typename Smooth>(Smooth) {
    const SliceSampler<Smooth> sampler(activation.scale, variance, output_variance);
    simd::ForEachVector(
        out,
        [&](std::size_t i, std::size_t count, V m, V x, V current) {
          const simd::UniformPair u = uniforms.At(first_entry + i);
          Slices slices = sampler.Start(m, x, current, u.first);
          const Proposal proposal = sampler.Propose(slices, u.second);
          const M failed = hn::AndNot(proposal.accepted, hn::FirstN(D(), count));
          if (!hn::AllFalse(D(), failed)) {
            while (unfinished.full()) proposals += unfinished.Propose(sampler, out);
            unfinished.Add(slices, failed, i, first_entry + i);
          }
          return hn::IfThenElse(proposal.accepted, proposal.value, current);
        },
        mean, output, absl::Span<const T>(out));
    while (!unfinished.empty()) proposals += unfinished.Propose(sampler, out);
  });
  return proposals;
}

template std::int64_t DrawBeforeSmooth<float>(const SmoothActivation&, double, double,
                                              const RandomBlock&, std::uint64_t, std::uint64_t,
                                              absl::Span<const float>, absl::Span<const float>,
                                              absl::Span<float>);
template std::int64_t DrawBeforeSmooth<double>(const SmoothActivation&, double, double,
                                               const RandomBlock&, std::uint64_t, std::uint64_t,
                                               absl::Span<const double>, absl::Span<const double>,
                                               absl::Span<double>);

}  // namespace posteriord::core
