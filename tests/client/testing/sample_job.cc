#include "tests/client/testing/sample_job.h"

#include <algorithm>
#include <limits>
#include <string>

#include "google/protobuf/text_format.h"

namespace posteriord::testing {
namespace {

constexpr char kJob[] = R"pb(
  name: "jobs/a1"
  display_name: "student and teacher"
  labels { key: "suite" value: "demo" }
  spec {
    network {
      layers {
        name: "dense1"
        noise_variance: 0.01
        dense { units: 2 }
      }
      likelihood { gaussian {} }
    }
    data {
      gaussian { dimension: 3 train_samples: 2000 test_samples: 500 seed: 4 }
      teacher { seed: 5 }
    }
    sampler { gibbs {} }
    chain_groups {
      informed {}
      chains: 2
    }
    chain_groups {
      zero {}
      chains: 2
    }
    schedule { warmup_sweeps: 40 draws: 6 thinning: 10 storage: PRECISION_FLOAT64 }
    seed: 7
    precision: PRECISION_FLOAT64
  }
  state: STATE_SUCCEEDED
  create_time { seconds: 1740837900 }
  start_time { seconds: 1740837909 }
  end_time { seconds: 1740838101 }
  chains {
    chain: 0
    group: 0
    sweeps: 100
    total_sweeps: 100
    draws: 6
    total_draws: 6
    sweeps_per_second: 410
  }
  chains {
    chain: 1
    group: 0
    sweeps: 100
    total_sweeps: 100
    draws: 6
    total_draws: 6
    sweeps_per_second: 412
  }
  chains {
    chain: 2
    group: 1
    sweeps: 100
    total_sweeps: 100
    draws: 6
    total_draws: 6
    sweeps_per_second: 425
  }
  chains {
    chain: 3
    group: 1
    sweeps: 100
    total_sweeps: 100
    draws: 6
    total_draws: 6
    sweeps_per_second: 420
  }
  parameters { name: "dense1.weight" shape: 2 shape: 3 offset: 0 }
  parameters { name: "dense1.bias" shape: 2 offset: 6 }
  observables { name: "test_error" monitored: true }
  observables { name: "dense1.weight_norm" monitored: true }
  diagnostics {
    sweep: 100
    state: THERMALIZATION_STATE_THERMALIZED
    thermalized_since_sweep: 60
    observables {
      name: "test_error"
      state: THERMALIZATION_STATE_THERMALIZED
      thermalized_since_sweep: 60
      informed_mean: 0.00031
      informed_standard_deviation: 2e-05
      uninformed_mean: 0.00032
      worst_distance: 0.71
      split_rhat: 1.0104
      effective_sample_size: 1312.4
      min_chain_effective_sample_size: 301
    }
    observables {
      name: "dense1.weight_norm"
      state: THERMALIZATION_STATE_THERMALIZED
      thermalized_since_sweep: 50
      informed_mean: 1.42
      informed_standard_deviation: 0.03
      uninformed_mean: 1.43
      worst_distance: 0.5
      split_rhat: 1.002
      effective_sample_size: 900
      min_chain_effective_sample_size: 200
    }
    pooled_predictive_test_error: 0.000164
    informed_predictive_test_error: 0.000162
    explanation: "all 2 monitored observables agree since sweep 60"
  }
  data_summary { train_samples: 2000 test_samples: 500 }
  estimate { memory_bytes: 12345678 disk_bytes: 20480 }
  version: 12
)pb";

template <typename Float>
void Append(double value, std::string& bytes) {
  const auto number = static_cast<Float>(value);
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

}  // namespace

v1::Job SampleJob() {
  v1::Job job;
  google::protobuf::TextFormat::ParseFromString(kJob, &job);
  return job;
}

double SampleValue(int chain, std::int64_t draw, std::int64_t parameter) {
  return 100 * chain + static_cast<double>(draw) + static_cast<double>(parameter) / 16;
}

std::vector<v1::StreamDrawsResponse> SampleDraws(const DrawScript& script) {
  std::vector<v1::StreamDrawsResponse> messages;
  const int chains = static_cast<int>(script.draws_per_chain.size());
  const int longest =
      *std::max_element(script.draws_per_chain.begin(), script.draws_per_chain.end());
  const int part =
      script.parameters_per_chunk > 0 ? script.parameters_per_chunk : kSampleParameters;
  const int draws_per_chunk = script.parameters_per_chunk > 0 ? 1 : script.draws_per_chunk;
  for (int begin = 0; begin < longest; begin += draws_per_chunk) {
    for (int chain = 0; chain < chains; ++chain) {
      const int end = std::min(begin + draws_per_chunk,
                               script.draws_per_chain[static_cast<std::size_t>(chain)]);
      if (begin >= end) continue;
      for (int first = 0; first < kSampleParameters; first += part) {
        const int count = std::min(part, kSampleParameters - first);
        v1::DrawChunk& chunk = *messages.emplace_back().mutable_chunk();
        chunk.set_chain(chain);
        chunk.set_first_parameter(first);
        chunk.set_parameter_count(count);
        chunk.set_precision(script.precision);
        chunk.set_warmup_draws(std::clamp(script.warmup_draws - begin, 0, end - begin));
        for (int draw = begin; draw < end; ++draw) {
          chunk.add_draws(draw);
          chunk.add_sweeps(10 * (draw + 1));
          for (int parameter = first; parameter < first + count; ++parameter) {
            const double value = SampleValue(chain, draw, parameter);
            if (script.precision == v1::PRECISION_FLOAT32) {
              Append<float>(value, *chunk.mutable_values());
            } else {
              Append<double>(value, *chunk.mutable_values());
            }
          }
        }
      }
    }
  }
  messages.emplace_back().mutable_end()->set_state(v1::Job::STATE_SUCCEEDED);
  return messages;
}

std::vector<v1::StreamTraceResponse> SampleTrace(int points) {
  std::vector<v1::StreamTraceResponse> messages;
  for (int chain = 0; chain < 4; ++chain) {
    for (int begin = 0; begin < points; begin += 2) {
      v1::TraceChunk& chunk = *messages.emplace_back().mutable_chunk();
      chunk.set_chain(chain);
      for (int point = begin; point < std::min(begin + 2, points); ++point) {
        chunk.add_sweeps(10 * point);
        chunk.add_values(chain + point / 8.0);
        chunk.add_values(point == 0 ? std::numeric_limits<double>::quiet_NaN() : point + 0.5);
      }
    }
  }
  messages.emplace_back().mutable_end()->set_state(v1::Job::STATE_SUCCEEDED);
  return messages;
}

}  // namespace posteriord::testing
