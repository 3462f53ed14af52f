#include "server/convert/companion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "server/base/field_violation.h"
#include "server/convert/job.h"
#include "server/convert/job_spec.h"
#include "tests/testing/proto.h"
#include "tests/testing/status.h"

namespace posteriord::server {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::AllOf;
using testing::DetailOf;
using ::testing::ElementsAre;
using testing::FromText;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::StatusIs;
using testing::ViolatedFields;

// A classifier of a data set with two inputs, as it was accepted, with what `change` says of its
// spec.
v1::Job AcceptedJob(const std::string& change = "") {
  auto job = FromText<v1::Job>(R"pb(
    name: "jobs/abc"
    display_name: "digits"
    labels { key: "suite" value: "demo" }
    spec {
      network {
        layers { dense { units: 4 } }
        layers { activation {} }
        layers { dense { units: 3 } }
        noise_variance: 0.5
        likelihood { probit {} }
      }
      data {
        dataset {
          dataset: "datasets/d1"
          input_columns: [ "a", "b" ]
          target_columns: "label"
          split { last_rows: 6 }
          standardization: STANDARDIZATION_INPUTS
        }
      }
      schedule { warmup_sweeps: 200 draws: 50 thinning: 2 keep_warmup: true }
      precision: PRECISION_FLOAT32
      seed: 7
    }
    data_summary { train_samples: 30 test_samples: 6 }
  )pb");
  v1::JobSpec& spec = *job.mutable_spec();
  spec.MergeFrom(FromText<v1::JobSpec>(change));
  FieldViolations violations;
  CompleteSpec(spec, violations);
  CompleteSpecForData(
      {.inputs = 2, .target_columns = 1, .shape = {.train_samples = 30, .test_samples = 6}}, spec,
      violations);
  EXPECT_OK(violations.ToStatus());
  return job;
}

// Completes the companion as CreateJob does.
absl::Status Complete(v1::Job& companion) {
  FieldViolations violations;
  CheckJobMetadata(companion, violations);
  CompleteSpec(*companion.mutable_spec(), violations);
  CompleteSpecForData(
      {.inputs = 2, .shape = {.train_samples = 30, .test_samples = 6, .has_teacher = true}},
      *companion.mutable_spec(), violations);
  return violations.ToStatus();
}

v1::Job Companion(const v1::Job& job, const std::string& request = "") {
  auto companion = MakeCompanion(job, FromText<v1::ProbeJobRequest>(request));
  EXPECT_OK(companion);
  if (!companion.ok()) return {};
  EXPECT_OK(Complete(*companion));
  return *companion;
}

absl::Status Refused(const v1::Job& job, const std::string& request = "") {
  return MakeCompanion(job, FromText<v1::ProbeJobRequest>(request)).status();
}

TEST(CompanionTest, IsTheJobOnLabelsOfATeacherWithInformedAndOtherChains) {
  const v1::Job job = AcceptedJob();
  const v1::Job companion = Companion(job, "teacher_seed: 5");
  EXPECT_EQ(companion.name(), "");
  EXPECT_EQ(companion.display_name(), "companion of digits");
  EXPECT_EQ(companion.labels().size(), 2u);
  EXPECT_EQ(companion.labels().at("suite"), "demo");
  EXPECT_EQ(companion.labels().at("companion_of"), "abc");

  v1::JobSpec expected = job.spec();
  expected.mutable_data()->mutable_dataset()->clear_target_columns();
  expected.mutable_data()->mutable_teacher()->set_seed(5);
  expected.clear_chain_groups();
  *expected.add_chain_groups() = FromText<v1::ChainGroup>("informed {} chains: 2");
  *expected.add_chain_groups() = FromText<v1::ChainGroup>("zero {} chains: 2");
  expected.mutable_schedule()->set_keep_warmup(false);
  MessageDifferencer differencer;
  std::string difference;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(expected, companion.spec())) << difference;
  EXPECT_FALSE(companion.spec().data().teacher().noiseless());
}

TEST(CompanionTest, IsTheSameEveryTime) {
  const v1::Job job = AcceptedJob();
  EXPECT_TRUE(MessageDifferencer::Equals(Companion(job), Companion(job)));
  EXPECT_FALSE(MessageDifferencer::Equals(Companion(job), Companion(job, "teacher_seed: 1")));
}

TEST(CompanionTest, TakesChainsAndScheduleAsAsked) {
  const v1::Job companion =
      Companion(AcceptedJob(), "informed_chains: 3 other_chains: 1 warmup_sweeps: 0 draws: 4000");
  EXPECT_EQ(companion.spec().chain_groups(0).chains(), 3);
  EXPECT_EQ(companion.spec().chain_groups(1).chains(), 1);
  EXPECT_EQ(companion.spec().schedule().warmup_sweeps(), 0);
  EXPECT_EQ(companion.spec().schedule().draws(), 4000);
  EXPECT_EQ(companion.spec().schedule().thinning(), 2);
}

TEST(CompanionTest, OtherChainsStartAsTheFirstGroupThatATeacherDoesNotChange) {
  const std::string values = [] {
    std::string text = "chain_groups { parameters {";
    for (int i = 0; i < 2 * 4 + 4 + 4 * 3 + 3; ++i) text += " values: 1";
    return text + " } chains: 3 } ";
  }();
  EXPECT_TRUE(Companion(AcceptedJob(values)).spec().chain_groups(1).has_zero());
  EXPECT_TRUE(Companion(AcceptedJob(values + "chain_groups { prior {} } chain_groups { zero {} }"))
                  .spec()
                  .chain_groups(1)
                  .has_prior());
  const v1::Job population =
      Companion(AcceptedJob("chain_groups { population { members: 4 sweeps: 10 } chains: 8 }"));
  ASSERT_EQ(population.spec().chain_groups_size(), 2);
  EXPECT_EQ(population.spec().chain_groups(1).population().members(), 4);
  EXPECT_EQ(population.spec().chain_groups(1).population().sweeps(), 10);
  EXPECT_EQ(population.spec().chain_groups(1).chains(), 2);
}

