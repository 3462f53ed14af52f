// From a stored data set to the numbers a job samples with.
//
//   ASSIGN_OR_RETURN(DataPlan plan, PlanData(dataset, spec.data().dataset(), TargetUse::kClass));
//
//   // plan.train_row_count(), plan.test_row_count and plan.inputs.size() suffice to admit the job.
//
//   ASSIGN_OR_RETURN(JobData data, LoadData(*table, plan, classes));
#ifndef POSTERIORD_SERVER_DATA_JOB_DATA_H_
#define POSTERIORD_SERVER_DATA_JOB_DATA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/data/data.h"
#include "posteriord/v1/dataset.pb.h"
#include "posteriord/v1/job.pb.h"
#include "server/data/table_file.h"

namespace posteriord::server {

// What the targets of a data set are to a job.
enum class TargetUse {
  kNone,   // a teacher labels the inputs; target columns are not read
  kReal,   // real numbers, one column per output
  kClass,  // one column of class indices
};

// A job's request for data with every default filled in and checked against the description of the
// data set.
struct DataPlan {
  TargetUse target_use = TargetUse::kNone;
  std::vector<int> inputs;                 // positions of the columns in the table
  std::vector<int> targets;                // empty for kNone
  std::vector<std::string> input_columns;  // their names
  std::vector<std::string> target_columns;
  v1::Split split;
  v1::Standardization standardization = v1::STANDARDIZATION_NONE;  // never unspecified
  std::int64_t row_count = 0;
  std::int64_t test_row_count = 0;

  std::int64_t train_row_count() const { return row_count - test_row_count; }
};

// Resolves `request` against `dataset`. Pure; reads no data. Errors: INVALID_ARGUMENT naming fields
// under "spec.data.dataset".
absl::StatusOr<DataPlan> PlanData(const v1::Dataset& dataset, const v1::DatasetInputs& request,
                                  TargetUse target_use);

// Shift and divisor of each column; empty without standardization.
struct ColumnScaling {
  std::vector<double> means;
  std::vector<double> scales;
};

// Numbers ready for sampling: rows in file order, standardized. A function of the data set and the
// plan alone.
struct JobData {
  core::Samples train;
  core::Samples test;
  ColumnScaling input_scaling;
  ColumnScaling target_scaling;
};

// Reads what a plan asks for. `classes` is the number of classes for TargetUse::kClass, ignored
// otherwise. Errors: INVALID_ARGUMENT (a target is not a class index, naming row and column),
// DATA_LOSS.
absl::StatusOr<JobData> LoadData(const TableReader& table, const DataPlan& plan, int classes);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_DATA_JOB_DATA_H_
