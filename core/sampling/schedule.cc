#include "core/sampling/schedule.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace posteriord::core {
namespace {

constexpr std::int64_t kQuintillion = 1'000'000'000'000'000'000;  // 10^18

// round(10^(18 + j/20)). Integers, so that no platform rounds a point differently.
constexpr std::array<std::int64_t, 20> kDecade = {
    1'000'000'000'000'000'000, 1'122'018'454'301'963'436, 1'258'925'411'794'167'210,
    1'412'537'544'622'754'302, 1'584'893'192'461'113'485, 1'778'279'410'038'922'801,
    1'995'262'314'968'879'601, 2'238'721'138'568'339'612, 2'511'886'431'509'580'111,
    2'818'382'931'264'453'819, 3'162'277'660'168'379'332, 3'548'133'892'335'754'584,
    3'981'071'705'534'972'508, 4'466'835'921'509'631'186, 5'011'872'336'272'722'850,
    5'623'413'251'903'490'804, 6'309'573'444'801'932'494, 7'079'457'843'841'379'108,
    7'943'282'347'242'815'021, 8'912'509'381'337'455'300};

struct PointTable {
  std::array<std::int64_t, 19 * kDecade.size()> points{};
  std::size_t size = 0;
};

// round(10^(k/20)) without repetitions, up to 8.9e18.
constexpr PointTable MakePointTable() {
  PointTable table;
  for (std::int64_t unit = kQuintillion; unit > 0; unit /= 10) {
    for (const std::int64_t mantissa : kDecade) {
      const std::int64_t point = mantissa / unit + (mantissa % unit >= unit - unit / 2 ? 1 : 0);
      if (table.size == 0 || table.points[table.size - 1] != point) {
        table.points[table.size++] = point;
      }
    }
  }
  return table;
}

constexpr PointTable kTable = MakePointTable();

}  // namespace

std::int64_t EvenStride(const ObservationSpec& observation, std::int64_t sweep) {
  std::int64_t stride = observation.initial_stride;
  for (std::int64_t intervals = sweep / stride; intervals > observation.max_points;
       intervals /= 2) {
    stride *= 2;
  }
  return stride;
}

bool IsEvenPoint(const ObservationSpec& observation, std::int64_t sweep) {
  return sweep % EvenStride(observation, sweep) == 0;
}

bool IsLogarithmicPoint(std::int64_t sweep, std::int64_t total) {
  return sweep == 0 || sweep == total || NextLogarithmicPoint(sweep - 1, total) == sweep;
}

std::int64_t NextLogarithmicPoint(std::int64_t sweep, std::int64_t total) {
  assert(sweep < total);
  const auto end = kTable.points.begin() + kTable.size;
  const auto next = std::upper_bound(kTable.points.begin(), end, sweep);
  return next == end ? total : std::min(*next, total);
}

}  // namespace posteriord::core
