// Messages in tests.
#ifndef POSTERIORD_TESTS_TESTING_PROTO_H_
#define POSTERIORD_TESTS_TESTING_PROTO_H_

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"

namespace posteriord::testing {

// The message that `text` describes.
template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// The detail of a status, if it carries one of the type.
template <typename Detail>
std::optional<Detail> DetailOf(const absl::Status& status) {
  const auto payload =
      status.GetPayload("type.googleapis.com/" + Detail::descriptor()->full_name());
  if (!payload.has_value()) return std::nullopt;
  Detail detail;
  EXPECT_TRUE(detail.ParseFromString(std::string(*payload)));
  return detail;
}

// Paths of the fields that a status finds fault with.
inline std::vector<std::string> ViolatedFields(const absl::Status& status) {
  std::vector<std::string> fields;
  const auto bad_request = DetailOf<google::rpc::BadRequest>(status);
  if (!bad_request.has_value()) return fields;
  for (const auto& violation : bad_request->field_violations()) {
    fields.push_back(violation.field());
  }
  return fields;
}

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_TESTING_PROTO_H_
