#include "core/sampling/kernel.h"

#include <variant>

#include "core/sampling/gibbs.h"
#include "core/sampling/gradient_kernel.h"

namespace posteriord::core {

template <typename T>
std::unique_ptr<Kernel<T>> MakeKernel(const Spec& spec, const Model<T>& model,
                                      const TrainingSet<T>& data) {
  if (const auto* gradient = std::get_if<GradientSamplerSpec>(&spec.sampler)) {
    return std::make_unique<GradientKernel<T>>(*gradient, spec.schedule.warmup_sweeps, model, data);
  }
  return std::make_unique<GibbsSampler<T>>(model, data, std::get<GibbsSpec>(spec.sampler));
}

#define POSTERIORD_INSTANTIATE(T)                                                 \
  template std::unique_ptr<Kernel<T>> MakeKernel<T>(const Spec&, const Model<T>&, \
                                                    const TrainingSet<T>&)
POSTERIORD_INSTANTIATE(float);
POSTERIORD_INSTANTIATE(double);
#undef POSTERIORD_INSTANTIATE

}  // namespace posteriord::core
