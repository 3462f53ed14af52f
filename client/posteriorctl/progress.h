// How far a watched job is, drawn as text.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_PROGRESS_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_PROGRESS_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "posteriord/v1/job.pb.h"

namespace posteriord::client {

// What can be drawn on.
struct Screen {
  bool live = false;  // lines can be redrawn in place
  int width = 80;
  int height = 24;
  bool unicode = false;
  bool color = false;
};

// A bar of `width` columns of which `share` (0 to 1) is filled.
std::string Bar(double share, int width, bool unicode);

// Turns snapshots of a job into progress bars. Speeds are sweeps per second of wall-clock time,
// over about the last ten seconds; before two snapshots differ, those that the server tells. A
// function of its arguments: knows neither clock nor terminal.
class JobProgress {
 public:
  // Takes in a snapshot received at `now`.
  void Update(const v1::Job& job, absl::Time now);

  // A line to show in place of the verdict, such as that the connection is lost; empty for none.
  void set_notice(std::string notice) { notice_ = std::move(notice); }

  // At most screen.height - 1 lines: the job, a bar per chain (chains that do not fit are counted),
  // the predictive error, the verdict. REQUIRES: Update was called.
  std::vector<std::string> Lines(absl::Time now, const Screen& screen) const;

  // All of it in one line. REQUIRES: Update was called.
  std::string Line() const;

 private:
  struct Point {
    absl::Time time;
    std::int64_t sweeps;
  };

  // Of a chain, by its place in the job. Sweeps per second; none before the first sweeps.
  std::optional<double> Speed(int chain) const;
  std::optional<absl::Duration> TimeLeft(int chain) const;

  v1::Job job_;
  std::vector<std::deque<Point>> history_;  // per chain: when its sweeps changed
  std::string notice_;
};

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_PROGRESS_H_
