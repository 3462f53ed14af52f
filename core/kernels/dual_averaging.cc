#include "core/kernels/dual_averaging.h"

#include <algorithm>
#include <cmath>

namespace posteriord::core {
namespace {

constexpr double kT0 = 10;
constexpr double kGamma = 0.05;
constexpr double kKappa = 0.75;
// Where nothing limits the step size, as for a flat density, it must stay a number.
constexpr double kMaxLog = 230;

}  // namespace

void DualAveraging::Restart(double step_size) { state_ = {.pull = std::log(10 * step_size)}; }

double DualAveraging::Learn(double acceptance) {
  const double t = ++state_.steps;
  const double rate = 1 / (t + kT0);
  state_.mean_error = (1 - rate) * state_.mean_error + rate * (target_ - acceptance);
  const double log_step_size =
      std::clamp(state_.pull - std::sqrt(t) / kGamma * state_.mean_error, -kMaxLog, kMaxLog);
  const double weight = std::pow(t, -kKappa);
  state_.mean_log = weight * log_step_size + (1 - weight) * state_.mean_log;
  return std::exp(log_step_size);
}

double DualAveraging::Result() const { return std::exp(state_.mean_log); }

}  // namespace posteriord::core
