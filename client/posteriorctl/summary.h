// A job for a person to read.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_SUMMARY_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_SUMMARY_H_

#include <string>

#include "absl/time/time.h"
#include "posteriord/v1/job.pb.h"

namespace posteriord::client {

// What was asked, how it went, what the diagnostics say of every observable, and the commands that
// get at the draws. `command` is how posteriorctl was called, with what it takes to reach the same
// server.
std::string Summary(const v1::Job& job, const std::string& command, absl::TimeZone zone);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_SUMMARY_H_
