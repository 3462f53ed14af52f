#include <langinfo.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <thread>

#include "client/posteriorctl/posteriorctl.h"

namespace {

using posteriord::client::Interrupts;
using posteriord::client::Screen;

bool HasValue(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// What standard error is now.
Screen AskTerminal() {
  Screen screen;
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::strcmp(terminal, "dumb") == 0;
  screen.live = isatty(STDERR_FILENO) == 1 && !dumb;
  screen.unicode = std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  screen.color = screen.live && !HasValue("NO_COLOR");
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    screen.width = size.ws_col;
    screen.height = size.ws_row;
  }
  return screen;
}

// Hands SIGINT and SIGTERM to `interrupts`; a second one, or one that nothing waits for, ends the
// process as if it had not been handled. Must come before any other thread starts.
void HandleSignals(Interrupts& interrupts) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([&interrupts, signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    if (interrupts.Deliver()) sigwait(&signals, &signal);
    std::signal(signal, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    std::raise(signal);
  }).detach();
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  std::setlocale(LC_CTYPE, "");  // only to tell whether the terminal takes UTF-8
  static Interrupts interrupts;  // outlives the thread that waits for signals
  HandleSignals(interrupts);
  posteriord::client::Console console = {std::cin,   std::cout,   std::cerr,
                                         interrupts, AskTerminal, absl::LocalTimeZone()};
  return posteriord::client::RunPosteriorctl(argc, argv, console);
}
