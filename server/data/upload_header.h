// The header of an upload, checked, and what it says about columns.
#ifndef POSTERIORD_SERVER_DATA_UPLOAD_HEADER_H_
#define POSTERIORD_SERVER_DATA_UPLOAD_HEADER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "posteriord/v1/dataset.pb.h"
#include "posteriord/v1/dataset_service.pb.h"

namespace posteriord::server {

// What can be checked before the file is there. Errors: INVALID_ARGUMENT naming fields under
// "header".
absl::Status CheckUploadHeader(const v1::UploadDatasetHeader& header);

// The columns with the roles that the header gives them. Errors: as CheckUploadHeader.
absl::StatusOr<std::vector<v1::Dataset::Column>> AssignRoles(
    const v1::UploadDatasetHeader& header, const std::vector<std::string>& columns);

// Whether the split fits the number of rows. Errors: as CheckUploadHeader.
absl::Status CheckRowCount(const v1::UploadDatasetHeader& header, std::int64_t rows);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_DATA_UPLOAD_HEADER_H_
