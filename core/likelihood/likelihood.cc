#include "core/likelihood/likelihood.h"

#include "core/likelihood/gaussian.h"
#include "core/likelihood/probit.h"
#include "core/likelihood/softmax.h"

namespace posteriord::core {

template <typename T>
std::unique_ptr<const Likelihood<T>> MakeLikelihood(const NetworkSpec& network) {
  switch (network.likelihood) {
    case LikelihoodKind::kProbit:
      return std::make_unique<ProbitLikelihood<T>>();
    case LikelihoodKind::kSoftmax:
      return std::make_unique<SoftmaxLikelihood<T>>(network.temperature);
    case LikelihoodKind::kGaussian:
      break;
  }
  return std::make_unique<GaussianLikelihood<T>>();
}

template std::unique_ptr<const Likelihood<float>> MakeLikelihood<float>(const NetworkSpec&);
template std::unique_ptr<const Likelihood<double>> MakeLikelihood<double>(const NetworkSpec&);

}  // namespace posteriord::core
