// A server in the test's own process.
#ifndef POSTERIORD_TESTS_E2E_TESTING_LOCAL_SERVER_H_
#define POSTERIORD_TESTS_E2E_TESTING_LOCAL_SERVER_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>

#include "server/server.h"
#include "tests/e2e/testing/api.h"
#include "tests/testing/status.h"
#include "tests/testing/temporary_directory.h"

namespace posteriord::testing {

class LocalServer {
 public:
  explicit LocalServer(server::ServerOptions options = {}) : options_(std::move(options)) {
    options_.listen = "127.0.0.1:0";
    options_.data_dir = directory_ / "data";
    if (options_.memory_limit_bytes == 0) options_.memory_limit_bytes = std::int64_t{1} << 30;
    Start();
  }
  ~LocalServer() {
    if (server_ != nullptr) Stop();
  }

  void Start() {
    auto server = server::Server::Start(options_);
    ASSERT_OK(server);
    server_ = *std::move(server);
    api_ = std::make_unique<Api>(server_->address());
  }
  void Stop() {
    server_->Shutdown(std::chrono::seconds(5));
    server_.reset();
  }

  Api& api() { return *api_; }
  server::Server& server() { return *server_; }
  const server::ServerOptions& options() const { return options_; }

 private:
  const TemporaryDirectory directory_;
  server::ServerOptions options_;
  std::unique_ptr<server::Server> server_;
  std::unique_ptr<Api> api_;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_E2E_TESTING_LOCAL_SERVER_H_
