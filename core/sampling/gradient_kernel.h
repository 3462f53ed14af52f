// HMC, MALA and NUTS on the posterior of a network.
#ifndef POSTERIORD_CORE_SAMPLING_GRADIENT_KERNEL_H_
#define POSTERIORD_CORE_SAMPLING_GRADIENT_KERNEL_H_

#include <optional>
#include <string>
#include <string_view>

#include "core/kernels/gradient_sampler.h"
#include "core/posterior/position_layout.h"
#include "core/sampling/kernel.h"

namespace posteriord::core {

template <typename T>
class GradientKernel final : public Kernel<T> {
 public:
  GradientKernel(const GradientSamplerSpec& spec, std::int64_t warmup_sweeps, const Model<T>& model,
                 const TrainingSet<T>& data);

  absl::Status Start(const State<T>& state) override;
  // After an interruption `state` is as it was.
  bool Sweep(const SweepAddress& address, const std::function<bool()>& keep_going,
             State<T>& state) override;
  std::optional<StepInfo> last_step() const override { return info_; }
  std::size_t SavedSize() const override { return sampler_.SavedSize(); }
  std::string Save() const override { return sampler_.Save(); }
  absl::Status Restore(std::string_view saved) override { return sampler_.Restore(saved); }

 private:
  const PositionLayout<T> layout_;
  GradientSampler sampler_;
  StepInfo info_;
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_GRADIENT_KERNEL_H_
