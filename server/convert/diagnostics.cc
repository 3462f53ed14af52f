#include "server/convert/diagnostics.h"

#include <optional>

namespace posteriord::server {
namespace {

v1::ThermalizationState ToProto(core::ThermalizationState state) {
  switch (state) {
    case core::ThermalizationState::kNotApplicable:
      return v1::THERMALIZATION_STATE_NOT_APPLICABLE;
    case core::ThermalizationState::kTooEarly:
      return v1::THERMALIZATION_STATE_TOO_EARLY;
    case core::ThermalizationState::kNotYet:
      return v1::THERMALIZATION_STATE_NOT_YET;
    case core::ThermalizationState::kThermalized:
      return v1::THERMALIZATION_STATE_THERMALIZED;
    case core::ThermalizationState::kNotThermalized:
      return v1::THERMALIZATION_STATE_NOT_THERMALIZED;
  }
  return v1::THERMALIZATION_STATE_UNSPECIFIED;
}

core::ThermalizationState FromProto(v1::ThermalizationState state) {
  switch (state) {
    case v1::THERMALIZATION_STATE_TOO_EARLY:
      return core::ThermalizationState::kTooEarly;
    case v1::THERMALIZATION_STATE_NOT_YET:
      return core::ThermalizationState::kNotYet;
    case v1::THERMALIZATION_STATE_THERMALIZED:
      return core::ThermalizationState::kThermalized;
    case v1::THERMALIZATION_STATE_NOT_THERMALIZED:
      return core::ThermalizationState::kNotThermalized;
    default:
      return core::ThermalizationState::kNotApplicable;
  }
}

// A run of agreement begins at sweep 1 at the earliest, so 0 stands for none.
std::optional<std::int64_t> AgreeingSince(std::int64_t thermalized_since_sweep) {
  if (thermalized_since_sweep == 0) return std::nullopt;
  return thermalized_since_sweep;
}

v1::ObservableDiagnostics ToProto(const core::ObservableDiagnostics& diagnostics) {
  v1::ObservableDiagnostics message;
  message.set_state(ToProto(diagnostics.state));
  message.set_thermalized_since_sweep(diagnostics.agreeing_since.value_or(0));
  message.set_informed_mean(diagnostics.informed_mean);
  message.set_informed_standard_deviation(diagnostics.informed_standard_deviation);
  if (diagnostics.uninformed_mean.has_value()) {
    message.set_uninformed_mean(*diagnostics.uninformed_mean);
  }
  if (diagnostics.worst_distance.has_value()) {
    message.set_worst_distance(*diagnostics.worst_distance);
  }
  if (diagnostics.split_rhat.has_value()) message.set_split_rhat(*diagnostics.split_rhat);
  if (diagnostics.effective_sample_size.has_value()) {
    message.set_effective_sample_size(*diagnostics.effective_sample_size);
  }
  if (diagnostics.min_chain_effective_sample_size.has_value()) {
    message.set_min_chain_effective_sample_size(*diagnostics.min_chain_effective_sample_size);
  }
  return message;
}

}  // namespace

v1::Diagnostics ToProto(const core::Diagnostics& diagnostics,
                        const std::vector<core::ObservableInfo>& observables) {
  v1::Diagnostics message;
  message.set_sweep(diagnostics.sweep);
  message.set_state(ToProto(diagnostics.state));
  message.set_thermalized_since_sweep(diagnostics.agreeing_since.value_or(0));
  for (std::size_t i = 0; i < observables.size(); ++i) {
    v1::ObservableDiagnostics& observable = *message.add_observables();
    observable = ToProto(diagnostics.observables[i]);
    observable.set_name(observables[i].name);
  }
  message.set_explanation(diagnostics.explanation);
  return message;
}

core::Diagnostics FromProto(const v1::Diagnostics& message) {
  core::Diagnostics diagnostics;
  diagnostics.sweep = message.sweep();
  diagnostics.state = FromProto(message.state());
  diagnostics.agreeing_since = AgreeingSince(message.thermalized_since_sweep());
  for (const v1::ObservableDiagnostics& each : message.observables()) {
    core::ObservableDiagnostics observable;
    observable.state = FromProto(each.state());
    observable.agreeing_since = AgreeingSince(each.thermalized_since_sweep());
    diagnostics.observables.push_back(std::move(observable));
  }
  diagnostics.explanation = message.explanation();
  return diagnostics;
}

}  // namespace posteriord::server
