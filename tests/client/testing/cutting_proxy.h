// A network that fails: hands a TCP connection on and breaks it after a number of bytes.
#ifndef POSTERIORD_TESTS_CLIENT_TESTING_CUTTING_PROXY_H_
#define POSTERIORD_TESTS_CLIENT_TESTING_CUTTING_PROXY_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace posteriord::testing {

// Listens on a free port and hands every connection on to a port of this machine. Connection i is
// reset after `limits[i]` bytes from the server; further ones live on.
class CuttingProxy {
 public:
  CuttingProxy(int server_port, std::vector<std::int64_t> limits);
  ~CuttingProxy();

  std::string address() const;
  // Connections broken so far.
  int cuts() const { return cuts_; }

 private:
  void Run();
  // Serves one connection to its end. False when stopped.
  bool Serve(int client, std::int64_t limit);

  const int server_port_;
  const std::vector<std::int64_t> limits_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};  // a pipe that becomes readable at the end
  int port_ = 0;
  std::atomic<int> cuts_{0};
  std::thread thread_;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CLIENT_TESTING_CUTTING_PROXY_H_
