#include "server/jobs/stop_policy.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/sampling/schedule.h"
#include "server/convert/stop_rules.h"

namespace posteriord::server {
namespace {

// 1234567 as "1,234,567".
std::string Grouped(std::int64_t number) {
  std::string digits = absl::StrCat(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

// The worst value of a statistic over the monitored observables, and whose it is.
struct Extreme {
  double value = 0;
  std::string name;
};

// Empty when nothing is monitored, or a monitored observable has no value.
template <typename Statistic, typename IsWorse>
std::optional<Extreme> Worst(const core::Diagnostics& diagnostics,
                             const core::DiagnosticsInput& input, Statistic statistic,
                             IsWorse is_worse) {
  std::optional<Extreme> worst;
  for (std::size_t i = 0; i < diagnostics.observables.size(); ++i) {
    if (!input.monitored[i]) continue;
    const std::optional<double> value = statistic(diagnostics.observables[i]);
    if (!value.has_value() || std::isnan(*value)) return std::nullopt;
    if (!worst.has_value() || is_worse(*value, worst->value)) worst = {*value, input.names[i]};
  }
  return worst;
}

}  // namespace

StopPolicy::StopPolicy(const v1::JobSpec& spec) {
  if (!spec.has_stop()) return;
  const v1::StopRules& rules = spec.stop();
  const v1::Schedule& schedule = spec.schedule();
  decides_at_evaluations_ = HasDiagnosticRules(rules);
  // A wall time that is the only rule is not tied to evaluations.
  all_ = rules.combination() == v1::StopRules::COMBINATION_ALL && decides_at_evaluations_;
  first_deciding_sweep_ = schedule.warmup_sweeps() + rules.min_draws() * schedule.thinning();
  if (rules.has_wall_time()) wall_time_ = ToMicroseconds(rules.wall_time());
  thermalized_ = rules.thermalized();
  if (rules.has_rhat_below()) rhat_below_ = rules.rhat_below();
  min_effective_sample_size_ = spec.thermalization().min_effective_sample_size();
  if (rules.has_ess_above()) ess_above_ = rules.ess_above();
}

std::int64_t StopPolicy::NextDecidingSweep(std::int64_t next,
                                           const core::ScheduleSpec& schedule) const {
  if (next >= first_deciding_sweep_) return next;
  return core::NextLogarithmicPoint(first_deciding_sweep_ - 1, schedule.total_sweeps());
}

std::string StopPolicy::ReasonToStop(const core::Diagnostics& diagnostics,
                                     const core::DiagnosticsInput& input,
                                     bool wall_time_spent) const {
  if (!decides_at_evaluations_ || diagnostics.sweep < first_deciding_sweep_) return "";
  std::vector<std::string> met;
  std::size_t rules = 0;
  if (thermalized_) {
    ++rules;
    if (diagnostics.state == core::ThermalizationState::kThermalized) {
      met.push_back(absl::StrCat("thermalized since sweep ", Grouped(*diagnostics.agreeing_since),
                                 ", as stop.thermalized asks"));
    }
  }
  if (rhat_below_.has_value()) {
    ++rules;
    const std::optional<Extreme> largest = Worst(
        diagnostics, input,
        [this](const core::ObservableDiagnostics& observable) {
          const bool resolved =
              observable.min_chain_effective_sample_size.value_or(0) >= min_effective_sample_size_;
          return resolved ? observable.split_rhat : std::nullopt;
        },
        std::greater<>());
    if (largest.has_value() && largest->value < *rhat_below_) {
      met.push_back(absl::StrFormat("largest split R-hat %.6g (%s), below stop.rhat_below of %g",
                                    largest->value, largest->name, *rhat_below_));
    }
  }
  if (ess_above_.has_value()) {
    ++rules;
    const std::optional<Extreme> smallest = Worst(
        diagnostics, input, [](const auto& observable) { return observable.effective_sample_size; },
        std::less<>());
    if (smallest.has_value() && smallest->value > *ess_above_) {
      met.push_back(
          absl::StrFormat("smallest effective sample size %.6g (%s), above stop.ess_above of %g",
                          smallest->value, smallest->name, *ess_above_));
    }
  }
  if (all_ && wall_time_.has_value()) {
    ++rules;
    if (wall_time_spent) met.push_back(WallTimeClause());
  }
  if (met.empty() || (all_ && met.size() < rules)) return "";
  std::string sentence =
      absl::StrCat(absl::StrJoin(met, "; "), ", at sweep ", Grouped(diagnostics.sweep), ".");
  sentence[0] = absl::ascii_toupper(static_cast<unsigned char>(sentence[0]));
  return sentence;
}

std::optional<std::int64_t> StopPolicy::WallTimeEnd(std::int64_t start_time_us) const {
  if (!wall_time_.has_value()) return std::nullopt;
  return start_time_us + wall_time_->count();
}

std::string StopPolicy::WallTimeReason() const {
  std::string sentence = absl::StrCat(WallTimeClause(), ".");
  sentence[0] = 'T';
  return sentence;
}

std::string StopPolicy::WallTimeClause() const {
  return absl::StrFormat("the wall time of %.15g s is spent",
                         std::chrono::duration<double>(*wall_time_).count());
}

}  // namespace posteriord::server
