#include "core/likelihood/likelihood.h"

#include "core/likelihood/gaussian.h"
#include "core/likelihood/probit.h"

namespace posteriord::core {

template <typename T>
std::unique_ptr<const Likelihood<T>> MakeLikelihood(LikelihoodKind kind) {
  if (kind == LikelihoodKind::kProbit) return std::make_unique<ProbitLikelihood<T>>();
  return std::make_unique<GaussianLikelihood<T>>();
}

template std::unique_ptr<const Likelihood<float>> MakeLikelihood<float>(LikelihoodKind);
template std::unique_ptr<const Likelihood<double>> MakeLikelihood<double>(LikelihoodKind);

}  // namespace posteriord::core
