#include "server/convert/job.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace posteriord::server {
namespace {

constexpr std::size_t kMaxLabelBytes = 63;

bool IsLabelKey(std::string_view key) {
  return !key.empty() && key.size() <= kMaxLabelBytes && absl::ascii_islower(key.front()) &&
         std::all_of(key.begin(), key.end(), [](unsigned char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '-';
         });
}

}  // namespace

v1::Job InputFields(const v1::Job& job) {
  v1::Job input;
  input.set_display_name(job.display_name());
  *input.mutable_labels() = job.labels();
  *input.mutable_spec() = job.spec();
  return input;
}

void CheckJobMetadata(const v1::Job& job, FieldViolations& violations) {
  if (job.display_name().size() > kMaxDisplayNameBytes) {
    violations.Add("display_name", absl::StrCat("must be at most ", kMaxDisplayNameBytes,
                                                " bytes, not ", job.display_name().size()));
  }
  if (job.labels().size() > kMaxLabels) {
    violations.Add("labels",
                   absl::StrCat("must be at most ", kMaxLabels, ", not ", job.labels().size()));
  }
  for (const auto& [key, value] : job.labels()) {
    const std::string field = absl::StrCat("labels[\"", key, "\"]");
    if (!IsLabelKey(key)) {
      violations.Add(field, "must have a key that matches [a-z][a-z0-9_-]{0,62}");
    }
    if (value.size() > kMaxLabelBytes) {
      violations.Add(
          field, absl::StrCat("must be at most ", kMaxLabelBytes, " bytes, not ", value.size()));
    }
  }
}

void SetParameters(const core::ParameterLayout& layout, v1::Job& job) {
  job.clear_parameters();
  for (const core::ParameterArray& array : layout.arrays) {
    v1::ParameterArray& message = *job.add_parameters();
    message.set_name(array.name);
    message.mutable_shape()->Assign(array.shape.begin(), array.shape.end());
    message.set_offset(array.offset);
  }
}

void SetObservables(const std::vector<core::ObservableInfo>& observables, v1::Job& job) {
  job.clear_observables();
  for (const core::ObservableInfo& observable : observables) {
    v1::Observable& message = *job.add_observables();
    message.set_name(observable.name);
    message.set_description(observable.description);
    message.set_monitored(observable.monitored);
  }
}

}  // namespace posteriord::server
