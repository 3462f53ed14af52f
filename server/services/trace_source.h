// The messages of StreamTrace, read from the store at a cursor.
#ifndef POSTERIORD_SERVER_SERVICES_TRACE_SOURCE_H_
#define POSTERIORD_SERVER_SERVICES_TRACE_SOURCE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "posteriord/v1/job.pb.h"
#include "posteriord/v1/job_service.pb.h"
#include "server/services/stream_source.h"
#include "server/store/job_store.h"

namespace posteriord::server {

// `job` is the job as accepted, with its observables; `id` its id in the store. Errors:
// INVALID_ARGUMENT naming the field. REQUIRES: the store outlives the source.
absl::StatusOr<std::unique_ptr<StreamSource<v1::StreamTraceResponse>>> MakeTraceSource(
    JobStore& store, std::string id, const v1::Job& job, const v1::StreamTraceRequest& request);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_TRACE_SOURCE_H_
