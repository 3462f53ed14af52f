#include "client/posteriorctl/statistics.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/posteriorctl/table.h"
#include "client/posteriorctl/text.h"

namespace posteriord::client {
namespace {

// From here on chains are usually not trusted (Vehtari et al., 2021; Betancourt, 2016).
constexpr double kGreatestRhat = 1.01;
constexpr double kLeastSizePerChain = 100;
constexpr double kLeastEnergyFraction = 0.3;

std::string Optional(bool present, double value) { return present ? Rounded(value) : "-"; }

std::string Quantile(const v1::ObservableSummary& observable, int index) {
  if (index >= observable.quantiles_size()) return "-";
  const v1::QuantileSummary& quantile = observable.quantiles(index);
  return Optional(quantile.has_value(), quantile.value());
}

std::string ObservablesTable(const v1::JobSummary& summary) {
  using Align = Table::Align;
  Table table({{"observable"},
               {"mean", Align::kRight},
               {"error", Align::kRight},
               {"std. dev.", Align::kRight},
               {"5%", Align::kRight},
               {"50%", Align::kRight},
               {"95%", Align::kRight},
               {"R-hat", Align::kRight},
               {"bulk ESS", Align::kRight},
               {"tail ESS", Align::kRight},
               {"autocorr.", Align::kRight}});
  for (const v1::ObservableSummary& o : summary.observables()) {
    table.Add({o.name(), Optional(o.has_mean(), o.mean()),
               Optional(o.has_mean_standard_error(), o.mean_standard_error()),
               Optional(o.has_standard_deviation(), o.standard_deviation()), Quantile(o, 0),
               Quantile(o, 1), Quantile(o, 2), Optional(o.has_rhat(), o.rhat()),
               Optional(o.has_bulk_effective_sample_size(), o.bulk_effective_sample_size()),
               Optional(o.has_tail_effective_sample_size(), o.tail_effective_sample_size()),
               Optional(o.has_autocorrelation_time(), o.autocorrelation_time())});
  }
  return table.ToString();
}

std::string SamplersTable(const v1::JobSummary& summary) {
  using Align = Table::Align;
  Table table({{"chain", Align::kRight},
               {"acceptance", Align::kRight},
               {"step size", Align::kRight},
               {"divergences", Align::kRight},
               {"E-BFMI", Align::kRight}});
  for (const v1::SamplerSummary& sampler : summary.samplers()) {
    table.Add({Grouped(sampler.chain()), Optional(sampler.has_acceptance(), sampler.acceptance()),
               Optional(sampler.has_step_size(), sampler.step_size()),
               sampler.has_divergences() ? Grouped(sampler.divergences()) : "-",
               Optional(sampler.has_energy_fraction(), sampler.energy_fraction())});
  }
  return table.ToString();
}

// "a, b and 3 more".
std::string Some(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 4;
  if (names.size() <= kMost) return absl::StrJoin(names, ", ");
  return absl::StrCat(
      absl::StrJoin(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(kMost), ", "),
      " and ", names.size() - kMost, " more");
}

// What a statistician would say first.
std::vector<std::string> Warnings(const v1::JobSummary& summary) {
  std::vector<std::string> disagreeing;
  std::vector<std::string> small;
  for (const v1::ObservableSummary& observable : summary.observables()) {
    if (observable.rhat() > kGreatestRhat) disagreeing.push_back(observable.name());
    const double size =
        std::min(observable.bulk_effective_sample_size(), observable.tail_effective_sample_size());
    if (observable.has_bulk_effective_sample_size() &&
        size < kLeastSizePerChain * summary.chains_size()) {
      small.push_back(observable.name());
    }
  }
  std::vector<std::string> warnings;
  if (!disagreeing.empty()) {
    warnings.push_back(absl::StrCat("R-hat is above ", kGreatestRhat,
                                    ": the chains do not agree on ", Some(disagreeing), "."));
  }
  if (!small.empty()) {
    warnings.push_back(absl::StrCat("Fewer than ", kLeastSizePerChain,
                                    " effective samples per chain, so that R-hat and errors are "
                                    "rough: ",
                                    Some(small), "."));
  }
  std::int64_t divergences = 0;
  bool low_energy = false;
  for (const v1::SamplerSummary& sampler : summary.samplers()) {
    divergences += sampler.divergences();
    low_energy |= sampler.has_energy_fraction() && sampler.energy_fraction() < kLeastEnergyFraction;
  }
  if (divergences > 0) {
    warnings.push_back(absl::StrCat(Grouped(divergences),
                                    " divergent steps: a part of the posterior is missed. Raise "
                                    "target_acceptance, or choose other priors."));
  }
  if (low_energy) {
    warnings.push_back(absl::StrCat("E-BFMI is below ", kLeastEnergyFraction,
                                    " in a chain: it has trouble reaching the tails."));
  }
  return warnings;
}

}  // namespace

std::string Statistics(const v1::JobSummary& summary) {
  std::string text;
  if (summary.chains().empty()) {
    text = "No points after warm-up yet.\n";
  } else {
    text = absl::StrCat(summary.name(), ": ", Grouped(summary.chains_size()), " chains, ",
                        Grouped(summary.points_per_chain()), " points each, ",
                        Grouped(summary.stride()), summary.stride() == 1 ? " sweep" : " sweeps",
                        " apart\n\n", ObservablesTable(summary));
  }
  if (!summary.samplers().empty()) absl::StrAppend(&text, "\n", SamplersTable(summary));
  std::vector<std::string> remarks = Warnings(summary);
  remarks.insert(remarks.end(), summary.notes().begin(), summary.notes().end());
  if (!remarks.empty()) absl::StrAppend(&text, "\n", absl::StrJoin(remarks, "\n"), "\n");
  return text;
}

}  // namespace posteriord::client
