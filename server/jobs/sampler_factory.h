// How jobs make problems and chains; core's own unless a test wants others.
#ifndef POSTERIORD_SERVER_JOBS_SAMPLER_FACTORY_H_
#define POSTERIORD_SERVER_JOBS_SAMPLER_FACTORY_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "core/sampling/chain.h"
#include "core/sampling/problem.h"

namespace posteriord::server {

struct SamplerFactory {
  std::function<absl::StatusOr<std::shared_ptr<const core::Problem>>(core::Spec, core::Data)>
      create_problem = core::Problem::Create;
  std::function<std::unique_ptr<core::Chain>(std::shared_ptr<const core::Problem>, int)>
      create_chain = core::Chain::Create;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_JOBS_SAMPLER_FACTORY_H_
