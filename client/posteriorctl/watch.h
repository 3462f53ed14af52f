// Following a job until it ends.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_WATCH_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_WATCH_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/posteriorctl/session.h"
#include "posteriord/v1/job.pb.h"

namespace posteriord::client {

// Shows the job's progress on `err` until it ends, as bars on a terminal, else as a line every few
// seconds; returns the ended job. With --output json, also prints every snapshot as a line of JSON.
// Errors: CANCELLED when interrupted; else as JobWatch.
absl::StatusOr<v1::Job> WatchUntilEnd(Session& session, const std::string& name);

// Says that the job goes on although the watch of it was interrupted, and how to watch or stop it.
void NoteThatJobGoesOn(Session& session, const std::string& name);

// How a watched job ended, as an exit code.
ExitCode Outcome(const v1::Job& job);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_WATCH_H_
