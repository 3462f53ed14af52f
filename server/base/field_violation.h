// INVALID_ARGUMENT statuses that name the fields at fault, for people and for programs.
#ifndef POSTERIORD_SERVER_BASE_FIELD_VIOLATION_H_
#define POSTERIORD_SERVER_BASE_FIELD_VIOLATION_H_

#include <string_view>

#include "absl/status/status.h"
#include "google/rpc/error_details.pb.h"

namespace posteriord::server {

// Payload of the statuses below: a serialized google.rpc.BadRequest under its type URL.
inline constexpr char kBadRequestTypeUrl[] = "type.googleapis.com/google.rpc.BadRequest";

// Gathers what is wrong with a request. `field` is a path in the request such as
// "spec.network.layers[2].noise_variance"; `description` a phrase such as "must be positive".
class FieldViolations {
 public:
  // Both texts are cut after kMaxTextBytes and repaired where they are not UTF-8, as they may quote
  // the client. Of more than kMaxViolations only the number is kept: a status travels in metadata,
  // which is limited to 8 KiB.
  static constexpr int kMaxViolations = 8;
  static constexpr int kMaxTextBytes = 200;

  void Add(std::string_view field, std::string_view description);

  // Adds the violations that a status made by ToStatus() carries.
  void AddFrom(const absl::Status& status);

  bool empty() const { return count_ == 0; }

  // OK when empty; else INVALID_ARGUMENT with the violations in its message ("field: description;
  // ...") and in its payload.
  absl::Status ToStatus() const;

 private:
  google::rpc::BadRequest bad_request_;
  int count_ = 0;
};

// The status of a single violation.
absl::Status FieldViolation(std::string_view field, std::string_view description);

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_BASE_FIELD_VIOLATION_H_
