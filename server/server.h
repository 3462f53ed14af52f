// The daemon as an object: everything between the command line and the services.
#ifndef POSTERIORD_SERVER_SERVER_H_
#define POSTERIORD_SERVER_SERVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/data/dataset_limits.h"

namespace posteriord::server {

struct ServerOptions {
  std::string listen = "127.0.0.1:7741";  // host:port; port 0 takes a free one
  std::string data_dir;                   // made if missing; locked by one server
  int threads = 1;                        // that sample
  std::int64_t memory_limit_bytes = 0;    // of all running jobs together
  std::chrono::milliseconds slice{200};   // of a chain's turn on a thread
  std::size_t max_streams = 1024;         // open at once
  DatasetLimits dataset_limits;
};

// Serves from Start() until Shutdown() or destruction.
class Server {
 public:
  // Opens the data directory, takes up unfinished jobs and listens. Errors: those of the stores;
  // UNAVAILABLE when the address cannot be listened on; FAILED_PRECONDITION when the machine lacks
  // the build's instruction set.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options);

  virtual ~Server() = default;

  // "host:port" with the port that is listened on.
  virtual const std::string& address() const = 0;
  virtual int port() const = 0;

  // Tells health checks NOT_SERVING, stops sampling at the next sweep and stores a checkpoint of
  // every chain, ends streams with UNAVAILABLE and waits for calls, cancelling those that are not
  // done after `patience`. Once.
  virtual void Shutdown(std::chrono::milliseconds patience) = 0;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVER_H_
