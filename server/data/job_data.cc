#include "server/data/job_data.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/field_violation.h"
#include "server/base/status_macros.h"
#include "server/data/column_names.h"
#include "server/data/split.h"

namespace posteriord::server {
namespace {

constexpr char kField[] = "spec.data.dataset";

std::string FieldPath(std::string_view name) { return absl::StrCat(kField, ".", ToAbsl(name)); }

std::vector<int> ColumnsWithRole(const v1::Dataset& dataset, v1::ColumnRole role) {
  std::vector<int> columns;
  for (int i = 0; i < dataset.columns_size(); ++i) {
    if (dataset.columns(i).role() == role) columns.push_back(i);
  }
  return columns;
}

// Positions of the columns that a request names, or of those with the role when it names none.
std::vector<int> FindColumns(const v1::Dataset& dataset, const ColumnIndex& index,
                             const google::protobuf::RepeatedPtrField<std::string>& names,
                             std::string_view field, v1::ColumnRole role,
                             FieldViolations& violations) {
  if (names.empty()) return ColumnsWithRole(dataset, role);
  std::vector<int> columns;
  for (int i = 0; i < names.size(); ++i) {
    const std::vector<int> found = index.Find(names[i]);
    if (found.empty()) {
      violations.Add(absl::StrCat(FieldPath(field), "[", i, "]"),
                     absl::StrCat("the data set has no column '", names[i], "'"));
    }
    columns.insert(columns.end(), found.begin(), found.end());
  }
  return columns;
}

v1::Standardization ResolveStandardization(const v1::Dataset& dataset,
                                           const v1::DatasetInputs& request, TargetUse target_use,
                                           FieldViolations& violations) {
  v1::Standardization standardization =
      request.standardization() != v1::STANDARDIZATION_UNSPECIFIED   ? request.standardization()
      : dataset.standardization() != v1::STANDARDIZATION_UNSPECIFIED ? dataset.standardization()
                                                                     : v1::STANDARDIZATION_NONE;
  if (!v1::Standardization_IsValid(standardization)) {
    violations.Add(FieldPath("standardization"), "is not a known value");
  }
  if (standardization == v1::STANDARDIZATION_INPUTS_AND_TARGETS && target_use != TargetUse::kReal) {
    violations.Add(FieldPath("standardization"),
                   target_use == TargetUse::kClass
                       ? "classes cannot be standardized; ask for STANDARDIZATION_INPUTS"
                       : "a teacher's labels cannot be standardized; ask for "
                         "STANDARDIZATION_INPUTS");
  }
  return standardization;
}

std::vector<std::string> NamesOf(const v1::Dataset& dataset, const std::vector<int>& columns) {
  std::vector<std::string> names;
  for (const int column : columns) names.push_back(dataset.columns(column).name());
  return names;
}

void CheckOverlap(const v1::Dataset& dataset, const DataPlan& plan, FieldViolations& violations) {
  std::vector<int> uses(static_cast<std::size_t>(dataset.columns_size()), 0);
  const auto use = [&](const std::vector<int>& columns, std::string_view field) {
    for (const int column : columns) {
      if (++uses[static_cast<std::size_t>(column)] == 2) {
        violations.Add(FieldPath(field),
                       absl::StrCat("column '", dataset.columns(column).name(), "' is used twice"));
      }
    }
  };
  use(plan.inputs, "input_columns");
  use(plan.targets, "target_columns");
}

// Copies the columns of `rows` into consecutive rows of the training and test matrices, as the
// splitter says.
class RowScatterer {
 public:
  RowScatterer(const std::vector<int>& columns, Eigen::MatrixXd& train, Eigen::MatrixXd& test)
      : columns_(columns), train_(train), test_(test) {}

