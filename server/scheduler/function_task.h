// A function as a task.
#ifndef POSTERIORD_SERVER_SCHEDULER_FUNCTION_TASK_H_
#define POSTERIORD_SERVER_SCHEDULER_FUNCTION_TASK_H_

#include <functional>
#include <memory>
#include <utility>

#include "server/scheduler/task.h"

namespace posteriord::server {

class FunctionTask final : public Task {
 public:
  using Function = std::function<Next(const SliceControl&)>;

  explicit FunctionTask(Function run) : run_(std::move(run)) {}

  Next RunSlice(const SliceControl& control) override { return run_(control); }

 private:
  const Function run_;
};

inline std::shared_ptr<Task> MakeTask(FunctionTask::Function run) {
  return std::make_shared<FunctionTask>(std::move(run));
}

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SCHEDULER_FUNCTION_TASK_H_
