#include "server/jobs/job_plan.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/model/parameter_layout.h"
#include "server/base/field_violation.h"
#include "server/base/status_macros.h"
#include "server/convert/job.h"
#include "server/convert/job_spec.h"
#include "server/convert/resource_name.h"
#include "server/convert/status.h"
#include "server/convert/unknown_fields.h"
#include "server/store/job_store.h"

namespace posteriord::server {
namespace {

// Besides its state a chain has what it has made since its last commit.
constexpr std::int64_t kCommitBufferBytes = std::int64_t{2} << 20;

TargetUse TargetUseOf(const v1::JobSpec& spec) {
  if (spec.data().has_teacher()) return TargetUse::kNone;
  return spec.network().likelihood().has_gaussian() ? TargetUse::kReal : TargetUse::kClass;
}

void SetDatasetInputs(const DataPlan& plan, v1::DatasetInputs& inputs) {
  inputs.mutable_input_columns()->Assign(plan.input_columns.begin(), plan.input_columns.end());
  inputs.mutable_target_columns()->Assign(plan.target_columns.begin(), plan.target_columns.end());
  *inputs.mutable_split() = plan.split;
  inputs.set_standardization(plan.standardization);
}

// Finds out what the job's data look like; fills in their defaults.
absl::StatusOr<DataOutline> OutlineData(DatasetStore& datasets, JobPlan& plan) {
  v1::Data& data = *plan.job.mutable_spec()->mutable_data();
  if (data.has_gaussian()) return OutlineOf(data.gaussian());
  ASSIGN_OR_RETURN(plan.dataset_id,
                   ParseDatasetName(data.dataset().dataset(), "spec.data.dataset.dataset"));
  const absl::StatusOr<v1::Dataset> dataset = datasets.Get(plan.dataset_id);
  if (!dataset.ok()) {
    return WithResource(dataset.status(), "posteriord.v1.Dataset", data.dataset().dataset());
  }
  ASSIGN_OR_RETURN(plan.data, PlanData(*dataset, data.dataset(), TargetUseOf(plan.job.spec())));
  SetDatasetInputs(*plan.data, *data.mutable_dataset());
  return DataOutline{.inputs = static_cast<int>(plan.data->inputs.size()),
                     .target_columns = static_cast<int>(plan.data->targets.size()),
                     .shape = {.train_samples = plan.data->train_row_count(),
                               .test_samples = plan.data->test_row_count,
                               .has_teacher = data.has_teacher()}};
}

// A draw and a sum of predictions are stored as one record each.
void CheckRecordSizes(const JobPlan& plan, std::int64_t parameters, FieldViolations& violations) {
  const std::int64_t most_parameters = kMaxRecordBytes / StorageBytes(plan.job.spec());
  if (parameters > most_parameters) {
    violations.Add("spec.network", absl::StrCat("has ", parameters, " parameters; a draw can hold ",
                                                most_parameters, " at most"));
  }
  const std::int64_t outputs = core::LayerShapes(plan.spec.network).back().size();
  const auto most_samples = static_cast<std::int64_t>(kMaxRecordBytes / sizeof(double) / outputs);
  if (plan.shape.test_samples > most_samples) {
    violations.Add("spec.data",
                   absl::StrCat("has ", plan.shape.test_samples, " test samples; with ", outputs,
                                " outputs there can be ", most_samples, " at most"));
  }
}

v1::ResourceEstimate Estimate(const JobPlan& plan, std::int64_t parameters) {
  const int storage_bytes = StorageBytes(plan.job.spec());
  const core::ResourceEstimate core = core::EstimateResources(plan.spec, plan.shape, storage_bytes);
  v1::ResourceEstimate estimate;
  estimate.set_memory_bytes(core.memory_bytes +
                            plan.spec.chain_count() *
                                (kCommitBufferBytes + parameters * storage_bytes));
  estimate.set_disk_bytes(core.disk_bytes);
  return estimate;
}

}  // namespace

absl::StatusOr<JobPlan> PlanJob(const v1::Job& request, DatasetStore& datasets) {
  JobPlan plan;
  plan.job = InputFields(request);
  v1::JobSpec& spec = *plan.job.mutable_spec();
  FieldViolations violations;
  CheckJobMetadata(plan.job, violations);
  CheckUnknownFields(spec, "spec", violations);
  CompleteSpec(spec, violations);
  if (spec.data().inputs_case() == v1::Data::INPUTS_NOT_SET) return violations.ToStatus();
  const absl::StatusOr<DataOutline> outline = OutlineData(datasets, plan);
  if (outline.ok()) {
    CompleteSpecForData(*outline, spec, violations);
  } else if (absl::IsInvalidArgument(outline.status())) {
    violations.AddFrom(outline.status());
  }
  RETURN_IF_ERROR(violations.ToStatus());
  if (!outline.ok()) return outline.status();

  plan.shape = outline->shape;
  plan.spec = ToCoreSpec(spec, outline->inputs);
  const core::ParameterLayout layout = core::MakeParameterLayout(plan.spec.network);
  CheckRecordSizes(plan, layout.size, violations);
  RETURN_IF_ERROR(violations.ToStatus());
  SetParameters(layout, plan.job);
  SetObservables(core::ListObservables(plan.spec, plan.shape), plan.job);
  *plan.job.mutable_estimate() = Estimate(plan, layout.size);
  return plan;
}

absl::StatusOr<PlannedData> LoadPlannedData(const JobPlan& plan, DatasetStore& datasets) {
  const v1::JobSpec& spec = plan.job.spec();
  PlannedData result;
  v1::DataSummary& summary = result.summary;
  if (plan.data.has_value()) {
    ASSIGN_OR_RETURN(const std::unique_ptr<TableReader> table, datasets.OpenTable(plan.dataset_id));
    const int classes = core::LayerShapes(plan.spec.network).back().size();
    ASSIGN_OR_RETURN(JobData loaded, LoadData(*table, *plan.data, classes));
    result.data.train = std::move(loaded.train);
    result.data.test = std::move(loaded.test);
    const auto assign = [](const auto& values, auto* field) {
      field->Assign(values.begin(), values.end());
    };
    assign(plan.data->input_columns, summary.mutable_input_columns());
    assign(plan.data->target_columns, summary.mutable_target_columns());
    assign(loaded.input_scaling.means, summary.mutable_input_means());
    assign(loaded.input_scaling.scales, summary.mutable_input_scales());
    assign(loaded.target_scaling.means, summary.mutable_target_means());
    assign(loaded.target_scaling.scales, summary.mutable_target_scales());
  } else {
    const v1::GaussianInputs& gaussian = spec.data().gaussian();
    result.data = core::GaussianInputs(gaussian.dimension(), gaussian.train_samples(),
                                       gaussian.test_samples(), gaussian.seed());
  }
  if (spec.data().has_teacher()) result.data.teacher = ToCoreTeacher(spec);
  summary.set_train_samples(plan.shape.train_samples);
  summary.set_test_samples(plan.shape.test_samples);
  return result;
}

}  // namespace posteriord::server
