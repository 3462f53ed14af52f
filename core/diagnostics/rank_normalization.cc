#include "core/diagnostics/rank_normalization.h"

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/diagnostics/quiet_policy.h"

namespace posteriord::core {
namespace {

double NormalQuantile(double probability) {
  return -boost::math::constants::root_two<double>() *
         boost::math::erfc_inv(2 * probability, QuietPolicy());
}

}  // namespace

std::vector<double> RankNormalize(absl::Span<const double> values) {
  const std::size_t n = values.size();
  std::vector<std::pair<double, std::size_t>> order(n);  // value, index
  for (std::size_t i = 0; i < n; ++i) order[i] = {values[i], i};
  std::sort(order.begin(), order.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });

  std::vector<double> scores(n);
  for (std::size_t first = 0; first < n;) {
    std::size_t end = first + 1;
    while (end < n && order[end].first == order[first].first) ++end;
    const double rank = static_cast<double>(first + 1 + end) / 2;  // average of first + 1 .. end
    const double score = NormalQuantile((rank - 0.375) / (static_cast<double>(n) + 0.25));
    for (; first < end; ++first) scores[order[first].second] = score;
  }
  return scores;
}

}  // namespace posteriord::core
