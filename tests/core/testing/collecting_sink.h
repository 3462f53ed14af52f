// Keeps everything a chain hands over.
#ifndef POSTERIORD_TESTS_CORE_TESTING_COLLECTING_SINK_H_
#define POSTERIORD_TESTS_CORE_TESTING_COLLECTING_SINK_H_

#include <bit>
#include <cstdint>
#include <vector>

#include "core/sampling/sample_sink.h"

namespace posteriord::testing {

// Numbers as bits, so that NaN equals itself and +0 differs from -0.
inline std::vector<std::uint64_t> BitsOf(absl::Span<const double> values) {
  std::vector<std::uint64_t> bits;
  for (const double value : values) bits.push_back(std::bit_cast<std::uint64_t>(value));
  return bits;
}

class CollectingSink final : public core::SampleSink {
 public:
  struct Draw {
    std::int64_t index;
    std::int64_t sweep;
    bool warmup;
    std::vector<double> values;

    bool operator==(const Draw& other) const {
      return index == other.index && sweep == other.sweep && warmup == other.warmup &&
             BitsOf(values) == BitsOf(other.values);
    }
  };
  struct Point {
    std::int64_t sweep;
    bool even;
    bool logarithmic;
    std::vector<double> values;

    bool operator==(const Point& other) const {
      return sweep == other.sweep && even == other.even && logarithmic == other.logarithmic &&
             BitsOf(values) == BitsOf(other.values);
    }
  };
  struct Predictive {
    std::int64_t sweep;
    std::int64_t draws;
    std::vector<double> values;

    bool operator==(const Predictive& other) const {
      return sweep == other.sweep && draws == other.draws && BitsOf(values) == BitsOf(other.values);
    }
  };

  absl::Status AppendDraw(const core::Draw& draw) override {
    draws.push_back({draw.index, draw.sweep, draw.warmup,
                     std::vector<double>(draw.values.begin(), draw.values.end())});
    return absl::OkStatus();
  }
  absl::Status AppendTrace(const core::TracePoint& point) override {
    trace.push_back({point.sweep, point.even, point.logarithmic,
                     std::vector<double>(point.values.begin(), point.values.end())});
    return absl::OkStatus();
  }
  absl::Status AppendPredictive(const core::PredictiveSum& sum) override {
    predictives.push_back(
        {sum.sweep, sum.draws, std::vector<double>(sum.values.begin(), sum.values.end())});
    return absl::OkStatus();
  }

  bool operator==(const CollectingSink& other) const {
    return draws == other.draws && trace == other.trace && predictives == other.predictives;
  }

  std::vector<Draw> draws;
  std::vector<Point> trace;
  std::vector<Predictive> predictives;
};

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_TESTING_COLLECTING_SINK_H_
