// Draws and traces of a job, taken to files and pipes.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_EXPORT_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_EXPORT_H_

#include <string>

#include "absl/status/status.h"
#include "client/posteriorctl/session.h"
#include "posteriord/v1/job.pb.h"
#include "posteriord/v1/job_service.pb.h"

namespace posteriord::client {

enum class ExportFormat { kNdjson, kCsv, kNpz };

struct ExportOptions {
  ExportFormat format = ExportFormat::kNdjson;
  std::string path;         // empty: standard output, not for kNpz
  std::string cursor_file;  // empty: none; not for kNpz
};

// Writes the draws that `request` selects. `job` gives the layout of a draw. As lines, draws go out
// as they come. As NPZ, chains are read one after the other. Errors: CANCELLED when interrupted.
absl::Status ExportDraws(Session& session, const v1::Job& job, v1::StreamDrawsRequest request,
                         const ExportOptions& options);

// As ExportDraws, for traces. Diagnostics, when asked for, become lines {"diagnostics":{...}} of
// NDJSON; not for the other formats.
absl::Status ExportTrace(Session& session, const v1::Job& job, v1::StreamTraceRequest request,
                         const ExportOptions& options);

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_EXPORT_H_
