// What a run of posteriorctl talks to besides the server.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_CONSOLE_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_CONSOLE_H_

#include <functional>
#include <istream>
#include <ostream>

#include "absl/time/time.h"
#include "client/posteriorctl/interrupts.h"
#include "client/posteriorctl/progress.h"

namespace posteriord::client {

// Results go to `out`; progress, hints and errors to `err`. Does not own the streams.
struct Console {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  Interrupts& interrupts;
  std::function<Screen()> screen;  // what `err` is, asked again for every frame
  absl::TimeZone zone;             // of the times shown
};

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_CONSOLE_H_
