// The sampler of a job spec: checks, defaults, translation to core. See job_spec.h, whose steps
// these are parts of.
#ifndef POSTERIORD_SERVER_CONVERT_SAMPLER_SPEC_H_
#define POSTERIORD_SERVER_CONVERT_SAMPLER_SPEC_H_

#include <cstdint>
#include <variant>

#include "core/spec.h"
#include "posteriord/v1/job.pb.h"
#include "server/convert/field_checker.h"

namespace posteriord::server {

// Chooses and completes the sampler of a spec whose network is complete, and refuses a sampler that
// cannot sample it.
void CompleteSampler(v1::JobSpec& spec, FieldChecker& checker);

// Checks what depends on the number of parameters and latents that a gradient sampler moves.
void CheckSamplerForDimension(const v1::Sampler& sampler, std::int64_t dimension,
                              FieldChecker& checker);

// REQUIRES: CompleteSampler() found nothing wrong.
std::variant<core::GibbsSpec, core::GradientSamplerSpec> ToCoreSampler(const v1::Sampler& complete);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_SAMPLER_SPEC_H_
