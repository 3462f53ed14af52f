#include "server/convert/unknown_fields.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"
#include "server/base/absl_string.h"

namespace posteriord::server {

void CheckUnknownFields(const google::protobuf::Message& message, std::string_view path,
                        FieldViolations& violations) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const google::protobuf::UnknownFieldSet& unknown = reflection.GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    violations.Add(
        path, absl::StrCat("has a field that this server does not know (number ",
                           unknown.field(i).number(), "): the client is newer than the server"));
  }
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    const std::string field_path = absl::StrCat(ToAbsl(path), ".", field->name());
    if (!field->is_repeated()) {
      CheckUnknownFields(reflection.GetMessage(message, field), field_path, violations);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      CheckUnknownFields(reflection.GetRepeatedMessage(message, field, i),
                         absl::StrCat(field_path, "[", i, "]"), violations);
    }
  }
}

}  // namespace posteriord::server
