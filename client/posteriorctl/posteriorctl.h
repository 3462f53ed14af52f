// The command line of a posteriord server.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_POSTERIORCTL_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_POSTERIORCTL_H_

#include "client/posteriorctl/console.h"
#include "client/posteriorctl/session.h"

namespace posteriord::client {

// Does what the arguments (those of main) ask for.
ExitCode RunPosteriorctl(int argc, const char* const* argv, Console& console);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_POSTERIORCTL_H_
