#include "core/random/piecewise_linear.h"

#include "core/random/simd_array.h"
#include "core/random/simd_random.h"

namespace posteriord::core {
namespace {

using simd::D;
using simd::V;
namespace hn = simd::hn;

// A number of each piece, selected by the piece that z lies in.
class Selection {
 public:
  Selection(const PiecewiseLinear& s, double PiecewiseLinear::Piece::*member)
      : size_(s.size()), first_(s.piece(0).*member) {
    for (std::size_t i = 1; i < size_; ++i) {
      knots_[i - 1] = s.knot(i - 1);
      above_[i - 1] = s.piece(i).*member;
    }
  }

  HWY_INLINE V At(V z) const {
    const D d;
    V selected = hn::Set(d, first_);
    for (std::size_t i = 0; i + 1 < size_; ++i) {
      const simd::M above = hn::Ge(z, hn::Set(d, knots_[i]));
      selected = hn::IfThenElse(above, hn::Set(d, above_[i]), selected);
    }
    return selected;
  }

 private:
  static constexpr std::size_t kMaxKnots = PiecewiseLinear::kMaxPieces - 1;
  std::size_t size_;
  double first_;
  double knots_[kMaxKnots] = {};
  double above_[kMaxKnots] = {};
};

}  // namespace

template <typename T>
void Evaluate(const PiecewiseLinear& activation, absl::Span<const T> z, absl::Span<T> out) {
  const Selection slope(activation, &PiecewiseLinear::Piece::slope);
  const Selection offset(activation, &PiecewiseLinear::Piece::offset);
  simd::ForEachVector(
      out,
      [&](std::size_t, std::size_t, V at) {
        return hn::Add(hn::Mul(slope.At(at), at), offset.At(at));
      },
      z);
}

template <typename T>
void EvaluateSlope(const PiecewiseLinear& activation, absl::Span<const T> z, absl::Span<T> out) {
  const Selection slope(activation, &PiecewiseLinear::Piece::slope);
  simd::ForEachVector(
      out, [&](std::size_t, std::size_t, V at) { return slope.At(at); }, z);
}

template void Evaluate<float>(const PiecewiseLinear&, absl::Span<const float>, absl::Span<float>);
template void Evaluate<double>(const PiecewiseLinear&, absl::Span<const double>,
                               absl::Span<double>);
template void EvaluateSlope<float>(const PiecewiseLinear&, absl::Span<const float>,
                                   absl::Span<float>);
template void EvaluateSlope<double>(const PiecewiseLinear&, absl::Span<const double>,
                                    absl::Span<double>);

}  // namespace posteriord::core