TEST(CompanionTest, HasTracePointsForItsVerdict) {
  EXPECT_EQ(Companion(AcceptedJob()).spec().observation().max_points(), 1024);
  EXPECT_EQ(
      Companion(AcceptedJob("observation { max_points: 16 }")).spec().observation().max_points(),
      800);
  const v1::Job odd = AcceptedJob(
      "observation { max_points: 20 } thermalization { min_effective_sample_size: 4.03 }");
  EXPECT_EQ(Companion(odd).spec().observation().max_points(), 66);
}

TEST(CompanionTest, MonitorsWhatTheJobMonitorsAndTheCompanionHas) {
  const std::string starts =
      "chain_groups { zero {} } chain_groups { population { members: 2 sweeps: 10 } } ";
  const v1::Job some = Companion(AcceptedJob(
      starts + "thermalization { observables: [ 'population.member', 'train_error' ] }"));
  EXPECT_THAT(some.spec().thermalization().observables(), ElementsAre("train_error"));
  const v1::Job none =
      Companion(AcceptedJob(starts + "thermalization { observables: 'population.member' }"));
  EXPECT_TRUE(MessageDifferencer::Equals(none.spec().thermalization(),
                                         Companion(AcceptedJob()).spec().thermalization()));
}

TEST(CompanionTest, JobWithoutANameForPeopleLendsItsOwn) {
  v1::Job job = AcceptedJob();
  job.clear_display_name();
  EXPECT_EQ(Companion(job).display_name(), "companion of jobs/abc");
}

TEST(CompanionTest, LongNameIsCutBetweenCharacters) {
  v1::Job job = AcceptedJob();
  std::string name;
  for (int i = 0; i < 64; ++i) name += "\u00fc";
  job.set_display_name(name);
  // 13 bytes, then 57 characters of 2 bytes; the 128th byte would be half a character.
  EXPECT_EQ(Companion(job).display_name(), "companion of " + name.substr(0, 114));
}

TEST(CompanionTest, LastOf32LabelsMakesRoom) {
  v1::Job job = AcceptedJob();
  for (int i = 0; i < 31; ++i) (*job.mutable_labels())[absl::StrCat("k", 10 + i)] = "";
  const v1::Job companion = Companion(job);
  EXPECT_EQ(companion.labels().size(), 32u);
  EXPECT_EQ(companion.labels().at("companion_of"), "abc");
  EXPECT_FALSE(companion.labels().contains("suite"));
}

TEST(CompanionTest, JobOnLabelsOfATeacherIsItsOwnTest) {
  const absl::Status status = Refused(AcceptedJob("data { teacher {} }"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr("jobs/abc"), HasSubstr("its own verdict"))));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status)->reason(), "JOB_HAS_TEACHER");
}

TEST(CompanionTest, TemperedSoftmaxHasNoTeacherToTrust) {
  const std::string softmax = "network { likelihood { softmax { temperature: 0.5 } } }";
  const absl::Status status = Refused(AcceptedJob(softmax));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("softmax of temperature 0.5")));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status)->reason(), "NO_EXACT_TEACHER");
  EXPECT_TRUE(Companion(AcceptedJob("network { likelihood { softmax {} } }"))
                  .spec()
                  .network()
                  .likelihood()
                  .has_softmax());
}

TEST(CompanionTest, BadNumbersAreNamed) {
  const v1::Job job = AcceptedJob();
  EXPECT_THAT(ViolatedFields(Refused(job,
                                     "informed_chains: 0 other_chains: 1025 warmup_sweeps: -1 "
                                     "draws: 0")),
              ElementsAre("informed_chains", "other_chains", "warmup_sweeps", "draws"));
  EXPECT_THAT(ViolatedFields(Refused(job, "informed_chains: 1000 other_chains: 25")),
              ElementsAre("other_chains"));
  EXPECT_OK(Refused(job, "informed_chains: 1000 other_chains: 24"));
}

TEST(CompanionTest, WarmUpHasRoomForTheStartingPopulation) {
  const v1::Job job =
      AcceptedJob("chain_groups { population { members: 4 sweeps: 10 } chains: 8 }");
  EXPECT_OK(Refused(job, "warmup_sweeps: 60"));
  const absl::Status status = Refused(job, "warmup_sweeps: 59");
  EXPECT_THAT(ViolatedFields(status), ElementsAre("warmup_sweeps"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("at least 60"));
}

TEST(CompanionTest, FaultsOfTheCompanionAreNotTakenForThoseOfTheRequest) {
  FieldViolations violations;
  violations.Add("spec.observation.max_points", "is too small");
  violations.Add("request_id", "is too long");
  const absl::Status status = WithCompanionFields(violations.ToStatus());
  EXPECT_THAT(ViolatedFields(status),
              ElementsAre("companion.spec.observation.max_points", "request_id"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("; spec")));
  const absl::Status other = absl::NotFoundError("gone");
  EXPECT_EQ(WithCompanionFields(other), other);
}

}  // namespace
}  // namespace posteriord::server
