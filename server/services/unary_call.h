// Unary calls answered on the I/O executor.
#ifndef POSTERIORD_SERVER_SERVICES_UNARY_CALL_H_
#define POSTERIORD_SERVER_SERVICES_UNARY_CALL_H_

#include <grpcpp/support/server_callback.h>

#include <utility>

#include "absl/status/statusor.h"
#include "server/base/io_executor.h"
#include "server/services/grpc_status.h"

namespace posteriord::server {

// Answers the call with what `handle()` returns, an absl::StatusOr<Response>, run on the executor.
// `handle` may refer to the request, which lives until the call is finished.
template <typename Response, typename Handle>
grpc::ServerUnaryReactor* RunUnary(grpc::CallbackServerContext* context, IoExecutor& executor,
                                   Response* response, Handle handle) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  executor.Post([reactor, response, handle = std::move(handle)] {
    absl::StatusOr<Response> result = handle();
    if (result.ok()) *response = *std::move(result);
    reactor->Finish(ToGrpc(result.status()));
  });
  return reactor;
}

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_UNARY_CALL_H_
