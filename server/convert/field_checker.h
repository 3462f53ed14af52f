// Checks that the parts of a job spec share.
#ifndef POSTERIORD_SERVER_CONVERT_FIELD_CHECKER_H_
#define POSTERIORD_SERVER_CONVERT_FIELD_CHECKER_H_

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "server/base/absl_string.h"
#include "server/base/field_violation.h"

namespace posteriord::server {

// Adds what is wrong with fields of a spec, whose paths start after "spec.". Each check says
// whether the field passed.
class FieldChecker {
 public:
  FieldChecker(FieldViolations& violations, bool is_float32)
      : violations_(violations), is_float32_(is_float32) {}

  bool is_float32() const { return is_float32_; }

  void Add(std::string_view field, std::string_view description) {
    violations_.Add(absl::StrCat("spec.", ToAbsl(field)), description);
  }

  bool CheckRange(std::string_view field, std::int64_t value, std::int64_t least,
                  std::int64_t greatest) {
    if (value >= least && value <= greatest) return true;
    Add(field, absl::StrCat("must be from ", least, " to ", greatest, ", not ", value));
    return false;
  }

  // A variance or a precision in the arithmetic of the chains, in which neither it nor its products
  // must vanish or overflow.
  bool CheckScale(std::string_view field, double value) {
    if (!CheckPositive(field, value)) return false;
    const double greatest = is_float32_ ? 1e15 : 1e100;
    if (value >= 1 / greatest && value <= greatest) return true;
    Add(field,
        absl::StrCat("is out of the range of ", is_float32_ ? "float32" : "float64",
                     " arithmetic, which is from ", 1 / greatest, " to ", greatest, ": ", value));
    return false;
  }

  bool CheckPositive(std::string_view field, double value) {
    if (value > 0 && std::isfinite(value)) return true;
    Add(field, absl::StrCat("must be positive and finite, not ", value));
    return false;
  }

  template <typename Enum>
  bool CheckEnum(std::string_view field, Enum value, bool (*is_valid)(int)) {
    if (is_valid(value)) return true;
    Add(field, absl::StrCat("has the unknown value ", static_cast<int>(value)));
    return false;
  }

 private:
  FieldViolations& violations_;
  const bool is_float32_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_CONVERT_FIELD_CHECKER_H_
