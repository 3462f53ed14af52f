#include "core/posterior/log_posterior.h"

#include "core/posterior/classical.h"
#include "core/posterior/intermediate_noise.h"

namespace posteriord::core {

template <typename T>
int FreeLatents(const Model<T>& model) {
  if (!model.has_latents()) return 0;
  return model.depth() - (model.likelihood().latent_is_observed() ? 1 : 0);
}

template <typename T>
std::unique_ptr<LogPosterior<T>> MakeLogPosterior(const Model<T>& model,
                                                  const TrainingSet<T>& data) {
  if (model.has_latents()) return std::make_unique<IntermediateNoisePosterior<T>>(model, data);
  return std::make_unique<ClassicalPosterior<T>>(model, data);
}

#define POSTERIORD_INSTANTIATE(T)                                                \
  template int FreeLatents<T>(const Model<T>&);                                  \
  template std::unique_ptr<LogPosterior<T>> MakeLogPosterior<T>(const Model<T>&, \
                                                                const TrainingSet<T>&)
POSTERIORD_INSTANTIATE(float);
POSTERIORD_INSTANTIATE(double);
#undef POSTERIORD_INSTANTIATE

}  // namespace posteriord::core
