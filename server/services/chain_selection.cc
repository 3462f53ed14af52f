#include "server/services/chain_selection.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "server/base/field_violation.h"

namespace posteriord::server {

absl::StatusOr<std::vector<int>> SelectChains(
    const google::protobuf::RepeatedField<std::int32_t>& asked, int chain_count) {
  std::vector<int> chains;
  if (asked.empty()) {
    chains.resize(chain_count);
    std::iota(chains.begin(), chains.end(), 0);
    return chains;
  }
  for (int i = 0; i < asked.size(); ++i) {
    const int chain = asked.Get(i);
    if (chain < 0 || chain >= chain_count) {
      return FieldViolation(
          absl::StrCat("chains[", i, "]"),
          absl::StrCat("is ", chain, ", but the job's chains are 0 to ", chain_count - 1));
    }
    if (std::find(chains.begin(), chains.end(), chain) != chains.end()) {
      return FieldViolation(absl::StrCat("chains[", i, "]"),
                            absl::StrCat("names chain ", chain, " again"));
    }
    chains.push_back(chain);
  }
  return chains;
}

}  // namespace posteriord::server
