#include "core/sampling/gradient_kernel.h"

#include <memory>

#include "core/posterior/network_density.h"

namespace posteriord::core {

template <typename T>
GradientKernel<T>::GradientKernel(const GradientSamplerSpec& spec, std::int64_t warmup_sweeps,
                                  const Model<T>& model, const TrainingSet<T>& data)
    : layout_(model, data.inputs.samples()),
      sampler_(std::make_unique<NetworkDensity<T>>(model, data), spec, warmup_sweeps) {}

template <typename T>
absl::Status GradientKernel<T>::Start(const State<T>& state) {
  Eigen::VectorXd position;
  layout_.Pack(state, position);
  return sampler_.Start(position, [] { return true; });
}

template <typename T>
bool GradientKernel<T>::Sweep(const SweepAddress& address, const std::function<bool()>& keep_going,
                              State<T>& state) {
  if (!sampler_.Step(address, keep_going, info_)) return false;
  layout_.Unpack(sampler_.position(), state);
  return true;
}

template class GradientKernel<float>;
template class GradientKernel<double>;

}  // namespace posteriord::core
