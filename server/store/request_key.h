// What makes a creation idempotent.
#ifndef POSTERIORD_SERVER_STORE_REQUEST_KEY_H_
#define POSTERIORD_SERVER_STORE_REQUEST_KEY_H_

#include <string>

namespace posteriord::server {

// The same id with the same fingerprint is the same request, sent again; with another, a mistake.
struct RequestKey {
  std::string id;           // chosen by the client; empty: the request cannot be told from others
  std::string fingerprint;  // of the request's body
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_STORE_REQUEST_KEY_H_
