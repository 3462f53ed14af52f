// The messages of StreamDraws, read from the store at a cursor.
#ifndef POSTERIORD_SERVER_SERVICES_DRAW_SOURCE_H_
#define POSTERIORD_SERVER_SERVICES_DRAW_SOURCE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "posteriord/v1/job.pb.h"
#include "posteriord/v1/job_service.pb.h"
#include "server/services/stream_source.h"
#include "server/store/job_store.h"

namespace posteriord::server {

// `job` is the job as accepted, with its parameter layout; `id` its id in the store. Holds at most
// one stored record and one message in memory. Errors: INVALID_ARGUMENT naming the field.
// REQUIRES: the store outlives the source.
absl::StatusOr<std::unique_ptr<StreamSource<v1::StreamDrawsResponse>>> MakeDrawSource(
    JobStore& store, std::string id, const v1::Job& job, const v1::StreamDrawsRequest& request);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_DRAW_SOURCE_H_
