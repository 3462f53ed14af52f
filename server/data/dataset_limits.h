// How large a data set may be.
#ifndef POSTERIORD_SERVER_DATA_DATASET_LIMITS_H_
#define POSTERIORD_SERVER_DATA_DATASET_LIMITS_H_

#include <cstdint>

namespace posteriord::server {

// Beyond any of these: RESOURCE_EXHAUSTED.
struct DatasetLimits {
  std::int64_t max_file_bytes = std::int64_t{2} << 30;  // of the uploaded file
  std::int64_t max_cells = std::int64_t{1} << 28;       // rows x columns; 2 GiB when stored
  std::int64_t max_columns = 65536;
  std::int64_t max_arrays = 1024;  // in an NPZ file
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_DATA_DATASET_LIMITS_H_
