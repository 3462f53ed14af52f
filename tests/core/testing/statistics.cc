#include "tests/core/testing/statistics.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <cstdlib>

#include "absl/base/config.h"

namespace posteriord::testing {

int SampleCount(int full) {
  static const int effort = [] {
    const char* text = std::getenv("POSTERIORD_TEST_EFFORT");
    return text == nullptr ? 1 : std::clamp(std::atoi(text), 1, 1000);
  }();
#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
  return effort * (full / 16);
#else
  return effort * full;
#endif
}

double NormalBound(int comparisons) {
  return boost::math::quantile(boost::math::complement(
      boost::math::normal(), kFalseAlarm / (2 * static_cast<double>(comparisons))));
}

double ChiSquaredPValue(double statistic, double degrees) {
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared(degrees), statistic));
}

double ZScore(const Mean& mean, double expectation) {
  return (mean.mean() - expectation) / mean.standard_error();
}

double ZScore(const Mean& a, const Mean& b) {
  return (a.mean() - b.mean()) / std::hypot(a.standard_error(), b.standard_error());
}

void UniformityTest::Add(double value) {
  ++total_;
  if (!(value >= 0 && value <= 1)) {
    ++outside_;
    return;
  }
  ++counts_[std::min(static_cast<int>(value * kCells), kCells - 1)];
}

double UniformityTest::KolmogorovPValue() const {
  if (outside_ > 0) return 0;
  const auto n = static_cast<double>(total_);
  double largest = 0;
  std::int64_t below = 0;
  for (int cell = 0; cell < kCells; ++cell) {
    below += counts_[cell];
    const double edge = static_cast<double>(cell + 1) / kCells;
    largest = std::max(largest, std::abs(static_cast<double>(below) / n - edge));
  }
  // Asymptotic distribution with Stephens' correction for finite n.
  const double lambda = (std::sqrt(n) + 0.12 + 0.11 / std::sqrt(n)) * largest;
  if (lambda < 0.2) return 1;
  double p = 0;
  for (int j = 1; j <= 100; ++j) {
    p += (j % 2 == 1 ? 2 : -2) * std::exp(-2 * lambda * lambda * j * j);
  }
  return std::clamp(p, 0.0, 1.0);
}

double UniformityTest::ChiSquaredPValue() const {
  if (outside_ > 0) return 0;
  constexpr int kGroups = 64;
  const double expected = static_cast<double>(total_) / kGroups;
  double statistic = 0;
  for (int group = 0; group < kGroups; ++group) {
    double count = 0;
    for (int i = 0; i < kCells / kGroups; ++i) {
      count += static_cast<double>(counts_[group * (kCells / kGroups) + i]);
    }
    statistic += (count - expected) * (count - expected) / expected;
  }
  return testing::ChiSquaredPValue(statistic, kGroups - 1);
}

double UniformityTest::PValue() const {
  return std::min(1.0, 2 * std::min(KolmogorovPValue(), ChiSquaredPValue()));
}

}  // namespace posteriord::testing
