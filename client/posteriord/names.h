// Resource names. A bare id is accepted wherever a name is: "a1" means "jobs/a1".
#ifndef POSTERIORD_CLIENT_POSTERIORD_NAMES_H_
#define POSTERIORD_CLIENT_POSTERIORD_NAMES_H_

#include <string>

namespace posteriord::client {

// "jobs/{job}" for both "{job}" and "jobs/{job}".
std::string JobName(const std::string& id_or_name);

// "datasets/{dataset}" for both "{dataset}" and "datasets/{dataset}".
std::string DatasetName(const std::string& id_or_name);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORD_NAMES_H_
