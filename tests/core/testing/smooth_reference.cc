#include "tests/core/testing/smooth_reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace posteriord::testing {
namespace {

constexpr int kCells = 1 << 14;

long double Energy(const SmoothReference::Inputs& in, long double z) {
  const long double from_mean = z - in.mean;
  const long double from_output = in.output - SmoothValue(in.activation, z);
  return from_mean * from_mean / (2 * in.variance) +
         from_output * from_output / (2 * in.output_variance);
}

}  // namespace

long double SmoothValue(const core::SmoothActivation& activation, long double z) {
  switch (activation.kind) {
    case core::SmoothKind::kTanh:
      return activation.scale * std::tanh(z);
    case core::SmoothKind::kErf:
      return activation.scale * std::erf(z);
    case core::SmoothKind::kGelu:
      return activation.scale * z * std::erfc(-z / std::numbers::sqrt2_v<long double>) / 2;
  }
  return 0;
}

long double SmoothSlope(const core::SmoothActivation& activation, long double z) {
  switch (activation.kind) {
    case core::SmoothKind::kTanh:
      return activation.scale / (std::cosh(z) * std::cosh(z));
    case core::SmoothKind::kErf:
      return activation.scale * 2 * std::numbers::inv_sqrtpi_v<long double> * std::exp(-z * z);
    case core::SmoothKind::kGelu:
      return activation.scale *
             (std::erfc(-z / std::numbers::sqrt2_v<long double>) / 2 +
              z * std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi_v<long double>));
  }
  return 0;
}

SmoothReference::SmoothReference(const Inputs& in) {
  // Narrow the range down, from where the prior term alone is as unlikely as the prior mean.
  const long double radius = std::sqrt(2 * in.variance * (Energy(in, in.mean) + 50));
  long double low = in.mean - radius;
  long double high = in.mean + radius;
  long double least = std::numeric_limits<long double>::infinity();
  std::vector<long double> energies(kCells + 1);
  for (int pass = 0; pass < 3; ++pass) {
    const long double step = (high - low) / kCells;
    for (int i = 0; i <= kCells; ++i) {
      energies[i] = Energy(in, low + i * step);
      least = std::min(least, energies[i]);
    }
    int first = 0;
    int last = kCells;
    while (energies[first] > least + 50) ++first;
    while (energies[last] > least + 50) --last;
    high = low + std::min(last + 1, kCells) * step;
    low += std::max(first - 1, 0) * step;
  }
  begin_ = static_cast<double>(low);
  cell_ = static_cast<double>((high - low) / kCells);
  const auto density = [&](long double z) { return std::exp(least - Energy(in, z)); };
  long double sum = 0;
  long double before = density(begin_);
  std::vector<long double> sums = {0};
  for (int i = 0; i < kCells; ++i) {
    const long double z = begin_ + static_cast<long double>(i) * cell_;
    const long double after = density(z + cell_);
    sum += before + 4 * density(z + cell_ / 2) + after;
    before = after;
    sums.push_back(sum);
  }
  for (const long double part : sums) cdf_.push_back(static_cast<double>(part / sum));
}

double SmoothReference::Cdf(double z) const {
  const double at = std::clamp((z - begin_) / cell_, 0.0, static_cast<double>(kCells));
  const auto cell = std::min(static_cast<std::size_t>(at), cdf_.size() - 2);
  return std::lerp(cdf_[cell], cdf_[cell + 1], at - static_cast<double>(cell));
}

double SmoothReference::Quantile(double p) const {
  const auto above = std::upper_bound(cdf_.begin(), cdf_.end(), p);
  const auto cell = std::clamp<std::ptrdiff_t>(above - cdf_.begin(), 1, kCells) - 1;
  const auto i = static_cast<std::size_t>(cell);
  return begin_ + cell_ * (static_cast<double>(cell) + (p - cdf_[i]) / (cdf_[i + 1] - cdf_[i]));
}

}  // namespace posteriord::testing
