// Activations made of at most three linear pieces: ReLU, leaky ReLU, absolute value, sign, hard
// tanh, and the identity.
#ifndef POSTERIORD_CORE_RANDOM_PIECEWISE_LINEAR_H_
#define POSTERIORD_CORE_RANDOM_PIECEWISE_LINEAR_H_

#include <array>
#include <cstddef>
#include <limits>

#include "absl/types/span.h"

namespace posteriord::core {

// s(z) = slope z + offset, with the slope and offset of the piece that z lies in. The pieces are
// separated by knots and need not meet there; a knot belongs to the piece above it. Slopes and
// offsets are any real numbers below 1e140 in magnitude. A small value, cheap to copy.
class PiecewiseLinear {
 public:
  static constexpr std::size_t kMaxPieces = 3;

  struct Piece {
    double slope = 0;
    double offset = 0;

    // Value of the line through the piece, inside and outside of it.
    constexpr double At(double z) const { return slope * z + offset; }
  };

  static constexpr PiecewiseLinear Linear() { return PiecewiseLinear({1, 0}); }
  static constexpr PiecewiseLinear Relu() { return LeakyRelu(0); }
  static constexpr PiecewiseLinear LeakyRelu(double negative_slope) {
    return {{negative_slope, 0}, 0, {1, 0}};
  }
  static constexpr PiecewiseLinear Absolute() { return {{-1, 0}, 0, {1, 0}}; }
  // Sign() is 1 at 0.
  static constexpr PiecewiseLinear Sign() { return {{0, -1}, 0, {0, 1}}; }
  static constexpr PiecewiseLinear HardTanh() { return {{0, -1}, -1, {1, 0}, 1, {0, 1}}; }

  constexpr explicit PiecewiseLinear(Piece only)
      : size_(1), pieces_{only, only, only}, knots_{kNone, kNone} {}
  constexpr PiecewiseLinear(Piece below, double knot, Piece above)
      : size_(2), pieces_{below, above, above}, knots_{knot, kNone} {}
  // REQUIRES: lower_knot < upper_knot.
  constexpr PiecewiseLinear(Piece below, double lower_knot, Piece between, double upper_knot,
                            Piece above)
      : size_(3), pieces_{below, between, above}, knots_{lower_knot, upper_knot} {}

  // z -> factor * s(z).
  constexpr PiecewiseLinear Scaled(double factor) const {
    PiecewiseLinear scaled = *this;
    for (Piece& piece : scaled.pieces_) {
      piece = {factor * piece.slope, factor * piece.offset};
    }
    return scaled;
  }

  // Number of pieces; they are numbered from below.
  constexpr std::size_t size() const { return size_; }
  constexpr const Piece& piece(std::size_t i) const { return pieces_[i]; }
  // Between the pieces i and i + 1. REQUIRES: i + 1 < size().
  constexpr double knot(std::size_t i) const { return knots_[i]; }

  // s(z) and s'(z).
  constexpr double operator()(double z) const { return piece(PieceAt(z)).At(z); }
  constexpr double Slope(double z) const { return piece(PieceAt(z)).slope; }
  // The number of the piece that z lies in.
  constexpr std::size_t PieceAt(double z) const {
    std::size_t i = 0;
    while (i + 1 < size_ && z >= knots_[i]) ++i;
    return i;
  }

 private:
  // What stands for a knot that the activation does not have: nothing lies above it.
  static constexpr double kNone = std::numeric_limits<double>::infinity();

  std::size_t size_;
  // The last piece is repeated up to kMaxPieces.
  std::array<Piece, kMaxPieces> pieces_;
  std::array<double, kMaxPieces - 1> knots_;
};

// out[i] = s(z[i]) and out[i] = s'(z[i]), by vectors in double precision. `out` may be `z`.
// Instantiated for float and double.
template <typename T>
void Evaluate(const PiecewiseLinear& activation, absl::Span<const T> z, absl::Span<T> out);
template <typename T>
void EvaluateSlope(const PiecewiseLinear& activation, absl::Span<const T> z, absl::Span<T> out);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_RANDOM_PIECEWISE_LINEAR_H_
