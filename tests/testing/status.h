// Matchers of absl::Status and absl::StatusOr.
//
//   EXPECT_THAT(store.Seal("a"), IsOk());
//   EXPECT_THAT(store.GetJob("a"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("'a'")));
//   ASSERT_OK_AND_ASSIGN(const JobRecord record, store.GetJob("b"));
#ifndef POSTERIORD_TESTS_TESTING_STATUS_H_
#define POSTERIORD_TESTS_TESTING_STATUS_H_

#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace posteriord::testing {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return arg.ok();
}

MATCHER_P(StatusIs, code, "has status code " + absl::StatusCodeToString(code)) {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}

MATCHER_P2(StatusIs, code, message, "has status code " + absl::StatusCodeToString(code)) {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code &&
         ::testing::Matches(message)(std::string(StatusOf(arg).message()));
}

MATCHER_P(IsOkAndHolds, value, "is OK and holds a value that matches") {
  if (!arg.ok()) {
    *result_listener << arg.status().ToString();
    return false;
  }
  return ::testing::ExplainMatchResult(value, *arg, result_listener);
}

#define ASSERT_OK(expression) ASSERT_THAT(expression, ::posteriord::testing::IsOk())
#define EXPECT_OK(expression) EXPECT_THAT(expression, ::posteriord::testing::IsOk())

#define ASSERT_OK_AND_ASSIGN(target, expression) \
  ASSERT_OK_AND_ASSIGN_IMPL_(TESTING_CONCAT_(status_or_, __LINE__), target, expression)
#define ASSERT_OK_AND_ASSIGN_IMPL_(variable, target, expression) \
  auto variable = (expression);                                  \
  ASSERT_OK(variable);                                           \
  target = *std::move(variable)
#define TESTING_CONCAT_(a, b) TESTING_CONCAT_IMPL_(a, b)
#define TESTING_CONCAT_IMPL_(a, b) a##b

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_TESTING_STATUS_H_
