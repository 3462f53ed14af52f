// posteriorctl dataset ...
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_DATASET_COMMANDS_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_DATASET_COMMANDS_H_

#include "CLI/CLI.hpp"
#include "client/posteriorctl/session.h"

namespace posteriord::client {

// Adds the subcommands to `app`. Parsing sets `command`, which must outlive `app`.
void AddDatasetCommands(CLI::App& app, Command& command);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_DATASET_COMMANDS_H_
