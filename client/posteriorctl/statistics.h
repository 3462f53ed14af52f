// The statistics of a job's chains for a person to read.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_STATISTICS_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_STATISTICS_H_

#include <string>

#include "posteriord/v1/summary.pb.h"

namespace posteriord::client {

// A table of the observables and one of the samplers, if there is any, and what to make of them.
std::string Statistics(const v1::JobSummary& summary);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_STATISTICS_H_
