// When to take a checkpoint.
#ifndef POSTERIORD_SERVER_JOBS_CHECKPOINT_SCHEDULE_H_
#define POSTERIORD_SERVER_JOBS_CHECKPOINT_SCHEDULE_H_

#include <chrono>
#include <optional>

namespace posteriord::server {

// The first at once, the next ones `interval` apart, but so seldom that they take at most 5% of the
// time the chain spends sampling: a chain's state may be hundreds of megabytes.
class CheckpointSchedule {
 public:
  using Duration = std::chrono::steady_clock::duration;
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit CheckpointSchedule(Duration interval) : interval_(interval) {}

  // `busy`: time spent sampling so far.
  bool IsDue(TimePoint now, Duration busy) const {
    return !last_.has_value() || (now - last_->time >= interval_ &&
                                  busy - last_->busy >= last_->cost * kLeastBusyPerCost);
  }

  // A checkpoint was taken, and took `cost`; one that was read counts as well, with no cost.
  void Taken(TimePoint now, Duration busy, Duration cost) { last_ = {now, busy, cost}; }

 private:
  static constexpr int kLeastBusyPerCost = 20;

  struct Checkpoint {
    TimePoint time;
    Duration busy;
    Duration cost;
  };

  const Duration interval_;
  std::optional<Checkpoint> last_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_CHECKPOINT_SCHEDULE_H_
