// Densities to sample from, and exact draws from them.
#ifndef POSTERIORD_TESTS_CORE_KERNELS_TARGETS_H_
#define POSTERIORD_TESTS_CORE_KERNELS_TARGETS_H_

#include <Eigen/Core>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <utility>

#include "core/kernels/log_density.h"

namespace posteriord::testing {

inline const core::KeepGoing kAlways = [] { return true; };

// Returns the log density and sets the gradient, which has its size.
using DensityFunction = std::function<double(const Eigen::VectorXd&, Eigen::VectorXd&)>;

class FunctionDensity : public core::LogDensity {
 public:
  FunctionDensity(Eigen::Index dimension, DensityFunction function)
      : dimension_(dimension), function_(std::move(function)) {}

  Eigen::Index dimension() const override { return dimension_; }
  bool Evaluate(const Eigen::VectorXd& position, const core::KeepGoing& /*keep_going*/,
                double& value, Eigen::VectorXd& gradient) override {
    value = function_(position, gradient);
    return true;
  }

 private:
  const Eigen::Index dimension_;
  const DensityFunction function_;
};

// A density with exact draws.
struct Target {
  Eigen::Index dimension;
  DensityFunction density;
  std::function<Eigen::VectorXd(std::mt19937_64&)> draw;

  std::unique_ptr<core::LogDensity> Make() const {
    return std::make_unique<FunctionDensity>(dimension, density);
  }
};

inline double DrawLogistic(std::mt19937_64& random) {
  const double u = (static_cast<double>(random() >> 12) + 0.5) * 0x1p-52;
  return std::log(u) - std::log1p(-u);
}

// Curved and of mixed shapes: x0 ~ N(0, 1), x1 ~ N((x0^2 - 1)/2, 0.7^2), x2 ~ logistic around x1/2.
inline Target CurvedTarget() {
  return {3,
          [](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
            const double r1 = (x[1] - 0.5 * (x[0] * x[0] - 1)) / 0.49;
            const double r2 = x[2] - 0.5 * x[1];
            const double slope = -std::tanh(r2 / 2);  // of the logistic log density
            gradient << -x[0] + r1 * x[0], -r1 - 0.5 * slope, slope;
            const double a = std::abs(r2);
            return -0.5 * x[0] * x[0] - 0.5 * 0.49 * r1 * r1 - a - 2 * std::log1p(std::exp(-a));
          },
          [](std::mt19937_64& random) {
            std::normal_distribution<double> normal;
            Eigen::VectorXd x(3);
            x[0] = normal(random);
            x[1] = 0.5 * (x[0] * x[0] - 1) + 0.7 * normal(random);
            x[2] = 0.5 * x[1] + DrawLogistic(random);
            return x;
          }};
}

// With a wall: x0 ~ Exp(1), zero density for x0 <= 0, x1 ~ N(0, 1), x2 ~ N(x0, 1).
inline Target WalledTarget() {
  return {3,
          [](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
            if (!(x[0] > 0)) return -std::numeric_limits<double>::infinity();
            const double r = x[2] - x[0];
            gradient << -1 + r, -x[1], -r;
            return -x[0] - 0.5 * x[1] * x[1] - 0.5 * r * r;
          },
          [](std::mt19937_64& random) {
            std::normal_distribution<double> normal;
            Eigen::VectorXd x(3);
            x[0] = std::exponential_distribution<double>()(random);
            x[1] = normal(random);
            x[2] = x[0] + normal(random);
            return x;
          }};
}

// x_i = scale_i z_i with z a stationary AR(1) sequence of correlation `rho` and variance 1.
inline Target AutoregressiveGaussian(const Eigen::VectorXd& scales, double rho) {
  const Eigen::Index d = scales.size();
  return {d,
          [scales, rho, d](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
            const double innovation = 1 - rho * rho;
            double value = 0;
            double before = 0;
            gradient.setZero();
            for (Eigen::Index i = 0; i < d; ++i) {
              const double z = x[i] / scales[i];
              const double variance = i == 0 ? 1 : innovation;
              const double r = i == 0 ? z : z - rho * before;
              value -= 0.5 * r * r / variance;
              gradient[i] -= r / variance / scales[i];
              if (i > 0) gradient[i - 1] += rho * r / variance / scales[i - 1];
              before = z;
            }
            return value;
          },
          [scales, rho, d](std::mt19937_64& random) {
            std::normal_distribution<double> normal;
            Eigen::VectorXd z(d);
            for (Eigen::Index i = 0; i < d; ++i) {
              z[i] = i == 0 ? normal(random)
                            : rho * z[i - 1] + std::sqrt(1 - rho * rho) * normal(random);
            }
            return Eigen::VectorXd(z.cwiseProduct(scales));
          }};
}

// d values from `first` to `last`, evenly on a logarithmic scale.
inline Eigen::VectorXd LogSpaced(Eigen::Index d, double first, double last) {
  return Eigen::VectorXd::LinSpaced(d, std::log(first), std::log(last)).array().exp();
}

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_KERNELS_TARGETS_H_
