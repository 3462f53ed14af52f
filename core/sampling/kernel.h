// A Markov kernel on the states of a network: what a chain does in one sweep.
#ifndef POSTERIORD_CORE_SAMPLING_KERNEL_H_
#define POSTERIORD_CORE_SAMPLING_KERNEL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/kernels/transition.h"
#include "core/model/model.h"
#include "core/random/sweep_address.h"
#include "core/sampling/training_set.h"
#include "core/spec.h"

namespace posteriord::core {

// One chain's. A sweep is a function of the state, of what Save() gives and of its address, bit for
// bit. One thread at a time.
template <typename T>
class Kernel {
 public:
  virtual ~Kernel() = default;

  // Before the first sweep, unless restored. Errors: when the kernel cannot begin at this state.
  virtual absl::Status Start(const State<T>& /*state*/) { return absl::OkStatus(); }

  // One sweep, in place. Polls keep_going between its blocks; false once it said so, and then
  // `state` is of no use.
  virtual bool Sweep(const SweepAddress& address, const std::function<bool()>& keep_going,
                     State<T>& state) = 0;

  // Facts of the last sweep, of gradient samplers.
  virtual std::optional<StepInfo> last_step() const { return std::nullopt; }

  // What a kernel keeps from sweep to sweep besides the state, always as many bytes.
  virtual std::size_t SavedSize() const { return 0; }
  virtual std::string Save() const { return {}; }
  // Errors: DATA_LOSS when the bytes do not fit; the kernel is then as it was.
  virtual absl::Status Restore(std::string_view /*saved*/) { return absl::OkStatus(); }
};

// REQUIRES: the spec's sampler can sample the network. Model and data must outlive the kernel.
template <typename T>
std::unique_ptr<Kernel<T>> MakeKernel(const Spec& spec, const Model<T>& model,
                                      const TrainingSet<T>& data);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_KERNEL_H_
