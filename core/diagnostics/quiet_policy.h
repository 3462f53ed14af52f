// How Boost.Math is called where arguments are in range by construction: still, no exception may
// come out. Internal to core/diagnostics.
#ifndef POSTERIORD_CORE_DIAGNOSTICS_QUIET_POLICY_H_
#define POSTERIORD_CORE_DIAGNOSTICS_QUIET_POLICY_H_

#include <boost/math/policies/policy.hpp>

namespace posteriord::core {

using QuietPolicy = boost::math::policies::policy<
    boost::math::policies::domain_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::evaluation_error<boost::math::policies::ignore_error>,
    boost::math::policies::promote_double<false>>;

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DIAGNOSTICS_QUIET_POLICY_H_
