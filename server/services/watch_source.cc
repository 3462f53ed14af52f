#include "server/services/watch_source.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/field_violation.h"
#include "server/base/status_macros.h"
#include "server/store/job_store.h"

namespace posteriord::server {
namespace {

using std::chrono::system_clock;

constexpr int kDefaultIntervalMs = 200;
constexpr int kMaxIntervalMs = 60'000;

class WatchSource final : public StreamSource<v1::WatchJobResponse> {
 public:
  WatchSource(std::function<absl::StatusOr<v1::Job>()> snapshot, std::chrono::milliseconds interval,
              std::function<system_clock::time_point()> now)
      : snapshot_(std::move(snapshot)), interval_(interval), now_(std::move(now)) {}

  absl::StatusOr<std::optional<v1::WatchJobResponse>> Next() override {
    retry_at_.reset();
    ASSIGN_OR_RETURN(v1::Job job, snapshot_());
    if (sent_version_ == job.version()) return std::nullopt;
    finished_ = IsFinal(static_cast<JobState>(job.state()));
    const system_clock::time_point now = now_();
    if (!finished_ && sent_version_.has_value() && now < sent_at_ + interval_) {
      retry_at_ = sent_at_ + interval_;
      return std::nullopt;
    }
    sent_version_ = job.version();
    sent_at_ = now;
    v1::WatchJobResponse response;
    *response.mutable_job() = std::move(job);
    return response;
  }

  bool finished() const override { return finished_; }
  std::optional<system_clock::time_point> retry_at() const override { return retry_at_; }

 private:
  const std::function<absl::StatusOr<v1::Job>()> snapshot_;
  const std::chrono::milliseconds interval_;
  const std::function<system_clock::time_point()> now_;
  std::optional<std::int64_t> sent_version_;
  system_clock::time_point sent_at_;
  std::optional<system_clock::time_point> retry_at_;
  bool finished_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StreamSource<v1::WatchJobResponse>>> MakeWatchSource(
    std::function<absl::StatusOr<v1::Job>()> snapshot, const v1::WatchJobRequest& request,
    std::function<system_clock::time_point()> now) {
  const int interval =
      request.has_min_interval_ms() ? request.min_interval_ms() : kDefaultIntervalMs;
  if (interval < 0 || interval > kMaxIntervalMs) {
    return FieldViolation("min_interval_ms", absl::StrCat("must be from 0 to ", kMaxIntervalMs));
  }
  return std::make_unique<WatchSource>(std::move(snapshot), std::chrono::milliseconds(interval),
                                       std::move(now));
}

}  // namespace posteriord::server
