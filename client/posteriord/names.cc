#include "posteriord/names.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace posteriord::client {
namespace {

std::string WithCollection(const char* collection, const std::string& id_or_name) {
  return absl::StartsWith(id_or_name, collection) ? id_or_name
                                                  : absl::StrCat(collection, id_or_name);
}

}  // namespace

std::string JobName(const std::string& id_or_name) { return WithCollection("jobs/", id_or_name); }

std::string DatasetName(const std::string& id_or_name) {
  return WithCollection("datasets/", id_or_name);
}

}  // namespace posteriord::client
