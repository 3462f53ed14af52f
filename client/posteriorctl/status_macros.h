// Early returns for functions that return absl::Status or absl::StatusOr. For .cc files only.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_STATUS_MACROS_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expression` from the enclosing function unless it is OK.
#define RETURN_IF_ERROR(expression)                                                   \
  do {                                                                                \
    if (absl::Status status_macro_result = (expression); !status_macro_result.ok()) { \
      return status_macro_result;                                                     \
    }                                                                                 \
  } while (false)

// Assigns the value of the StatusOr `expression` to `target`, which may declare a variable, or
// returns its status from the enclosing function.
#define ASSIGN_OR_RETURN(target, expression) \
  ASSIGN_OR_RETURN_IMPL_(STATUS_MACRO_CONCAT_(status_macro_or_, __LINE__), target, expression)

#define ASSIGN_OR_RETURN_IMPL_(variable, target, expression) \
  auto variable = (expression);                              \
  if (!variable.ok()) return variable.status();              \
  target = *std::move(variable)

#define STATUS_MACRO_CONCAT_(a, b) STATUS_MACRO_CONCAT_IMPL_(a, b)
#define STATUS_MACRO_CONCAT_IMPL_(a, b) a##b

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_STATUS_MACROS_H_
