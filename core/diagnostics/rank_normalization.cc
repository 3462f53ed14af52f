#include "core/diagnostics/rank_normalization.h"

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <boost/math/policies/policy.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cstddef>
#include <utility>
#include <vector>

namespace posteriord::core {
namespace {

// The arguments are always in (0, 1); still, no exception may come out of here.
using Policy = boost::math::policies::policy<
    boost::math::policies::domain_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::evaluation_error<boost::math::policies::ignore_error>,
    boost::math::policies::promote_double<false>>;

double NormalQuantile(double probability) {
  return -boost::math::constants::root_two<double>() *
         boost::math::erfc_inv(2 * probability, Policy());
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
