// What can be read off a Job message, in words and numbers.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_JOB_FACTS_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_JOB_FACTS_H_

#include <cstdint>
#include <string>

#include "posteriord/v1/job.pb.h"

namespace posteriord::client {

// "queued", "running", "succeeded", ...
std::string StateName(v1::Job::State state);
bool IsFinal(v1::Job::State state);

// "too early", "not yet", "thermalized", ...
std::string VerdictName(v1::ThermalizationState state);

// "thermalized since sweep 3,000", "not yet", ...
std::string VerdictText(const v1::Diagnostics& diagnostics);

// How a chain started: "informed", "zero", "prior", "given" or "population".
std::string StartName(const v1::Job& job, const v1::ChainProgress& chain);

// Entries of one array, and of a whole draw.
std::int64_t Size(const v1::ParameterArray& array);
std::int64_t ParameterCount(const v1::Job& job);

// Format in which draws are stored.
v1::Precision StoragePrecision(const v1::Job& job);
// Bytes of one number.
int ByteSize(v1::Precision precision);

// Whether the network classifies: its errors are error rates, else mean squared errors.
bool IsClassifier(const v1::Job& job);

// Sums over the chains.
std::int64_t SweepsMade(const v1::Job& job);
std::int64_t SweepsToMake(const v1::Job& job);
std::int64_t DrawsStored(const v1::Job& job);

// The error of the posterior predictive beside that of a single draw, both on the test samples;
// empty before the first evaluation and without test samples.
std::string PredictiveText(const v1::Job& job);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_JOB_FACTS_H_
