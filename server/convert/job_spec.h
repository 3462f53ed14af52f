// JobSpec messages: checking them, filling in their defaults, and translating them to core. This is
// the only place where job specs are validated.
#ifndef POSTERIORD_SERVER_CONVERT_JOB_SPEC_H_
#define POSTERIORD_SERVER_CONVERT_JOB_SPEC_H_

#include <cstdint>

#include "core/data/data.h"
#include "core/sampling/problem.h"
#include "core/spec.h"
#include "posteriord/v1/job.pb.h"
#include "server/base/field_violation.h"

namespace posteriord::server {

// Limits of a job.
inline constexpr int kMaxChains = 1024;
inline constexpr std::int64_t kMaxWarmupSweeps = 1'000'000'000'000;
inline constexpr std::int64_t kMaxDraws = 1'000'000'000;
inline constexpr int kMaxTracePoints = 1'000'000;

// What is known of a job's data before they are read.
struct DataOutline {
  int inputs = 0;          // entries of a sample
  int target_columns = 0;  // 0 when a teacher labels the inputs
  core::DataShape shape;
};

// Outline of Gaussian inputs. REQUIRES: CompleteSpec() found nothing wrong with them.
DataOutline OutlineOf(const v1::GaussianInputs& gaussian);

// Checks whatever does not depend on the data and fills in its defaults. Adds what is wrong to
// `violations`, with paths that start at "spec.". Completing a complete spec changes nothing.
void CompleteSpec(v1::JobSpec& spec, FieldViolations& violations);

// Checks and fills in what depends on the shapes of the data. REQUIRES: CompleteSpec() was called;
// what it found wrong is passed over.
void CompleteSpecForData(const DataOutline& data, v1::JobSpec& spec, FieldViolations& violations);

// Whether there are informed chains, which are at equilibrium, and others to compare with them.
bool ComparesChains(const v1::JobSpec& spec);

// REQUIRES: CompleteSpec() and CompleteSpecForData() found nothing wrong.
core::Spec ToCoreSpec(const v1::JobSpec& complete, int inputs);

// The teacher of a complete spec. REQUIRES: it has one.
core::TeacherSpec ToCoreTeacher(const v1::JobSpec& complete);

// Bytes of a stored number: 4 or 8. REQUIRES: the spec is complete.
int StorageBytes(const v1::JobSpec& complete);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_JOB_SPEC_H_
