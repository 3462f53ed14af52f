// From a chain to the store.
#ifndef POSTERIORD_SERVER_JOBS_CHAIN_RECORDER_H_
#define POSTERIORD_SERVER_JOBS_CHAIN_RECORDER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "core/sampling/sample_sink.h"
#include "server/store/job_store.h"

namespace posteriord::server {

// Gathers what one chain hands over and commits it in batches that end between sweeps. What a
// restarted chain repeats is compared with what is stored, byte for byte, and not stored again.
// Errors: those of JobStore::Commit; DATA_LOSS when a chain does not repeat itself.
// Not thread-safe.
class ChainRecorder final : public core::SampleSink {
 public:
  struct Options {
    std::string job;
    int chain = 0;
    int storage_bytes = 8;  // of a stored number
    // Told of every commit after it has succeeded.
    std::function<void(const ChainCommit&)> on_commit = [](const ChainCommit&) {};
  };

  // `stored`: what the store holds of the chain. REQUIRES: the store outlives the recorder.
  ChainRecorder(JobStore& store, Options options, const ChainPosition& stored);

  // The chain goes on from where it had handed over `points` trace points. Before the first append.
  void SkipPoints(std::int64_t points) { next_point_ = points; }

  absl::Status AppendDraw(const core::Draw& draw) override;
  absl::Status AppendTrace(const core::TracePoint& point) override;
  absl::Status AppendPredictive(const core::PredictiveSum& sum) override;

  // Adds to the time spent sampling; stored with the next commit.
  void AddBusySeconds(double seconds) { busy_seconds_ += seconds; }
  double busy_seconds() const { return busy_seconds_; }

  // Makes everything handed over durable, with the number of sweeps made and a new checkpoint, if
  // any. Without anything new there is no commit.
  absl::Status Commit(std::int64_t sweeps, std::optional<std::string> checkpoint);

  // Trace points handed over.
  std::int64_t points() const { return next_point_; }
  // Last sweep of which something was handed over; at first, the sweeps stored.
  std::int64_t last_sweep() const { return last_sweep_; }

 private:
  // Whether the sweep is one that the store already has.
  bool IsReplay(std::int64_t sweep) const { return sweep <= replay_until_; }

  // Commits before the first append of another sweep when enough has been gathered.
  absl::Status MakeRoom(std::int64_t sweep);
  void Gather(const core::Draw& draw);

  absl::Status CompareDraw(const core::Draw& draw);
  absl::Status CompareTrace(const core::TracePoint& point);
  absl::Status ComparePredictive(const core::PredictiveSum& sum);

  // `values` as they are stored, valid until the next call.
  std::string_view Stored(absl::Span<const double> values);

  JobStore& store_;
  const Options options_;
  const std::int64_t replay_until_;  // sweep

  ChainPosition stored_;
  ChainCommit gathered_;
  std::size_t gathered_bytes_ = 0;
  std::int64_t next_point_ = 0;
  std::int64_t last_sweep_;
  double busy_seconds_;

  std::vector<float> narrowed_;  // workspace of Stored()

  // While replaying: stored records around the present place.
  DrawRecord replayed_draws_;
  std::vector<TraceRecord> replayed_points_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_CHAIN_RECORDER_H_
