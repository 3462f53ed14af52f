#include "server/convert/unknown_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/unknown_field_set.h"
#include "posteriord/v1/job.pb.h"
#include "tests/testing/proto.h"

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;
using testing::ViolatedFields;

void AddUnknownField(google::protobuf::Message& message) {
  message.GetReflection()->MutableUnknownFields(&message)->AddVarint(9999, 1);
}

TEST(UnknownFieldsTest, KnownFieldsPass) {
  v1::JobSpec spec;
  spec.mutable_network()->add_layers()->mutable_dense()->set_units(3);
  FieldViolations violations;
  CheckUnknownFields(spec, "spec", violations);
  EXPECT_TRUE(violations.empty());
}

TEST(UnknownFieldsTest, UnknownFieldsAreFoundAtEveryDepth) {
  v1::JobSpec spec;
  AddUnknownField(spec);
  spec.mutable_network()->add_layers();
  AddUnknownField(*spec.mutable_network()->add_layers()->mutable_dense());
  AddUnknownField(*spec.mutable_sampler());
  FieldViolations violations;
  CheckUnknownFields(spec, "spec", violations);
  EXPECT_THAT(ViolatedFields(violations.ToStatus()),
              ElementsAre("spec", "spec.network.layers[1].dense", "spec.sampler"));
}

}  // namespace
}  // namespace posteriord::server
