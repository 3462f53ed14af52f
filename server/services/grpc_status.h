// Statuses as gRPC sends them.
#ifndef POSTERIORD_SERVER_SERVICES_GRPC_STATUS_H_
#define POSTERIORD_SERVER_SERVICES_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "server/convert/status.h"

namespace posteriord::server {

// Code, message, and a serialized google.rpc.Status with the details.
inline grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status message = ToProto(status);
  return grpc::Status(static_cast<grpc::StatusCode>(message.code()), message.message(),
                      message.SerializeAsString());
}

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_GRPC_STATUS_H_
