// What a finished companion says about the job that it was made of.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_PROBE_ANSWER_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_PROBE_ANSWER_H_

#include <string>

#include "posteriord/v1/job.pb.h"

namespace posteriord::client {

enum class ProbeOutcome {
  kThermalized,     // the sampler thermalizes
  kTooEarly,        // the sweeps were too few to tell
  kNotThermalized,  // chains were still apart
};

ProbeOutcome OutcomeOfProbe(const v1::Job& companion);

// The answer for a person: whether the sampler thermalizes, what warm-up the job should have, or
// what to try. `command` is how posteriorctl was called. REQUIRES: the companion has ended.
std::string ProbeAnswer(const v1::Job& job, const v1::Job& companion, const std::string& command);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_PROBE_ANSWER_H_
