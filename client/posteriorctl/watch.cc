#include "client/posteriorctl/watch.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/posteriorctl/live_display.h"
#include "client/posteriorctl/progress.h"
#include "posteriord/names.h"

namespace posteriord::client {
namespace {

constexpr absl::Duration kLineInterval = absl::Seconds(5);

// Draws a job's progress as well as the console can.
class ProgressView {
 public:
  explicit ProgressView(Console& console) : console_(console), display_(console.err) {}

  void Update(const v1::Job& job) {
    progress_.set_notice("");
    progress_.Update(job, absl::Now());
    Draw(std::exchange(state_, job.state()) != job.state());
  }

  void Notice(const std::string& text) {
    progress_.set_notice(text);
    if (state_ != v1::Job::STATE_UNSPECIFIED) Draw(false);
  }

 private:
  // A line is drawn at once when `changed`, else when the last one is old enough.
  void Draw(bool changed) {
    const absl::Time now = absl::Now();
    if (const Screen screen = console_.screen(); screen.live) {
      display_.Show(progress_.Lines(now, screen));
    } else if (changed || now - last_line_ >= kLineInterval) {
      console_.err << progress_.Line() << "\n" << std::flush;
      last_line_ = now;
    }
  }

  Console& console_;
  LiveDisplay display_;
  JobProgress progress_;
  v1::Job::State state_ = v1::Job::STATE_UNSPECIFIED;
  absl::Time last_line_ = absl::InfinitePast();
};

}  // namespace

absl::StatusOr<v1::Job> WatchUntilEnd(Session& session, const std::string& name) {
  v1::WatchJobRequest request;
  request.set_name(name);
  const std::unique_ptr<JobWatch> watch = session.client().WatchJob(std::move(request));
  const Interrupts::Scope interrupt(session.console().interrupts, [&] { watch->Cancel(); });
  ProgressView view(session.console());
  const Session::RetryScope retry(session, [&](const std::string& text) { view.Notice(text); });
  v1::Job job;
  while (true) {
    const absl::StatusOr<const v1::WatchJobResponse*> message = watch->Next();
    if (!message.ok()) return message.status();
    if (*message == nullptr) return job;
    job = (*message)->job();
    view.Update(job);
    if (session.json()) session.PrintJson(job, /*one_line=*/true);
  }
}

void NoteThatJobGoesOn(Session& session, const std::string& name) {
  session.Note(absl::StrCat(
      "the job goes on; watch it again:  ", session.command(), " job watch ", JobName(name),
      "\n                  or stop it:        ", session.command(), " job cancel ", JobName(name)));
}

ExitCode Outcome(const v1::Job& job) {
  switch (job.state()) {
    case v1::Job::STATE_FAILED:
      return kJobFailed;
    case v1::Job::STATE_CANCELLED:
      return kJobCancelled;
    default:
      return kSuccess;
  }
}

}  // namespace posteriord::client
