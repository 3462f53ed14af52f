// Diagnostics as messages and back.
#ifndef POSTERIORD_SERVER_CONVERT_DIAGNOSTICS_H_
#define POSTERIORD_SERVER_CONVERT_DIAGNOSTICS_H_

#include <vector>

#include "core/diagnostics/diagnostics.h"
#include "core/sampling/problem.h"
#include "posteriord/v1/thermalization.pb.h"

namespace posteriord::server {

// An evaluation; without the pooled predictive errors, which are not part of it. A run of agreement
// that is not yet long enough is told too, in thermalized_since_sweep.
v1::Diagnostics ToProto(const core::Diagnostics& diagnostics,
                        const std::vector<core::ObservableInfo>& observables);

// As much of an evaluation as the next one depends on: states and runs of agreement.
core::Diagnostics FromProto(const v1::Diagnostics& message);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_DIAGNOSTICS_H_
