// Adaptation of a step size to a target acceptance: Nesterov's dual averaging, as Hoffman and
// Gelman (JMLR 15, 2014, section 3.2) apply it to the logarithm x of the step size. After step t
// with acceptance a_t,
//   s_t = (1 - 1/(t + t0)) s_{t-1} + (target - a_t)/(t + t0)
//   x_t = mu - sqrt(t)/gamma s_t
//   mean x_t = t^-kappa x_t + (1 - t^-kappa) mean x_{t-1}
// with t0 = 10, gamma = 0.05, kappa = 0.75, mu = log(10 initial step size).
#ifndef POSTERIORD_CORE_KERNELS_DUAL_AVERAGING_H_
#define POSTERIORD_CORE_KERNELS_DUAL_AVERAGING_H_

namespace posteriord::core {

// A plain value.
class DualAveraging {
 public:
  struct State {
    double steps = 0;
    double mean_error = 0;  // s
    double mean_log = 0;    // mean x
    double pull = 0;        // mu
  };

  explicit DualAveraging(double target) : target_(target) {}

  // Forgets everything and starts from `step_size`.
  void Restart(double step_size);

  // Takes in the acceptance of a step and returns the step size of the next.
  double Learn(double acceptance);

  // The step size to keep. REQUIRES: Learn was called since Restart.
  double Result() const;

  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  const double target_;
  State state_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_KERNELS_DUAL_AVERAGING_H_