  void Scatter(const Eigen::MatrixXd& rows, const std::vector<bool>& is_test) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto column = static_cast<Eigen::Index>(i);
      Eigen::Index train_row = train_rows_;
      Eigen::Index test_row = test_rows_;
      for (Eigen::Index row = 0; row < rows.rows(); ++row) {
        const double value = rows(row, columns_[i]);
        if (is_test[static_cast<std::size_t>(row)]) {
          test_(test_row++, column) = value;
        } else {
          train_(train_row++, column) = value;
        }
      }
    }
    const auto tests = std::count(is_test.begin(), is_test.end(), true);
    test_rows_ += tests;
    train_rows_ += rows.rows() - tests;
  }

 private:
  const std::vector<int>& columns_;
  Eigen::MatrixXd& train_;
  Eigen::MatrixXd& test_;
  Eigen::Index train_rows_ = 0;
  Eigen::Index test_rows_ = 0;
};

struct Moments {
  double mean = 0;
  double scale = 1;  // standard deviation (of the n rows, not an estimate), or 1 for a constant
};

// Sums run in memory order, so that the result is the same on every platform.
Moments MomentsOf(Eigen::Ref<const Eigen::MatrixXd> values) {
  if (values.minCoeff() == values.maxCoeff()) return {values(0, 0), 1};
  const auto count = static_cast<double>(values.size());
  double sum = 0;
  for (Eigen::Index column = 0; column < values.cols(); ++column) {
    for (Eigen::Index row = 0; row < values.rows(); ++row) sum += values(row, column);
  }
  const double mean = sum / count;
  double squares = 0;
  for (Eigen::Index column = 0; column < values.cols(); ++column) {
    for (Eigen::Index row = 0; row < values.rows(); ++row) {
      const double difference = values(row, column) - mean;
      squares += difference * difference;
    }
  }
  return {mean, std::sqrt(squares / count)};
}

// Rescales both matrices by what the first says.
absl::StatusOr<ColumnScaling> Standardize(Eigen::MatrixXd& train, Eigen::MatrixXd& test,
                                          bool jointly, const std::vector<std::string>& names) {
  ColumnScaling scaling;
  const Moments joint = jointly ? MomentsOf(train) : Moments();
  for (Eigen::Index column = 0; column < train.cols(); ++column) {
    const Moments moments = jointly ? joint : MomentsOf(train.col(column));
    if (!std::isfinite(moments.mean) || !std::isfinite(moments.scale) || moments.scale == 0) {
      return FieldViolation(
          FieldPath("standardization"),
          absl::StrCat("the numbers in column '", names[static_cast<std::size_t>(column)],
                       "' are too large or too small to standardize"));
    }
    for (Eigen::MatrixXd* matrix : {&train, &test}) {
      matrix->col(column) = (matrix->col(column).array() - moments.mean) / moments.scale;
    }
    scaling.means.push_back(moments.mean);
    scaling.scales.push_back(moments.scale);
  }
  return scaling;
}

// INVALID_ARGUMENT unless a target is a class index.
absl::Status CheckClass(double target, std::int64_t row, const std::string& column, int classes) {
  if (target >= 0 && target < classes && target == std::floor(target)) return absl::OkStatus();
  return FieldViolation(FieldPath("target_columns"),
                        absl::StrCat("row ", row, " (the first is 0) of column '", column, "' is ",
                                     target, ", not a class index from 0 to ", classes - 1));
}

}  // namespace

