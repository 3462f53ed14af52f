#include "client/posteriorctl/probe_command.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client/posteriorctl/job_facts.h"
#include "client/posteriorctl/probe_answer.h"
#include "client/posteriorctl/text.h"
#include "client/posteriorctl/watch.h"

namespace posteriord::client {
namespace {

struct ProbeArguments {
  std::string name;
  std::uint64_t teacher_seed = 0;
  int chains = 2;
  std::optional<std::int64_t> sweeps;
  std::optional<std::int64_t> warmup_sweeps;
  bool detach = false;
};

// Sets the companion's schedule so that a chain makes about the sweeps asked for: what comes after
// warm-up grows or shrinks, and warm-up only when nothing would be left after it.
void SetSchedule(const ProbeArguments& arguments, const v1::Schedule& of_job,
                 v1::ProbeJobRequest& request) {
  if (arguments.warmup_sweeps.has_value()) request.set_warmup_sweeps(*arguments.warmup_sweeps);
  if (!arguments.sweeps.has_value()) return;
  const std::int64_t thinning = std::max<std::int64_t>(1, of_job.thinning());
  std::int64_t warmup = arguments.warmup_sweeps.value_or(of_job.warmup_sweeps());
  if (!arguments.warmup_sweeps.has_value() && warmup >= *arguments.sweeps) {
    warmup = std::max<std::int64_t>(0, *arguments.sweeps - thinning);
    request.set_warmup_sweeps(warmup);
  }
  const std::int64_t rest = *arguments.sweeps - warmup;
  request.set_draws(std::max<std::int64_t>(1, (rest + thinning - 1) / thinning));
}

ExitCode Probe(Session& session, const ProbeArguments& arguments) {
  if (arguments.sweeps.has_value() && arguments.warmup_sweeps.has_value() &&
      *arguments.warmup_sweeps >= *arguments.sweeps) {
    return session.Misuse("--warmup-sweeps must leave some of --sweeps for draws");
  }
  const absl::StatusOr<v1::Job> job = session.client().GetJob(arguments.name);
  if (!job.ok()) return session.Report(job.status());
  v1::ProbeJobRequest request;
  request.set_name(job->name());
  request.set_teacher_seed(arguments.teacher_seed);
  request.set_informed_chains(arguments.chains);
  request.set_other_chains(arguments.chains);
  SetSchedule(arguments, job->spec().schedule(), request);
  const absl::StatusOr<v1::Job> created = session.client().ProbeJob(request);
  if (!created.ok()) return session.Report(created.status());
  if (session.json()) {
    session.PrintJson(*created, !arguments.detach);  // one line when those of the watch follow
  } else {
    session.console().out << created->name() << "\n" << std::flush;
    session.Note(absl::StrCat("  ", created->name(), " is the companion of ", job->name(),
                              ": the same on labels of a teacher; predicted needs: ",
                              Bytes(created->estimate().memory_bytes()), " of memory, ",
                              Bytes(created->estimate().disk_bytes()), " of disk"));
  }
  if (arguments.detach) {
    if (!session.json()) {
      session.Note(absl::StrCat("  ", session.command(), " job watch ", created->name()));
    }
    return kSuccess;
  }

  const absl::StatusOr<v1::Job> companion = WatchUntilEnd(session, created->name());
  if (!companion.ok()) {
    if (session.console().interrupts.happened()) NoteThatJobGoesOn(session, created->name());
    return session.Report(companion.status());
  }
  if (!session.json()) {
    session.console().out << ProbeAnswer(*job, *companion, session.command());
  }
  if (const ExitCode outcome = Outcome(*companion); outcome != kSuccess) return outcome;
  return OutcomeOfProbe(*companion) == ProbeOutcome::kThermalized ? kSuccess : kNotProven;
}

}  // namespace

void AddProbe(CLI::App& group, Command& command) {
  const auto arguments = std::make_shared<ProbeArguments>();
  CLI::App* probe = group.add_subcommand(
      "probe", "Find out whether a job's sampler thermalizes, and the warm-up that it needs");
  probe->add_option("name", arguments->name, "Job on real labels, such as jobs/k3x9 or k3x9")
      ->required();
  probe
      ->add_option("--teacher-seed", arguments->teacher_seed,
                   "Seed of the teacher; another one gives a second opinion")
      ->capture_default_str();
  probe
      ->add_option("--chains", arguments->chains,
                   "Chains that start at the teacher, and as many that start as the job's do")
      ->check(CLI::Range(1, 512))
      ->capture_default_str();
  probe
      ->add_option("--sweeps", arguments->sweeps,
                   "Sweeps of each chain in all (default: as the job)")
      ->check(CLI::PositiveNumber);
  probe
      ->add_option("--warmup-sweeps", arguments->warmup_sweeps,
                   "Those of them before the first draw (default: as the job)")
      ->check(CLI::NonNegativeNumber);
  probe->add_flag("--detach", arguments->detach,
                  "Only create the companion and print its name; do not wait for its end");
  probe->footer(
      "Creates the companion of the job: the same inputs, network, noise and sampler, but labels\n"
      "of a random teacher. Chains that start at the teacher are at equilibrium at once; the\n"
      "sweep from which the others agree with them is the warm-up to give the job. Follows the\n"
      "companion to its end and prints the answer. The companion is a job like any other:\n"
      "  posteriorctl job list --label companion_of=ID\n"
      "\n"
      "Exit codes: 0 the sampler thermalizes; 6 it did not, or the sweeps were too few to tell;\n"
      "3 the companion failed; 4 it was cancelled; 130 interrupted: the companion goes on. With\n"
      "--detach, 0 when the companion was created.");
  probe->callback([&command, arguments] {
    command = [arguments](Session& session) { return Probe(session, *arguments); };
  });
}

}  // namespace posteriord::client
