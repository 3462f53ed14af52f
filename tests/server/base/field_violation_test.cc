#include "server/base/field_violation.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace posteriord::server {
namespace {

google::rpc::BadRequest PayloadOf(const absl::Status& status) {
  google::rpc::BadRequest bad_request;
  const auto payload = status.GetPayload(kBadRequestTypeUrl);
  EXPECT_TRUE(payload.has_value() && bad_request.ParseFromString(std::string(*payload)));
  return bad_request;
}

TEST(FieldViolationTest, OneViolationIsNamedInMessageAndPayload) {
  const absl::Status status = FieldViolation("spec.seed", "must be even");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "spec.seed: must be even");
  const google::rpc::BadRequest bad_request = PayloadOf(status);
  ASSERT_EQ(bad_request.field_violations_size(), 1);
  EXPECT_EQ(bad_request.field_violations(0).field(), "spec.seed");
  EXPECT_EQ(bad_request.field_violations(0).description(), "must be even");
}

TEST(FieldViolationsTest, NoViolationIsOk) {
  const FieldViolations violations;
  EXPECT_TRUE(violations.empty());
  EXPECT_TRUE(violations.ToStatus().ok());
}

TEST(FieldViolationsTest, ManyViolationsAreKeptUpToTheLimitAndCounted) {
  FieldViolations violations;
  for (int i = 0; i < FieldViolations::kMaxViolations + 3; ++i) {
    violations.Add(absl::StrCat("field", i), "is wrong");
  }
  const absl::Status status = violations.ToStatus();
  EXPECT_EQ(PayloadOf(status).field_violations_size(), FieldViolations::kMaxViolations);
  EXPECT_NE(std::string(status.message()).find("field7: is wrong; and 3 more"), std::string::npos);
}

TEST(FieldViolationsTest, QuotedBytesThatAreNotUtf8AreReplacedAndLongOnesCut) {
  const std::string text = "bad \xFF name " + std::string(1000, 'x');
  const google::rpc::BadRequest bad_request = PayloadOf(FieldViolation("columns", text));
  const std::string& description = bad_request.field_violations(0).description();
  EXPECT_EQ(description.substr(0, 10), "bad ? name");
  EXPECT_EQ(description.size(), FieldViolations::kMaxTextBytes);
}

TEST(FieldViolationsTest, ViolationsOfAnotherStatusAreAdded) {
  FieldViolations inner;
  inner.Add("a", "is wrong");
  inner.Add("b", "is wrong too");
  FieldViolations outer;
  outer.Add("c", "is odd");
  outer.AddFrom(inner.ToStatus());
  outer.AddFrom(absl::NotFoundError("says nothing of fields"));
  EXPECT_EQ(outer.ToStatus().message(), "c: is odd; a: is wrong; b: is wrong too");
}

}  // namespace
}  // namespace posteriord::server
