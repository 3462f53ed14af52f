#include "server/convert/stop_rules.h"

#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "server/convert/job_spec.h"

namespace posteriord::server {
namespace {

constexpr std::int64_t kMaxWallSeconds = 10LL * 365 * 24 * 3600;
constexpr std::chrono::microseconds kMinWallTime = std::chrono::milliseconds(1);
constexpr std::int32_t kNanosPerSecond = 1'000'000'000;

void CheckWallTime(const google::protobuf::Duration& duration, FieldChecker& checker) {
  const std::int64_t seconds = duration.seconds();
  const std::int32_t nanos = duration.nanos();
  if (seconds < 0 || nanos < 0 || nanos >= kNanosPerSecond) {
    checker.Add("stop.wall_time",
                absl::StrCat("must be positive, with nanos below ", kNanosPerSecond, ", not ",
                             seconds, " s and ", nanos, " ns"));
  } else if (seconds > kMaxWallSeconds || (seconds == kMaxWallSeconds && nanos > 0) ||
             ToMicroseconds(duration) < kMinWallTime) {
    checker.Add("stop.wall_time",
                absl::StrCat("must be from 0.001 s to ", kMaxWallSeconds, " s, not ",
                             static_cast<double>(seconds) + 1e-9 * nanos, " s"));
  }
}

void CheckEffectiveSampleSize(const v1::JobSpec& spec, FieldChecker& checker) {
  std::int64_t chains = 0;
  for (const v1::ChainGroup& group : spec.chain_groups()) chains += group.chains();
  const std::int64_t points = chains * (spec.observation().max_points() / 2);
  const double size = spec.stop().ess_above();
  if (!(size >= 1 && std::isfinite(size))) {
    checker.Add("stop.ess_above", absl::StrCat("must be at least 1 and finite, not ", size));
  } else if (size > static_cast<double>(points)) {
    checker.Add("stop.ess_above", absl::StrCat("must be at most ", points, ", not ", size,
                                               ": the windows of ", chains,
                                               " chains hold no more points together; raise "
                                               "observation.max_points"));
  }
}

}  // namespace

void CompleteStopRules(v1::JobSpec& spec, FieldChecker& checker) {
  v1::StopRules& rules = *spec.mutable_stop();
  checker.CheckEnum("stop.combination", rules.combination(), v1::StopRules_Combination_IsValid);
  if (rules.combination() == v1::StopRules::COMBINATION_UNSPECIFIED) {
    rules.set_combination(v1::StopRules::COMBINATION_ANY);
  }
  if (!rules.has_wall_time() && !HasDiagnosticRules(rules)) {
    checker.Add("stop", "must have a rule: wall_time, thermalized, rhat_below or ess_above");
  }
  if (rules.has_wall_time()) CheckWallTime(rules.wall_time(), checker);
  if (rules.thermalized() && !ComparesChains(spec)) {
    checker.Add("stop.thermalized",
                "needs informed chains and others in chain_groups: thermalization is their "
                "agreement; rhat_below compares any chains");
  }
  if (rules.has_rhat_below() && !(rules.rhat_below() > 1 && std::isfinite(rules.rhat_below()))) {
    checker.Add("stop.rhat_below",
                absl::StrCat("must be above 1 and finite, not ", rules.rhat_below()));
  }
  if (rules.has_ess_above()) CheckEffectiveSampleSize(spec, checker);
  if (rules.min_draws() == 0) rules.set_min_draws(1);
  const std::int64_t draws = spec.schedule().draws();
  if (draws >= 1) checker.CheckRange("stop.min_draws", rules.min_draws(), 1, draws);
}

bool HasDiagnosticRules(const v1::StopRules& rules) {
  return rules.thermalized() || rules.has_rhat_below() || rules.has_ess_above();
}

std::chrono::microseconds ToMicroseconds(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) +
         std::chrono::microseconds(duration.nanos() / 1000);
}

}  // namespace posteriord::server
