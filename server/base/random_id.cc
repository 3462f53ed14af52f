#include "server/base/random_id.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace posteriord::server {

std::string RandomId() {
  static constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::array<unsigned char, 20> bytes;
  if (getentropy(bytes.data(), bytes.size()) != 0) std::abort();  // never fails for so few bytes
  std::string id;
  for (const unsigned char byte : bytes) id.push_back(kAlphabet[byte % kAlphabet.size()]);
  return id;
}

}  // namespace posteriord::server
