// The numbers traced along a chain.
//
//   train_error, test_error    of the present draw's noise-free forward pass (plug-in), against the
//                              training labels and the test targets: mean squared error over
//                              samples and outputs, or error rate
//   predictive_test_error      of the chain's posterior predictive so far: plug-in predictions
//                              averaged over its draws after warm-up
//   log_posterior              log density of the posterior (core/posterior/log_posterior.h)
//   <layer>.residual           mean square of the layer's noise over its variance; 1 at
//                              equilibrium; not for the classical posterior
//   <layer>.noise_variance, <layer>.weight_precision, <layer>.bias_precision
//                              what is learned of them
//   <layer>.weight_norm        Euclidean norm of the weights
//   <layer>.unit_norm_min, <layer>.unit_norm_median, <layer>.unit_norm_max
//                              of the norms of the weights into each hidden unit, which do not
//                              change when units swap places
//   <layer>.score              mean entry of noise variance * d log_posterior / d weights; 0 at
//                              equilibrium. Noise variance: that of the layer, of the output for
//                              the classical posterior (the temperature with a softmax)
//   probe<i>.output<j>         noise-free output j at probe input i
//   sampler.<...>              of gradient samplers (core/sampling/step_tally.h)
//   population.member          of chains that start as a population (core/sampling/population.h):
//                              whose state the point is
#ifndef POSTERIORD_CORE_SAMPLING_OBSERVABLES_H_
#define POSTERIORD_CORE_SAMPLING_OBSERVABLES_H_

#include <vector>

#include "core/model/model.h"
#include "core/posterior/log_posterior.h"
#include "core/sampling/problem.h"
#include "core/sampling/training_set.h"

namespace posteriord::core {

// Test samples and probes in the precision of the chains.
template <typename T>
struct TestSet {
  Latent<T> inputs;  // zero samples when nothing is held out
  Eigen::MatrixXd targets;
  Latent<T> probes;
};

// A chain's posterior predictive on the test samples.
struct PredictiveTally {
  Eigen::MatrixXd sum;  // samples x outputs
  std::int64_t draws = 0;
};

// Plug-in outputs of the network for all samples.
template <typename T>
Matrix<T> PredictAll(const Model<T>& model, const std::vector<Matrix<T>>& parameters,
                     const Latent<T>& inputs);

// Error (Likelihood::Error) of the plug-in outputs for all samples. REQUIRES: there are some.
template <typename T>
double PlugInError(const Model<T>& model, const std::vector<Matrix<T>>& parameters,
                   const Latent<T>& inputs, const Eigen::MatrixXd& targets);

// Values in the order of ListObservables.
template <typename T>
std::vector<double> MeasureObservables(const Model<T>& model, const TrainingSet<T>& training,
                                       const TestSet<T>& test, const PredictiveTally& tally,
                                       const State<T>& state, LogPosterior<T>& posterior);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_OBSERVABLES_H_
