// Job messages: what clients set, and what the server adds.
#ifndef POSTERIORD_SERVER_CONVERT_JOB_H_
#define POSTERIORD_SERVER_CONVERT_JOB_H_

#include <cstddef>
#include <vector>

#include "core/model/parameter_layout.h"
#include "core/sampling/problem.h"
#include "posteriord/v1/job.pb.h"
#include "server/base/field_violation.h"

namespace posteriord::server {

// Limits of what people write on a job.
inline constexpr std::size_t kMaxDisplayNameBytes = 128;
inline constexpr std::size_t kMaxLabels = 32;

// The fields of a new job that its creator may set: display_name, labels and spec.
v1::Job InputFields(const v1::Job& job);

// Checks display_name and labels.
void CheckJobMetadata(const v1::Job& job, FieldViolations& violations);

// The output-only descriptions of what a job samples.
void SetParameters(const core::ParameterLayout& layout, v1::Job& job);
void SetObservables(const std::vector<core::ObservableInfo>& observables, v1::Job& job);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_JOB_H_
