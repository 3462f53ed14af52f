// Statistical tests for tests. Every bound comes from the Monte Carlo error: a check of a correct
// sampler fails with probability kFalseAlarm at most, and then only when its numbers change, since
// seeds are fixed.
#ifndef POSTERIORD_TESTS_CORE_TESTING_STATISTICS_H_
#define POSTERIORD_TESTS_CORE_TESTING_STATISTICS_H_

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace posteriord::testing {

inline constexpr double kFalseAlarm = 1e-6;

// How many samples to draw: `full`, times the environment variable POSTERIORD_TEST_EFFORT if it is
// set (a whole number, see scripts/validate.sh), or a sixteenth of it where a sanitizer slows
// everything down. Bounds follow the number of samples, so only power changes.
int SampleCount(int full);

// |z| that the largest of `comparisons` standard normals exceeds with probability kFalseAlarm at
// most, whatever their dependence (Bonferroni).
double NormalBound(int comparisons = 1);

// P(chi^2 with `degrees` degrees of freedom >= statistic).
double ChiSquaredPValue(double statistic, double degrees);

// Mean and standard error of independent values.
class Mean {
 public:
  void Add(double value) {
    ++count_;
    const double d = value - mean_;
    mean_ += d / static_cast<double>(count_);
    squares_ += d * (value - mean_);
  }

  std::int64_t count() const { return count_; }
  double mean() const { return mean_; }
  double variance() const { return squares_ / static_cast<double>(count_ - 1); }
  double standard_error() const { return std::sqrt(variance() / static_cast<double>(count_)); }

 private:
  std::int64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

// Distance in standard errors, from a known expectation and of two independent means.
double ZScore(const Mean& mean, double expectation);
double ZScore(const Mean& a, const Mean& b);

// Are values uniform on (0, 1)? Feed it F(x) for draws x to test them against the distribution F.
class UniformityTest {
 public:
  void Add(double value);

  // Kolmogorov-Smirnov, with the empirical distribution taken at the edges of 4096 cells.
  double KolmogorovPValue() const;
  // Chi-squared on 64 equal cells.
  double ChiSquaredPValue() const;
  // Twice the smaller of both, at most 1.
  double PValue() const;

 private:
  static constexpr int kCells = 4096;
  std::array<std::int64_t, kCells> counts_{};
  std::int64_t total_ = 0;
  std::int64_t outside_ = 0;  // not in [0, 1], or not a number: p value 0
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_TESTING_STATISTICS_H_
