// Records with recognisable contents.
#ifndef POSTERIORD_TESTS_SERVER_STORE_TESTING_RECORDS_H_
#define POSTERIORD_TESTS_SERVER_STORE_TESTING_RECORDS_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "server/store/byte_codec.h"
#include "server/store/job_store.h"

namespace posteriord::server {

inline JobRecord MakeJob(const std::string& id) {
  JobRecord record;
  record.id = id;
  record.body = "body of " + id;
  record.create_time_us = 1'700'000'000'000'000;
  return record;
}

// `count` draws of 3 numbers each that follow from chain and draw.
inline DrawRecord MakeDraws(int chain, std::int64_t first, std::int64_t count) {
  DrawRecord record;
  record.first_draw = first;
  std::vector<double> values;
  for (std::int64_t draw = first; draw < first + count; ++draw) {
    record.sweeps.push_back(10 * (draw + 1));
    for (int parameter = 0; parameter < 3; ++parameter) {
      values.push_back(1000.0 * chain + static_cast<double>(draw) + 0.25 * parameter);
    }
  }
  record.values = BytesOf(values);
  return record;
}

inline TraceRecord MakePoint(int chain, std::int64_t index) {
  TraceRecord record;
  record.index = index;
  record.sweep = 5 * index;
  record.even = index % 2 == 0;
  record.logarithmic = index % 3 == 0;
  record.values = {1.5 * static_cast<double>(index), -static_cast<double>(chain)};
  return record;
}

inline PredictiveRecord MakePredictive(int chain, std::int64_t sweep) {
  return {sweep, sweep / 10, {static_cast<double>(chain), static_cast<double>(sweep)}};
}

// A commit that continues a chain by `draws` draws (in one record) and `points` trace points.
inline ChainCommit MakeCommit(int chain, std::int64_t expected_draws, std::int64_t draws,
                              std::int64_t expected_points, std::int64_t points) {
  ChainCommit commit;
  commit.chain = chain;
  commit.expected_draws = expected_draws;
  commit.expected_points = expected_points;
  if (draws > 0) commit.draws.push_back(MakeDraws(chain, expected_draws, draws));
  for (std::int64_t i = 0; i < points; ++i) {
    commit.points.push_back(MakePoint(chain, expected_points + i));
  }
  commit.sweeps = 10 * (expected_draws + draws);
  commit.busy_seconds = 0.5 * static_cast<double>(commit.sweeps);
  return commit;
}

// Equality and printing, for expectations.
inline bool operator==(const JobRecord& a, const JobRecord& b) {
  return a.id == b.id && a.state == b.state && a.labels == b.labels &&
         a.dataset_id == b.dataset_id && a.body == b.body && a.outcome == b.outcome &&
         a.create_time_us == b.create_time_us && a.start_time_us == b.start_time_us &&
         a.end_time_us == b.end_time_us;
}
inline bool operator==(const DrawRecord& a, const DrawRecord& b) {
  return a.first_draw == b.first_draw && a.sweeps == b.sweeps && a.warmup_draws == b.warmup_draws &&
         a.values == b.values;
}
inline bool operator==(const TraceRecord& a, const TraceRecord& b) {  // NaN equals itself
  return a.index == b.index && a.sweep == b.sweep && a.even == b.even &&
         a.logarithmic == b.logarithmic && BytesOf(a.values) == BytesOf(b.values);
}
inline bool operator==(const PredictiveRecord& a, const PredictiveRecord& b) {
  return a.sweep == b.sweep && a.draws == b.draws && BytesOf(a.values) == BytesOf(b.values);
}
inline bool operator==(const DiagnosticsRecord& a, const DiagnosticsRecord& b) {
  return a.index == b.index && a.sweep == b.sweep && a.body == b.body;
}
inline bool operator==(const ChainPosition& a, const ChainPosition& b) {
  return a.draws == b.draws && a.points == b.points && a.sweeps == b.sweeps &&
         a.busy_seconds == b.busy_seconds;
}

inline void PrintTo(const JobRecord& record, std::ostream* os) { *os << "job " << record.id; }
inline void PrintTo(const DrawRecord& record, std::ostream* os) {
  *os << record.sweeps.size() << " draws from " << record.first_draw;
}
inline void PrintTo(const TraceRecord& record, std::ostream* os) {
  *os << "point " << record.index << " at sweep " << record.sweep;
}
inline void PrintTo(const PredictiveRecord& record, std::ostream* os) {
  *os << "sum of " << record.draws << " at sweep " << record.sweep;
}
inline void PrintTo(const DiagnosticsRecord& record, std::ostream* os) {
  *os << "evaluation " << record.index << " at sweep " << record.sweep << ": " << record.body;
}
inline void PrintTo(const ChainPosition& position, std::ostream* os) {
  *os << position.draws << " draws, " << position.points << " points, " << position.sweeps
      << " sweeps, " << position.busy_seconds << " s";
}

}  // namespace posteriord::server

#endif  // POSTERIORD_TESTS_SERVER_STORE_TESTING_RECORDS_H_
