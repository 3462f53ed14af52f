// Jobs that are quick to sample.
#ifndef POSTERIORD_TESTS_E2E_TESTING_REQUESTS_H_
#define POSTERIORD_TESTS_E2E_TESTING_REQUESTS_H_

#include <cstdint>
#include <string>

#include "posteriord/v1/dataset_service.pb.h"
#include "posteriord/v1/job_service.pb.h"
#include "tests/testing/proto.h"

namespace posteriord::testing {

// A two-layer regression on labels of a teacher, with informed and zero chains. A sweep takes about
// 20 microseconds.
inline v1::CreateJobRequest TeacherJob(std::int64_t draws) {
  auto request = FromText<v1::CreateJobRequest>(R"pb(
    job {
      spec {
        network {
          layers { dense { units: 3 } }
          layers { activation {} }
          layers { dense { units: 1 } }
          noise_variance: 0.1
          likelihood { gaussian {} }
        }
        data {
          gaussian { dimension: 4 train_samples: 30 test_samples: 10 seed: 1 }
          teacher { seed: 2 }
        }
        seed: 3
      }
    })pb");
  request.mutable_job()->mutable_spec()->mutable_schedule()->set_draws(draws);
  return request;
}

// Longer than any test waits.
inline v1::CreateJobRequest EndlessJob() { return TeacherJob(1'000'000'000); }

// Draws of 40,100 parameters, 320,800 bytes each.
inline v1::CreateJobRequest WideJob(std::int64_t draws) {
  auto request = FromText<v1::CreateJobRequest>(R"pb(
    job {
      spec {
        network {
          layers { dense { units: 200 bias: false } }
          layers { dense { units: 100 } }
          noise_variance: 1
          likelihood { gaussian {} }
        }
        data {
          gaussian { dimension: 100 train_samples: 2 }
          teacher {}
        }
        chain_groups { zero {} }
        observation { probes: 0 }
      }
    })pb");
  request.mutable_job()->mutable_spec()->mutable_schedule()->set_draws(draws);
  return request;
}

// A table of two inputs and a class label; one row in three is of class 2.
inline std::string ClassesCsv(int rows) {
  std::string csv = "a,b,label\n";
  for (int row = 0; row < rows; ++row) {
    const int label = row % 3;
    csv += std::to_string(label - 0.1 * (row % 5)) + "," + std::to_string(0.2 * (row % 7)) + "," +
           std::to_string(label) + "\n";
  }
  return csv;
}

inline v1::UploadDatasetHeader ClassesHeader() {
  return FromText<v1::UploadDatasetHeader>(R"pb(
    format: DATASET_FORMAT_CSV
    target_columns: "label"
    split { last_rows: 6 })pb");
}

// A classifier of the table above.
inline v1::CreateJobRequest ClassesJob(const std::string& dataset) {
  auto request = FromText<v1::CreateJobRequest>(R"pb(
    job {
      spec {
        network {
          layers { dense { units: 4 } }
          layers { activation {} }
          layers { dense { units: 3 } }
          noise_variance: 0.5
          likelihood { probit {} }
        }
        schedule { draws: 100 }
      }
    })pb");
  request.mutable_job()->mutable_spec()->mutable_data()->mutable_dataset()->set_dataset(dataset);
  return request;
}

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_E2E_TESTING_REQUESTS_H_
