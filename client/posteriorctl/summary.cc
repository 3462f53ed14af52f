#include "client/posteriorctl/summary.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "client/posteriorctl/job_facts.h"
#include "client/posteriorctl/table.h"
#include "client/posteriorctl/text.h"
#include "posteriord/error.h"

namespace posteriord::client {
namespace {

std::string Optional(bool present, double value) { return present ? Rounded(value) : "-"; }

std::string LayerText(const v1::Layer& layer) {
  switch (layer.kind_case()) {
    case v1::Layer::kDense:
      return absl::StrCat("dense ", layer.dense().units());
    case v1::Layer::kConv2D:
      return absl::StrCat("convolution ", layer.conv2d().channels(), " x ",
                          layer.conv2d().kernel_height(), " x ", layer.conv2d().kernel_width());
    case v1::Layer::kAvgPool2D:
      return absl::StrCat("average pooling ", layer.avg_pool2d().height(), " x ",
                          layer.avg_pool2d().width());
    case v1::Layer::kFlatten:
      return "flatten";
    default: {
      // KIND_LEAKY_RELU: "leaky relu".
      absl::string_view kind = v1::Activation::Kind_Name(layer.activation().kind());
      absl::ConsumePrefix(&kind, "KIND_");
      return absl::StrReplaceAll(absl::AsciiStrToLower(kind), {{"_", " "}});
    }
  }
}

std::string LikelihoodText(const v1::Network& network) {
  const v1::Likelihood& likelihood = network.likelihood();
  std::string text = likelihood.has_probit()    ? "multinomial probit"
                     : likelihood.has_softmax() ? "softmax"
                                                : "Gaussian noise";
  if (network.posterior() == v1::Network::POSTERIOR_CLASSICAL) text += ", classical posterior";
  return text;
}

// "inputs 64, dense 32, relu, dense 10; multinomial probit; 2,410 parameters".
std::string NetworkText(const v1::Job& job) {
  std::vector<std::string> layers;
  if (job.spec().data().has_gaussian()) {
    layers.push_back(absl::StrCat("inputs ", job.spec().data().gaussian().dimension()));
  } else if (job.data_summary().input_columns_size() > 0) {
    layers.push_back(absl::StrCat("inputs ", job.data_summary().input_columns_size()));
  }
  for (const v1::Layer& layer : job.spec().network().layers()) layers.push_back(LayerText(layer));
  return absl::StrCat(absl::StrJoin(layers, ", "), "; ", LikelihoodText(job.spec().network()), "; ",
                      Grouped(ParameterCount(job)), " parameters");
}

std::string SamplerText(const v1::Job& job) {
  const v1::Sampler& sampler = job.spec().sampler();
  switch (sampler.kind_case()) {
    case v1::Sampler::kHmc:
      return absl::StrCat("HMC, ", sampler.hmc().leapfrog_steps(), " leapfrog steps");
    case v1::Sampler::kMala:
      return "MALA";
    case v1::Sampler::kNuts:
      return "NUTS";
    default:
      break;
  }
  const std::int64_t from = sampler.gibbs().collapsed_from_sweep();
  return from == 0 ? "Gibbs" : absl::StrCat("Gibbs, collapsed moves from sweep ", Grouped(from));
}

std::string DataText(const v1::Job& job) {
  const v1::Data& data = job.spec().data();
  std::string text = data.has_dataset() ? data.dataset().dataset() : "Gaussian inputs";
  absl::StrAppend(&text, ", ", Grouped(job.data_summary().train_samples()), " training and ",
                  Grouped(job.data_summary().test_samples()), " test samples");
  if (data.has_teacher()) {
    absl::StrAppend(&text, ", labels from a ", data.teacher().noiseless() ? "noiseless " : "",
                    "teacher");
  }
  return text;
}

std::string ChainsText(const v1::Job& job) {
  std::vector<std::pair<std::string, int>> groups;  // runs of chains that start alike
  for (const v1::ChainProgress& chain : job.chains()) {
    const std::string start = StartName(job, chain);
    if (groups.empty() || groups.back().first != start) groups.emplace_back(start, 0);
    ++groups.back().second;
  }
  std::vector<std::string> parts;
  for (const auto& [start, count] : groups) parts.push_back(absl::StrCat(count, " ", start));
  return absl::StrCat(job.chains_size(), " (", absl::StrJoin(parts, ", "), "), seed ",
                      job.spec().seed());
}

std::string ScheduleText(const v1::Job& job) {
  const v1::Schedule& schedule = job.spec().schedule();
  const std::int64_t thinning = std::max<std::int64_t>(1, schedule.thinning());
  std::string text = absl::StrCat(Grouped(schedule.warmup_sweeps() + schedule.draws() * thinning),
                                  " sweeps per chain: ", Grouped(schedule.warmup_sweeps()),
                                  " of warm-up, then ", Grouped(schedule.draws()), " draws");
  if (thinning > 1) absl::StrAppend(&text, ", one every ", Grouped(thinning), " sweeps");
  return text;
}

std::string TimeText(const v1::Job& job, absl::TimeZone zone) {
  std::string text = absl::StrCat("created ", LocalTime(job.create_time(), zone));
  if (job.has_start_time()) absl::StrAppend(&text, ", started ", LocalTime(job.start_time(), zone));
  if (job.has_end_time()) {
    absl::StrAppend(&text, ", ended ", LocalTime(job.end_time(), zone));
    if (job.has_start_time()) {
      absl::StrAppend(&text, " (took ",
                      ShortDuration(ToTime(job.end_time()) - ToTime(job.start_time())), ")");
    }
  }
  return text;
}

// "6,200 of 10,000 sweeps made, 410 to 425 sweeps/s per chain".
std::string ProgressText(const v1::Job& job) {
  std::string text = absl::StrCat(Grouped(SweepsMade(job)), " of ", Grouped(SweepsToMake(job)),
                                  " sweeps made in all chains");
  double slowest = 0;
  double fastest = 0;
  for (const v1::ChainProgress& chain : job.chains()) {
    const double speed = chain.sweeps_per_second();
    if (speed <= 0) continue;
    slowest = slowest == 0 ? speed : std::min(slowest, speed);
    fastest = std::max(fastest, speed);
  }
  if (fastest > 0) {
    const std::string low = Rounded(slowest);
    const std::string high = Rounded(fastest);
    absl::StrAppend(&text, "; a chain on a core makes ",
                    low == high ? low : absl::StrCat(low, " to ", high), " sweeps/s");
  }
  return text;
}

// One row per observable.
// The verdict on an observable, where it takes part in that on the job.
std::string ObservableVerdict(const v1::ObservableDiagnostics& observable, bool monitored) {
  if (!monitored) return "not monitored";
  if (observable.state() != v1::THERMALIZATION_STATE_THERMALIZED) {
    return VerdictName(observable.state());
  }
  return absl::StrCat("since sweep ", Grouped(observable.thermalized_since_sweep()));
}

std::string ObservablesTable(const v1::Job& job, bool compared) {
  using Align = Table::Align;
  std::vector<Table::Column> columns = {{"observable"}};
  if (compared) {
    columns.push_back({"informed mean", Align::kRight});
    columns.push_back({"uninformed mean", Align::kRight});
    columns.push_back({"distance", Align::kRight});
  } else {
    columns.push_back({"mean", Align::kRight});
    columns.push_back({"std. dev.", Align::kRight});
  }
  columns.push_back({"split R-hat", Align::kRight});
  columns.push_back({"ESS", Align::kRight});
  if (compared) columns.push_back({"verdict"});
  Table table(std::move(columns));
  for (int i = 0; i < job.diagnostics().observables_size(); ++i) {
    const v1::ObservableDiagnostics& observable = job.diagnostics().observables(i);
    std::vector<std::string> cells = {observable.name(), Rounded(observable.informed_mean())};
    if (compared) {
      cells.push_back(Optional(observable.has_uninformed_mean(), observable.uninformed_mean()));
      cells.push_back(Optional(observable.has_worst_distance(), observable.worst_distance()));
    } else {
      cells.push_back(Rounded(observable.informed_standard_deviation()));
    }
    cells.push_back(Optional(observable.has_split_rhat(), observable.split_rhat()));
    cells.push_back(
        Optional(observable.has_effective_sample_size(), observable.effective_sample_size()));
    if (compared) {
      const bool monitored = i < job.observables_size() && job.observables(i).monitored();
      cells.push_back(ObservableVerdict(observable, monitored));
    }
    table.Add(std::move(cells));
  }
  return table.ToString(2);
}

std::string DiagnosticsText(const v1::Job& job) {
  const v1::Diagnostics& diagnostics = job.diagnostics();
  const bool compared =
      std::any_of(diagnostics.observables().begin(), diagnostics.observables().end(),
                  [](const v1::ObservableDiagnostics& o) { return o.has_uninformed_mean(); });
  std::string text =
      absl::StrCat("\nObservables over sweeps ", Grouped(diagnostics.sweep() / 2), " to ",
                   Grouped(diagnostics.sweep()), ":\n", ObservablesTable(job, compared));
  if (compared) {
    absl::StrAppend(&text,
                    "  distance: between the means plus two standard errors, in informed standard "
                    "deviations\n");
  }
  if (const std::string predictive = PredictiveText(job); !predictive.empty()) {
    absl::StrAppend(&text, "\nPrediction: ", predictive, "\n");
  }
  absl::StrAppend(&text, "\nThermalization: ", VerdictText(diagnostics), "\n");
  if (!diagnostics.explanation().empty()) {
    absl::StrAppend(&text, "  ", Printable(diagnostics.explanation()), "\n");
  }
  return text;
}

std::string DrawsText(const v1::Job& job, const std::string& command) {
  const std::int64_t draws = DrawsStored(job);
  const std::int64_t bytes = draws * ParameterCount(job) * ByteSize(StoragePrecision(job));
  const std::string base = absl::StrCat("  ", command, " job ");
  std::string text = absl::StrCat("\nDraws: ", Grouped(draws), " stored (", Bytes(bytes), ")\n");
  if (!IsFinal(job.state())) {
    absl::StrAppend(&text, base, "watch ", job.name(), "\n");
  }
  if (draws > 0) {
    absl::StrAppend(&text, base, "draws ", job.name(), " --out draws.npz\n");
    absl::StrAppend(&text, base, "trace ", job.name(), " --out trace.csv\n");
  }
  return text;
}

}  // namespace

std::string Summary(const v1::Job& job, const std::string& command, absl::TimeZone zone) {
  std::string text = absl::StrCat(job.name(), "  ", StateName(job.state()));
  if (!job.display_name().empty()) {
    absl::StrAppend(&text, "  \"", Printable(job.display_name()), "\"");
  }
  absl::StrAppend(&text, "\n");
  const auto add = [&](const char* what, const std::string& value) {
    absl::StrAppend(&text, "  ", what, value, "\n");
  };
  if (!job.stop_reason().empty()) add("stopped   ", Printable(job.stop_reason()));
  if (job.has_error()) {
    add("error     ",
        absl::StrReplaceAll(DescribeError(ToAbslStatus(job.error())), {{"\n", "\n            "}}));
  }
  if (!job.labels().empty()) {
    const std::map<std::string, std::string> sorted(job.labels().begin(), job.labels().end());
    add("labels    ", Printable(absl::StrJoin(sorted, ", ", absl::PairFormatter("="))));
  }
  add("network   ", NetworkText(job));
  add("sampler   ", SamplerText(job));
  add("data      ", DataText(job));
  add("chains    ", ChainsText(job));
  add("schedule  ", ScheduleText(job));
  add("progress  ", ProgressText(job));
  add("time      ", TimeText(job, zone));
  if (job.estimate().memory_bytes() > 0) {
    add("needs     ", absl::StrCat(Bytes(job.estimate().memory_bytes()), " of memory, ",
                                   Bytes(job.estimate().disk_bytes()), " of disk (predicted)"));
  }
  if (job.has_diagnostics()) absl::StrAppend(&text, DiagnosticsText(job));
  absl::StrAppend(&text, DrawsText(job, command));
  return text;
}

}  // namespace posteriord::client
