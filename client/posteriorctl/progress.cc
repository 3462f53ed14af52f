#include "client/posteriorctl/progress.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/posteriorctl/job_facts.h"
#include "client/posteriorctl/text.h"

namespace posteriord::client {
namespace {

constexpr absl::Duration kSpeedWindow = absl::Seconds(10);
constexpr std::size_t kMaxPoints = 128;  // per chain
constexpr int kMinBarWidth = 10;
constexpr int kMaxBarWidth = 40;

constexpr char kRed[] = "\x1b[31m";
constexpr char kGreen[] = "\x1b[32m";
constexpr char kYellow[] = "\x1b[33m";
constexpr char kCyan[] = "\x1b[36m";
constexpr char kPlain[] = "\x1b[0m";

std::string Colored(const std::string& text, const char* color, const Screen& screen) {
  return screen.color ? absl::StrCat(color, text, kPlain) : text;
}

double Share(std::int64_t part, std::int64_t whole) {
  if (whole <= 0) return 0;
  return std::clamp(static_cast<double>(part) / static_cast<double>(whole), 0.0, 1.0);
}

// Rounded down: 100% means done.
std::string WholePercent(double share) {
  return absl::StrCat(static_cast<int>(std::floor(100 * share + 1e-9)), "%");
}

std::string PaddedLeft(const std::string& text, int width) {
  return std::string(static_cast<std::size_t>(std::max(0, width - DisplayWidth(text))), ' ') + text;
}

std::string PaddedRight(const std::string& text, int width) {
  return text + std::string(static_cast<std::size_t>(std::max(0, width - DisplayWidth(text))), ' ');
}

const char* VerdictColor(v1::ThermalizationState state) {
  switch (state) {
    case v1::THERMALIZATION_STATE_THERMALIZED:
      return kGreen;
    case v1::THERMALIZATION_STATE_NOT_THERMALIZED:
      return kRed;
    case v1::THERMALIZATION_STATE_TOO_EARLY:
    case v1::THERMALIZATION_STATE_NOT_YET:
      return kYellow;
    default:
      return "";
  }
}

std::string Title(const v1::Job& job) {
  std::string title = job.name();
  if (!job.display_name().empty()) {
    absl::StrAppend(&title, " (", Printable(job.display_name()), ")");
  }
  return title;
}

}  // namespace

std::string Bar(double share, int width, bool unicode) {
  share = std::clamp(share, 0.0, 1.0);
  std::string bar;
  if (!unicode) {
    const int inner = std::max(0, width - 2);
    const int filled = static_cast<int>(share * inner);
    return absl::StrCat("[", std::string(static_cast<std::size_t>(filled), '#'),
                        std::string(static_cast<std::size_t>(inner - filled), '.'), "]");
  }
  constexpr std::array kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(share * width * 8);
  const int full = eighths / 8;
  for (int i = 0; i < full; ++i) absl::StrAppend(&bar, "█");
  absl::StrAppend(&bar, kEighths[static_cast<std::size_t>(eighths % 8)]);
  for (int i = full + (eighths % 8 != 0 ? 1 : 0); i < width; ++i) absl::StrAppend(&bar, "░");
  return bar;
}

void JobProgress::Update(const v1::Job& job, absl::Time now) {
  job_ = job;
  history_.resize(static_cast<std::size_t>(job.chains_size()));
  for (int i = 0; i < job.chains_size(); ++i) {
    std::deque<Point>& points = history_[static_cast<std::size_t>(i)];
    const std::int64_t sweeps = job.chains(i).sweeps();
    // A server restarted from a checkpoint may be behind what it told before.
    if (!points.empty() && sweeps < points.back().sweeps) points.clear();
    if (points.empty() || sweeps > points.back().sweeps) points.push_back({now, sweeps});
    while (points.size() > 2 &&
           (points.size() > kMaxPoints || now - points[1].time > kSpeedWindow)) {
      points.pop_front();
    }
  }
}

std::optional<double> JobProgress::Speed(int chain) const {
  const std::deque<Point>& points = history_[static_cast<std::size_t>(chain)];
  if (points.size() > 1 && points.back().time > points.front().time) {
    return static_cast<double>(points.back().sweeps - points.front().sweeps) /
           absl::ToDoubleSeconds(points.back().time - points.front().time);
  }
  const double told = job_.chains(chain).sweeps_per_second();
  return told > 0 ? std::optional(told) : std::nullopt;
}

std::optional<absl::Duration> JobProgress::TimeLeft(int chain) const {
  const v1::ChainProgress& progress = job_.chains(chain);
  const std::int64_t missing = progress.total_sweeps() - progress.sweeps();
  if (missing <= 0) return absl::ZeroDuration();
  const std::optional<double> speed = Speed(chain);
  if (!speed.has_value()) return std::nullopt;
  return absl::Seconds(static_cast<double>(missing) / *speed);
}

std::vector<std::string> JobProgress::Lines(absl::Time now, const Screen& screen) const {
  const int width = screen.width - 1;  // a full line would wrap on some terminals
  const bool running = !IsFinal(job_.state());

  std::vector<std::string> footer;
  if (const std::string text = PredictiveText(job_); !text.empty()) {
    footer.push_back(Truncated("  " + text, width));
  }
  if (!notice_.empty()) {
    footer.push_back(Colored(Truncated("  " + notice_, width), kYellow, screen));
  } else if (job_.has_diagnostics()) {
    const v1::Diagnostics& diagnostics = job_.diagnostics();
    std::string text = absl::StrCat("  thermalization: ", VerdictText(diagnostics));
    if (!diagnostics.explanation().empty()) {
      absl::StrAppend(&text, " (", Printable(diagnostics.explanation()), ")");
    }
    footer.push_back(Colored(Truncated(text, width), VerdictColor(diagnostics.state()), screen));
  }

  std::vector<std::string> lines;
  std::string title = absl::StrCat(Title(job_), "  ", StateName(job_.state()));
  if (job_.has_start_time()) {
    const absl::Time end = job_.has_end_time() ? ToTime(job_.end_time()) : now;
    absl::StrAppend(&title, "  ", ShortDuration(end - ToTime(job_.start_time())));
  }
  lines.push_back(Truncated(title, width));

  const int room = std::max(1, screen.height - 2 - static_cast<int>(footer.size()));
  const int shown = job_.chains_size() <= room ? job_.chains_size() : room - 1;

  // Cells of every chain shown; a column is as wide as its widest cell.
  enum Column { kChain, kStart, kBar, kShare, kSweeps, kSpeed, kLeft, kColumns };
  std::vector<std::array<std::string, kColumns>> rows(static_cast<std::size_t>(shown));
  std::array<int, kColumns> widths = {};
  for (int i = 0; i < shown; ++i) {
    const v1::ChainProgress& chain = job_.chains(i);
    std::array<std::string, kColumns>& row = rows[static_cast<std::size_t>(i)];
    row[kChain] = absl::StrCat("chain ", chain.chain());
    row[kStart] = StartName(job_, chain);
    row[kShare] = WholePercent(Share(chain.sweeps(), chain.total_sweeps()));
    row[kSweeps] = absl::StrCat(Grouped(chain.sweeps()), "/", Grouped(chain.total_sweeps()));
    if (const std::optional<double> speed = Speed(i)) {
      row[kSpeed] = absl::StrCat(Rounded(*speed), " sweeps/s");
    }
    const std::optional<absl::Duration> left = TimeLeft(i);
    if (chain.sweeps() >= chain.total_sweeps()) {
      row[kLeft] = "done";
    } else if (!running) {
      row[kLeft] = "stopped";
    } else if (left.has_value()) {
      row[kLeft] = absl::StrCat("ETA ", ShortDuration(*left));
    }
    for (std::size_t column = 0; column < kColumns; ++column) {
      widths[column] = std::max(widths[column], DisplayWidth(row[column]));
    }
  }

  // Two columns of indentation, two between cells; the least important cells go first.
  const auto room_for_bar = [&] {
    int used = 2;
    for (const int cell : widths) used += cell > 0 ? cell + 2 : 0;
    return width - used;
  };
  for (const Column column : {kSweeps, kStart, kSpeed, kLeft}) {
    if (room_for_bar() < kMinBarWidth) widths[column] = 0;
  }
  const int bar_width = std::clamp(room_for_bar(), 1, kMaxBarWidth);

  for (int i = 0; i < shown; ++i) {
    const v1::ChainProgress& chain = job_.chains(i);
    const double share = Share(chain.sweeps(), chain.total_sweeps());
    const std::array<std::string, kColumns>& row = rows[static_cast<std::size_t>(i)];
    std::string line = absl::StrCat("  ", PaddedRight(row[kChain], widths[kChain]));
    if (widths[kStart] > 0) absl::StrAppend(&line, "  ", PaddedRight(row[kStart], widths[kStart]));
    absl::StrAppend(
        &line, "  ",
        Colored(Bar(share, bar_width, screen.unicode), share < 1 ? kCyan : kGreen, screen));
    for (const Column column : {kShare, kSweeps, kSpeed}) {
      if (widths[column] > 0) {
        absl::StrAppend(&line, "  ", PaddedLeft(row[column], widths[column]));
      }
    }
    if (widths[kLeft] > 0) absl::StrAppend(&line, "  ", row[kLeft]);
    lines.push_back(std::move(line));
  }
  if (shown < job_.chains_size()) {
    lines.push_back(absl::StrCat("  ... and ", job_.chains_size() - shown, " more chains; all: ",
                                 WholePercent(Share(SweepsMade(job_), SweepsToMake(job_)))));
  }
  lines.insert(lines.end(), footer.begin(), footer.end());
  return lines;
}

std::string JobProgress::Line() const {
  std::string line =
      absl::StrCat(job_.name(), " ", StateName(job_.state()), ": ",
                   WholePercent(Share(SweepsMade(job_), SweepsToMake(job_))), " of ",
                   Grouped(SweepsToMake(job_)), " sweeps in ", job_.chains_size(), " chains");
  double speed = 0;
  std::optional<absl::Duration> left = absl::ZeroDuration();
  for (int i = 0; i < job_.chains_size(); ++i) {
    const std::optional<absl::Duration> chain_left = TimeLeft(i);
    left = left.has_value() && chain_left.has_value() ? std::optional(std::max(*left, *chain_left))
                                                      : std::nullopt;
    if (job_.chains(i).sweeps() < job_.chains(i).total_sweeps()) speed += Speed(i).value_or(0);
  }
  if (!IsFinal(job_.state())) {
    if (speed > 0) absl::StrAppend(&line, ", ", Rounded(speed), " sweeps/s");
    if (left.has_value()) absl::StrAppend(&line, ", ETA ", ShortDuration(*left));
  }
  if (job_.has_diagnostics()) {
    absl::StrAppend(&line, "; thermalization: ", VerdictText(job_.diagnostics()));
  }
  if (!notice_.empty()) absl::StrAppend(&line, "; ", notice_);
  return line;
}

}  // namespace posteriord::client
