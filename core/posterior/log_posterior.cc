#include "core/posterior/log_posterior.h"

#include "core/posterior/classical.h"
#include "core/posterior/intermediate_noise.h"

namespace posteriord::core {

template <typename T>
std::unique_ptr<LogPosterior<T>> MakeLogPosterior(const Model<T>& model,
                                                  const TrainingSet<T>& data) {
  if (model.has_latents()) return std::make_unique<IntermediateNoisePosterior<T>>(model, data);
  return std::make_unique<ClassicalPosterior<T>>(model, data);
}

template std::unique_ptr<LogPosterior<float>> MakeLogPosterior(const Model<float>&,
                                                               const TrainingSet<float>&);
template std::unique_ptr<LogPosterior<double>> MakeLogPosterior(const Model<double>&,
                                                                const TrainingSet<double>&);

}  // namespace posteriord::core
