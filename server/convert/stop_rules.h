// The stop rules of a job spec: checks and defaults. See job_spec.h, whose steps this is a part of.
#ifndef POSTERIORD_SERVER_CONVERT_STOP_RULES_H_
#define POSTERIORD_SERVER_CONVERT_STOP_RULES_H_

#include <chrono>

#include "google/protobuf/duration.pb.h"
#include "posteriord/v1/job.pb.h"
#include "server/convert/field_checker.h"

namespace posteriord::server {

// Completes the stop rules of a spec whose chain groups, schedule and observation are complete.
// REQUIRES: spec.has_stop().
void CompleteStopRules(v1::JobSpec& spec, FieldChecker& checker);

// Whether any of the rules is decided by the diagnostics.
bool HasDiagnosticRules(const v1::StopRules& rules);

// A complete StopRules.wall_time.
std::chrono::microseconds ToMicroseconds(const google::protobuf::Duration& duration);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_STOP_RULES_H_
