// std::string_view where Abseil wants its own: in Debian's build the two are different types.
#ifndef POSTERIORD_SERVER_BASE_ABSL_STRING_H_
#define POSTERIORD_SERVER_BASE_ABSL_STRING_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace posteriord::server {

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_BASE_ABSL_STRING_H_
