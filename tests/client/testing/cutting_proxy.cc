#include "tests/client/testing/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace posteriord::testing {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// Closes as a broken network does: the peer sees a reset.
void Reset(int descriptor) {
  const linger hard = {1, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  close(descriptor);
}

bool SendAll(int to, const char* data, ssize_t size) {
  while (size > 0) {
    const ssize_t sent = send(to, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= sent;
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(int server_port, std::vector<std::int64_t> limits)
    : server_port_(server_port), limits_(std::move(limits)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 16) != 0 || pipe(stop_) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

CuttingProxy::~CuttingProxy() {
  close(stop_[1]);
  thread_.join();
  close(stop_[0]);
  close(listener_);
}

std::string CuttingProxy::address() const { return absl::StrCat("127.0.0.1:", port_); }

void CuttingProxy::Run() {
  for (std::size_t i = 0;; ++i) {
    std::array<pollfd, 2> polls = {{{listener_, POLLIN, 0}, {stop_[0], POLLIN, 0}}};
    poll(polls.data(), polls.size(), -1);
    if (polls[1].revents != 0) return;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const std::int64_t limit =
        i < limits_.size() ? limits_[i] : std::numeric_limits<std::int64_t>::max();
    if (!Serve(client, limit)) return;
  }
}

bool CuttingProxy::Serve(int client, std::int64_t limit) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(server_port_);
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  bool stopped = false;
  std::array<char, 4096> buffer;
  while (open) {
    std::array<pollfd, 3> polls = {
        {{client, POLLIN, 0}, {server, POLLIN, 0}, {stop_[0], POLLIN, 0}}};
    poll(polls.data(), polls.size(), -1);
    stopped = polls[2].revents != 0;
    if (stopped) break;
    if (polls[0].revents != 0) {
      const ssize_t got = recv(client, buffer.data(), buffer.size(), 0);
      open = got > 0 && SendAll(server, buffer.data(), got);
    }
    if (open && polls[1].revents != 0) {
      const ssize_t got =
          recv(server, buffer.data(),
               static_cast<std::size_t>(std::min<std::int64_t>(limit, buffer.size())), 0);
      open = got > 0 && SendAll(client, buffer.data(), got);
      limit -= std::max<ssize_t>(got, 0);
      if (limit == 0) {
        ++cuts_;
        open = false;
      }
    }
  }
  Reset(client);
  Reset(server);
  return !stopped;
}

}  // namespace posteriord::testing
