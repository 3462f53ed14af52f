// The messages of WatchJob: the job as it is, again after every change.
#ifndef POSTERIORD_SERVER_SERVICES_WATCH_SOURCE_H_
#define POSTERIORD_SERVER_SERVICES_WATCH_SOURCE_H_

#include <chrono>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "posteriord/v1/job_service.pb.h"
#include "server/services/stream_source.h"

namespace posteriord::server {

// `snapshot` gives the job as it is now. A changed job is sent at most every min_interval_ms of the
// request; changes in between share one message. The final state is sent at once and ends the
// stream. Errors: INVALID_ARGUMENT naming the field.
absl::StatusOr<std::unique_ptr<StreamSource<v1::WatchJobResponse>>> MakeWatchSource(
    std::function<absl::StatusOr<v1::Job>()> snapshot, const v1::WatchJobRequest& request,
    std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_WATCH_SOURCE_H_
