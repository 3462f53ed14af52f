// posteriorctl job probe
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_PROBE_COMMAND_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_PROBE_COMMAND_H_

#include "CLI/CLI.hpp"
#include "client/posteriorctl/session.h"

namespace posteriord::client {

// Adds the subcommand to `group`. Parsing sets `command`, which must outlive `group`.
void AddProbe(CLI::App& group, Command& command);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_PROBE_COMMAND_H_
