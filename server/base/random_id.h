// Names that nobody can guess.
#ifndef POSTERIORD_SERVER_BASE_RANDOM_ID_H_
#define POSTERIORD_SERVER_BASE_RANDOM_ID_H_

#include <string>

namespace posteriord::server {

// 20 characters of [a-z2-7] from the operating system's random numbers: 100 bits, so that ids are
// unique without asking anyone.
std::string RandomId();

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_BASE_RANDOM_ID_H_
