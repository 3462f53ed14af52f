// The part of a log posterior that all posteriors share. Internal to core/posterior.
#ifndef POSTERIORD_CORE_POSTERIOR_PRIOR_TERMS_H_
#define POSTERIORD_CORE_POSTERIOR_PRIOR_TERMS_H_

#include <cmath>
#include <numbers>

#include "core/posterior/log_posterior.h"
#include "core/random/gamma.h"

namespace posteriord::core {

// Sets the terms to those of the prior alone.
template <typename T>
void SetPriorTerms(const Model<T>& model, const State<T>& state, PosteriorTerms<T>& terms) {
  const auto depth = static_cast<std::size_t>(model.depth());
  terms.log_density = 0;
  terms.squared_residuals.assign(depth, 0);
  terms.parameter_gradient.resize(depth);
  for (int i = 0; i < model.depth(); ++i) {
    const Matrix<T>& parameters = state.parameters[i];
    ForEachLearnedScale(
        model.network().layers[i], [&](const LearnableScale& scale, const GammaSpec& prior) {
          terms.log_density += LogGammaDensity(prior, scale.precision(state.scales[i]));
        });
    terms.log_density += LogPrior(model.layer(i).Squares(parameters), state.scales[i]);
    terms.parameter_gradient[i].setZero(parameters.rows(), parameters.cols());
    model.layer(i).AddPriorGradient(parameters, state.scales[i], terms.parameter_gradient[i]);
  }
}

// log N of `count` numbers of squared distance `squares` to their means.
inline double LogNormal(double squares, double count, double variance) {
  return -0.5 * (squares / variance + count * std::log(2 * std::numbers::pi * variance));
}

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_POSTERIOR_PRIOR_TERMS_H_