absl::StatusOr<DataPlan> PlanData(const v1::Dataset& dataset, const v1::DatasetInputs& request,
                                  TargetUse target_use) {
  std::vector<std::string> all_names;
  for (const v1::Dataset::Column& column : dataset.columns()) all_names.push_back(column.name());
  const ColumnIndex index(all_names);

  DataPlan plan;
  plan.target_use = target_use;
  FieldViolations violations;
  plan.inputs = FindColumns(dataset, index, request.input_columns(), "input_columns",
                            v1::COLUMN_ROLE_INPUT, violations);
  if (target_use != TargetUse::kNone) {
    plan.targets = FindColumns(dataset, index, request.target_columns(), "target_columns",
                               v1::COLUMN_ROLE_TARGET, violations);
    if (plan.targets.empty() && request.target_columns().empty()) {
      violations.Add(FieldPath("target_columns"), "the data set has no targets; name some");
    }
    if (target_use == TargetUse::kClass && plan.targets.size() > 1) {
      violations.Add(FieldPath("target_columns"),
                     absl::StrCat("classes are one column of indices, not ", plan.targets.size()));
    }
  } else if (!request.target_columns().empty()) {
    violations.Add(FieldPath("target_columns"), "are not used when a teacher labels the inputs");
  }
  if (plan.inputs.empty() && request.input_columns().empty()) {
    violations.Add(FieldPath("input_columns"), "the data set has no inputs; name some");
  }
  CheckOverlap(dataset, plan, violations);
  plan.standardization = ResolveStandardization(dataset, request, target_use, violations);
  plan.split = request.has_split() ? request.split() : dataset.split();
  plan.row_count = dataset.row_count();
  CheckSplit(plan.split, FieldPath("split"), violations);
  CheckSplitOf(plan.split, plan.row_count, FieldPath("split"), violations);
  if (!violations.empty()) return violations.ToStatus();

  plan.test_row_count = TestRowCount(plan.split, plan.row_count);
  plan.input_columns = NamesOf(dataset, plan.inputs);
  plan.target_columns = NamesOf(dataset, plan.targets);
  return plan;
}

absl::StatusOr<JobData> LoadData(const TableReader& table, const DataPlan& plan, int classes) {
  const int columns = 1 + std::max(*std::max_element(plan.inputs.begin(), plan.inputs.end()),
                                   plan.targets.empty() ? 0
                                                        : *std::max_element(plan.targets.begin(),
                                                                            plan.targets.end()));
  if (table.rows() != plan.row_count || table.columns() < columns) {
    return absl::DataLossError("the data set's file does not fit its description");
  }
  JobData data;
  const auto inputs = static_cast<Eigen::Index>(plan.inputs.size());
  const auto targets = static_cast<Eigen::Index>(plan.targets.size());
  data.train.inputs.resize(plan.train_row_count(), inputs);
  data.train.targets.resize(targets > 0 ? plan.train_row_count() : 0, targets);
  data.test.inputs.resize(plan.test_row_count, inputs);
  data.test.targets.resize(targets > 0 ? plan.test_row_count : 0, targets);

  RowSplitter splitter(plan.split, plan.row_count);
  RowScatterer input_scatterer(plan.inputs, data.train.inputs, data.test.inputs);
  RowScatterer target_scatterer(plan.targets, data.train.targets, data.test.targets);
  Eigen::MatrixXd rows;
  for (std::int64_t group = 0; group < table.group_count(); ++group) {
    RETURN_IF_ERROR(table.ReadGroup(group, rows));
    std::vector<bool> is_test(static_cast<std::size_t>(rows.rows()));
    for (std::size_t row = 0; row < is_test.size(); ++row) is_test[row] = splitter.NextIsTest();
    input_scatterer.Scatter(rows, is_test);
    target_scatterer.Scatter(rows, is_test);
    if (plan.target_use == TargetUse::kClass) {
      for (Eigen::Index row = 0; row < rows.rows(); ++row) {
        RETURN_IF_ERROR(CheckClass(rows(row, plan.targets[0]), table.first_row(group) + row,
                                   plan.target_columns[0], classes));
      }
    }
  }

  if (plan.standardization != v1::STANDARDIZATION_NONE) {
    const bool jointly = plan.standardization == v1::STANDARDIZATION_INPUTS_JOINTLY;
    ASSIGN_OR_RETURN(data.input_scaling,
                     Standardize(data.train.inputs, data.test.inputs, jointly, plan.input_columns));
  }
  if (plan.standardization == v1::STANDARDIZATION_INPUTS_AND_TARGETS) {
    ASSIGN_OR_RETURN(data.target_scaling, Standardize(data.train.targets, data.test.targets,
                                                      /*jointly=*/false, plan.target_columns));
  }
  return data;
}

}  // namespace posteriord::server
