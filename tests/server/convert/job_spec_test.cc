#include "server/convert/job_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include "google/protobuf/util/message_differencer.h"
#include "tests/testing/proto.h"

namespace posteriord::server {
namespace {

using ::testing::ElementsAre;
using testing::FromText;
using ::testing::IsEmpty;
using testing::ViolatedFields;

// A regression on the two targets of a data set with five inputs.
constexpr char kRegression[] = R"pb(
  network {
    layers { dense { units: 3 } }
    layers { activation {} }
    layers { dense { units: 2 } }
    noise_variance: 0.5
    likelihood { gaussian {} }
  }
  data { dataset { dataset: "datasets/abc" } }
  schedule { draws: 10 }
)pb";
const DataOutline kTable = {
    .inputs = 5, .target_columns = 2, .shape = {.train_samples = 100, .test_samples = 20}};

// The same network on labels of a teacher.
constexpr char kTeacher[] = R"pb(
  network {
    layers { dense { units: 3 } }
    layers { activation {} }
    layers { dense { units: 2 } }
    noise_variance: 0.5
    likelihood { gaussian {} }
  }
  data {
    gaussian { dimension: 5 train_samples: 100 }
    teacher {}
  }
  schedule { draws: 10 }
)pb";

// A classifier of 4 x 4 images.
constexpr char kImages[] = R"pb(
  network {
    input_shape { height: 4 width: 4 }
    layers { conv2d { channels: 2 kernel_height: 2 kernel_width: 2 } }
    layers { avg_pool2d { height: 2 width: 2 } }
    layers { activation {} }
    layers { flatten {} }
    layers { dense { units: 3 } }
    noise_variance: 0.5
    likelihood { probit {} }
  }
  data {
    gaussian { dimension: 16 train_samples: 100 }
    teacher {}
  }
  schedule { draws: 10 }
)pb";

DataOutline OutlineFor(const v1::JobSpec& spec) {
  return spec.data().has_gaussian() ? OutlineOf(spec.data().gaussian()) : kTable;
}

absl::Status Complete(v1::JobSpec& spec) {
  FieldViolations violations;
  CompleteSpec(spec, violations);
  CompleteSpecForData(OutlineFor(spec), spec, violations);
  return violations.ToStatus();
}

// Completes `base` with the fields of `change` merged in.
absl::Status CompleteChanged(const std::string& base, const std::string& change) {
  auto spec = FromText<v1::JobSpec>(base);
  spec.MergeFrom(FromText<v1::JobSpec>(change));
  return Complete(spec);
}

// Completes `base` after `edit` has changed it.
template <typename Edit>
absl::Status CompleteEdited(const std::string& base, Edit edit) {
  auto spec = FromText<v1::JobSpec>(base);
  edit(spec);
  return Complete(spec);
}

TEST(JobSpecTest, ShortestSpecGetsEveryDefault) {
  auto spec = FromText<v1::JobSpec>(kRegression);
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  const auto expected = FromText<v1::JobSpec>(R"pb(
    network {
      layers {
        dense { units: 3 bias: true weight_precision: 5 bias_precision: 5 }
        noise_variance: 0.5
        name: "dense1"
      }
      layers {
        activation { kind: KIND_RELU }
        noise_variance: 0.5
        name: "relu1"
      }
      layers {
        dense { units: 2 bias: true weight_precision: 3 bias_precision: 3 }
        noise_variance: 0.5
        name: "dense2"
      }
      noise_variance: 0.5
      likelihood { gaussian {} }
      posterior: POSTERIOR_INTERMEDIATE_NOISE
    }
    data { dataset { dataset: "datasets/abc" } }
    sampler { gibbs {} }
    chain_groups {
      zero {}
      chains: 4
    }
    schedule { draws: 10 thinning: 1 storage: PRECISION_FLOAT64 }
    precision: PRECISION_FLOAT64
    observation { initial_stride: 1 max_points: 1024 probes: 2 }
    thermalization {
      tolerance: 1
      min_effective_sample_size: 50
      observables: "train_error"
      observables: "test_error"
      observables: "log_posterior"
      observables: "dense1.weight_norm"
      observables: "dense2.weight_norm"
      observables: "probe0.output0"
      observables: "probe0.output1"
      observables: "probe1.output0"
      observables: "probe1.output1"
    }
  )pb");
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(expected, spec)) << difference;
}

TEST(JobSpecTest, CompletingACompleteSpecChangesNothing) {
  for (const char* text : {kRegression, kTeacher, kImages}) {
    auto spec = FromText<v1::JobSpec>(text);
    ASSERT_EQ(Complete(spec), absl::OkStatus());
    const v1::JobSpec once = spec;
    ASSERT_EQ(Complete(spec), absl::OkStatus());
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(once, spec));
  }
}

TEST(JobSpecTest, TeacherDataGetInformedAndZeroChainsByDefault) {
  auto spec = FromText<v1::JobSpec>(kTeacher);
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  ASSERT_EQ(spec.chain_groups_size(), 2);
  EXPECT_TRUE(spec.chain_groups(0).has_informed());
  EXPECT_EQ(spec.chain_groups(0).chains(), 2);
  EXPECT_TRUE(spec.chain_groups(1).has_zero());
  EXPECT_EQ(spec.chain_groups(1).chains(), 2);
}

TEST(JobSpecTest, LayersAreNamedByKindAndNumber) {
  auto spec = FromText<v1::JobSpec>(R"pb(
    network {
      layers { activation {} }
      layers {
        dense { units: 4 }
        name: "first"
      }
      layers { activation {} }
      layers { activation {} }
      layers { dense { units: 2 } }
      noise_variance: 1
      likelihood { probit {} }
    }
    data { dataset { dataset: "datasets/abc" } }
    schedule { draws: 1 }
  )pb");
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  std::vector<std::string> names;
  for (const v1::Layer& layer : spec.network().layers()) names.push_back(layer.name());
  EXPECT_THAT(names, ElementsAre("relu1", "first", "relu2", "relu3", "dense2"));
  EXPECT_EQ(spec.network().layers(1).dense().weight_precision(), 5);
  EXPECT_EQ(spec.network().layers(4).dense().weight_precision(), 4);
}

TEST(JobSpecTest, OutputsAreProbedAtMost4096Times) {
  auto spec = FromText<v1::JobSpec>(kRegression);
  spec.mutable_network()->mutable_layers(2)->mutable_dense()->set_units(3000);
  FieldViolations violations;
  CompleteSpec(spec, violations);
  EXPECT_TRUE(violations.empty());
  EXPECT_EQ(spec.observation().probes(), 1);
  EXPECT_THAT(
      ViolatedFields(CompleteEdited(kTeacher,
                                    [](v1::JobSpec& edited) {
                                      v1::Network& network = *edited.mutable_network();
                                      network.mutable_layers(2)->mutable_dense()->set_units(3000);
                                      edited.mutable_observation()->set_probes(2);
                                    })),
      ElementsAre("spec.observation.probes"));
}

TEST(JobSpecTest, EveryFieldReachesCore) {
  auto spec = FromText<v1::JobSpec>(R"pb(
    network {
      layers {
        dense { units: 3 bias: false weight_precision: 7 }
        noise_variance: 0.25
        name: "in"
      }
      layers { activation {} }
      layers { dense { units: 2 bias_precision: 9 } }
      noise_variance: 0.5
      likelihood { probit {} }
    }
    data {
      gaussian { dimension: 4 train_samples: 10 test_samples: 5 seed: 3 }
      teacher { seed: 11 noiseless: true }
    }
    chain_groups {
      informed {}
      chains: 2
    }
    chain_groups { prior {} }
    schedule {
      warmup_sweeps: 20
      draws: 30
      thinning: 5
      keep_warmup: true
      storage: PRECISION_FLOAT32
    }
    seed: 42
    precision: PRECISION_FLOAT32
    observation { initial_stride: 3 max_points: 96 probes: 1 }
    thermalization { tolerance: 0.5 min_effective_sample_size: 20 observables: "log_posterior" }
  )pb");
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  const core::Spec core = ToCoreSpec(spec, 4);
  EXPECT_EQ(core.network.inputs, core::Shape(4));
  ASSERT_EQ(core.network.layers.size(), 3);
  const auto& first = std::get<core::DenseSpec>(core.network.layers[0].operation);
  EXPECT_EQ(core.network.layers[0].name, "in");
  EXPECT_EQ(core.network.layers[0].noise_variance, 0.25);
  EXPECT_EQ(first.units, 3);
  EXPECT_FALSE(first.bias);
  EXPECT_EQ(first.weight_precision, 7);
  EXPECT_TRUE(std::holds_alternative<core::ActivationSpec>(core.network.layers[1].operation));
  EXPECT_EQ(core.network.layers[1].noise_variance, 0.5);
  const auto& last = std::get<core::DenseSpec>(core.network.layers[2].operation);
  EXPECT_TRUE(last.bias);
  EXPECT_EQ(last.weight_precision, 3);
  EXPECT_EQ(last.bias_precision, 9);
  EXPECT_EQ(core.network.likelihood, core::LikelihoodKind::kProbit);
  EXPECT_EQ(core.precision, core::Precision::kFloat32);
  EXPECT_EQ(core.seed, 42u);
  ASSERT_EQ(core.groups.size(), 2);
  EXPECT_EQ(core.groups[0].start, core::StartKind::kInformed);
  EXPECT_EQ(core.groups[0].chains, 2);
  EXPECT_EQ(core.groups[1].start, core::StartKind::kPrior);
  EXPECT_EQ(core.groups[1].chains, 1);
  EXPECT_EQ(core.schedule.warmup_sweeps, 20);
  EXPECT_EQ(core.schedule.draws, 30);
  EXPECT_EQ(core.schedule.thinning, 5);
  EXPECT_TRUE(core.schedule.keep_warmup);
  EXPECT_EQ(core.observation.initial_stride, 3);
  EXPECT_EQ(core.observation.max_points, 96);
  EXPECT_EQ(core.observation.probes, 1);
  EXPECT_EQ(core.thermalization.tolerance, 0.5);
  EXPECT_EQ(core.thermalization.min_effective_sample_size, 20);
  EXPECT_THAT(core.thermalization.observables, ElementsAre("log_posterior"));
  EXPECT_EQ(StorageBytes(spec), 4);
  const core::TeacherSpec teacher = ToCoreTeacher(spec);
  EXPECT_EQ(teacher.seed, 11u);
  EXPECT_TRUE(teacher.noiseless);
  EXPECT_FALSE(teacher.parameters.has_value());
}

TEST(JobSpecTest, ParametersReachCoreInOrder) {
  auto spec = FromText<v1::JobSpec>(R"pb(
    network {
      layers { dense { units: 1 } }
      noise_variance: 1
      likelihood { gaussian {} }
    }
    data {
      gaussian { dimension: 2 train_samples: 10 }
      teacher { parameters { values: [ 1, 2, 3 ] } }
    }
    chain_groups {
      parameters { values: [ 4, 5, 6 ] }
      chains: 3
    }
    schedule { draws: 1 }
  )pb");
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  EXPECT_THAT(*ToCoreTeacher(spec).parameters, ElementsAre(1, 2, 3));
  const core::Spec core = ToCoreSpec(spec, 2);
  EXPECT_EQ(core.groups[0].start, core::StartKind::kParameters);
  EXPECT_THAT(core.groups[0].parameters, ElementsAre(4, 5, 6));
}

struct BadSpec {
  const char* base;
  const char* change;
  const char* field;

  friend void PrintTo(const BadSpec& bad, std::ostream* out) { *out << bad.field; }
};

class BadSpecTest : public ::testing::TestWithParam<BadSpec> {};

TEST_P(BadSpecTest, IsRefusedNamingTheField) {
  const absl::Status status = CompleteChanged(GetParam().base, GetParam().change);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(ViolatedFields(status), ElementsAre(GetParam().field)) << status;
}

INSTANTIATE_TEST_SUITE_P(
    Scales, BadSpecTest,
    ::testing::Values(
        BadSpec{kRegression, "network { noise_variance: -1 layers { dense { units: 2 } } }",
                "spec.network.noise_variance"},
        BadSpec{kRegression, "network { layers { dense { units: 2 } noise_variance: 0 } }",
                "spec.network.layers[3].noise_variance"},
        BadSpec{kRegression, "network { layers { dense { units: 2 } noise_variance: nan } }",
                "spec.network.layers[3].noise_variance"},
        BadSpec{kRegression, "network { layers { dense { units: 2 } noise_variance: inf } }",
                "spec.network.layers[3].noise_variance"},
        BadSpec{kRegression, "network { layers { dense { units: 2 } noise_variance: 1e-310 } }",
                "spec.network.layers[3].noise_variance"},
        BadSpec{kRegression,
                "precision: PRECISION_FLOAT32 "
                "network { layers { dense { units: 2 } noise_variance: 1e-40 } }",
                "spec.network.layers[3].noise_variance"},
        BadSpec{kRegression, "network { layers { dense { units: 2 } noise_variance: 1e300 } }",
                "spec.network.layers[3].noise_variance"},
        BadSpec{kRegression, "network { layers { dense { units: 2 weight_precision: 1e-300 } } }",
                "spec.network.layers[3].dense.weight_precision"},
        BadSpec{kRegression, "network { layers { dense { units: 2 weight_precision: 0 } } }",
                "spec.network.layers[3].dense.weight_precision"},
        BadSpec{kRegression, "network { layers { dense { units: 2 bias_precision: -2 } } }",
                "spec.network.layers[3].dense.bias_precision"},
        BadSpec{kRegression,
                "network { layers { dense { units: 2 bias: false bias_precision: 1 } } }",
                "spec.network.layers[3].dense.bias_precision"}));

INSTANTIATE_TEST_SUITE_P(
    Network, BadSpecTest,
    ::testing::Values(
        BadSpec{kRegression, "network { layers { dense { units: 3 } } }",
                "spec.network.layers[3].dense.units"},
        BadSpec{kRegression, "network { layers { dense { units: 65537 } } }",
                "spec.network.layers[3].dense.units"},
        BadSpec{kRegression, "network { layers { dense { units: -1 } } }",
                "spec.network.layers[3].dense.units"},
        BadSpec{kRegression, "network { layers { activation {} } }", "spec.network.layers[3]"},
        BadSpec{kRegression, "network { layers {} layers { dense { units: 2 } } }",
                "spec.network.layers[3]"},
        BadSpec{kRegression,
                "network { layers { activation { kind: 77 } } layers { dense { units: 2 } } }",
                "spec.network.layers[3].activation.kind"},
        BadSpec{kRegression, "network { layers { dense { units: 2 } name: \"Dense\" } }",
                "spec.network.layers[3].name"},
        BadSpec{kRegression, "network { layers { dense { units: 2 } name: \"dense1\" } }",
                "spec.network.layers[3].name"},
        BadSpec{kRegression, "network { layers { dense { units: 1 } } likelihood { probit {} } }",
                "spec.network.layers[3].dense.units"}));

INSTANTIATE_TEST_SUITE_P(
    Data, BadSpecTest,
    ::testing::Values(BadSpec{kTeacher, "data { gaussian { dimension: 65537 } }",
                              "spec.data.gaussian.dimension"},
                      BadSpec{kTeacher, "data { gaussian { train_samples: 200000000 } }",
                              "spec.data.gaussian.train_samples"},
                      BadSpec{kTeacher, "data { gaussian { test_samples: -1 } }",
                              "spec.data.gaussian.test_samples"},
                      BadSpec{kTeacher, "data { teacher { parameters { values: 1 } } }",
                              "spec.data.teacher.parameters.values"}));

INSTANTIATE_TEST_SUITE_P(
    Chains, BadSpecTest,
    ::testing::Values(
        BadSpec{kRegression, "chain_groups { chains: 0 }", "spec.chain_groups[0].chains"},
        BadSpec{kRegression, "chain_groups { chains: -1 }", "spec.chain_groups[0].chains"},
        BadSpec{kRegression, "chain_groups { chains: 1000 } chain_groups { chains: 25 }",
                "spec.chain_groups"},
        BadSpec{kRegression, "chain_groups { informed {} }", "spec.chain_groups[0].informed"},
        BadSpec{kRegression, "chain_groups {} chain_groups { parameters { values: [ 1, 2 ] } }",
                "spec.chain_groups[1].parameters.values"}));

INSTANTIATE_TEST_SUITE_P(
    Rest, BadSpecTest,
    ::testing::Values(
        BadSpec{kRegression, "schedule { warmup_sweeps: -1 }", "spec.schedule.warmup_sweeps"},
        BadSpec{kRegression, "schedule { draws: 2000000000 }", "spec.schedule.draws"},
        BadSpec{kRegression, "schedule { thinning: -1 }", "spec.schedule.thinning"},
        BadSpec{kRegression, "schedule { draws: 1000000 thinning: 10000000 }", "spec.schedule"},
        BadSpec{kRegression, "schedule { storage: 9 }", "spec.schedule.storage"},
        BadSpec{kRegression, "precision: 9", "spec.precision"},
        BadSpec{kRegression, "observation { initial_stride: -1 }",
                "spec.observation.initial_stride"},
        BadSpec{kRegression, "observation { max_points: 14 }", "spec.observation.max_points"},
        BadSpec{kRegression, "observation { max_points: 17 }", "spec.observation.max_points"},
        BadSpec{kTeacher, "observation { max_points: 198 }", "spec.observation.max_points"},
        BadSpec{kRegression, "observation { probes: 65 }", "spec.observation.probes"},
        BadSpec{kRegression, "thermalization { tolerance: 0 }", "spec.thermalization.tolerance"},
        BadSpec{kRegression, "thermalization { tolerance: nan }", "spec.thermalization.tolerance"},
        BadSpec{kRegression, "thermalization { min_effective_sample_size: 3 }",
                "spec.thermalization.min_effective_sample_size"},
        BadSpec{kRegression, "thermalization { observables: \"nonsense\" }",
                "spec.thermalization.observables[0]"},
        BadSpec{kRegression,
                "thermalization { observables: \"train_error\" observables: \"train_error\" }",
                "spec.thermalization.observables[1]"}));

TEST(JobSpecTest, ImagesReachCoreWithShapesPriorsAndNames) {
  auto spec = FromText<v1::JobSpec>(kImages);
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  EXPECT_EQ(spec.network().layers(0).name(), "conv1");
  EXPECT_EQ(spec.network().layers(0).conv2d().stride(), 1);
  EXPECT_EQ(spec.network().layers(1).name(), "pool1");
  EXPECT_FALSE(spec.network().layers(3).has_noise_variance());
  const core::NetworkSpec network = ToCoreSpec(spec, 16).network;
  EXPECT_EQ(network.inputs, core::Shape(1, 4, 4));
  ASSERT_EQ(network.layers.size(), 4);  // flatten is a view
  const auto& conv = std::get<core::Conv2dSpec>(network.layers[0].operation);
  EXPECT_EQ(conv.channels, 2);
  EXPECT_EQ(conv.weight_precision, 4);  // fan-in
  EXPECT_EQ(std::get<core::DenseSpec>(network.layers[3].operation).weight_precision, 2);
}

TEST(JobSpecTest, ClassicalPosteriorHasNoiseAtTheOutputAndIsSampledByNuts) {
  auto spec = FromText<v1::JobSpec>(kTeacher);
  spec.mutable_network()->set_posterior(v1::Network::POSTERIOR_CLASSICAL);
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  EXPECT_FALSE(spec.network().layers(0).has_noise_variance());
  EXPECT_EQ(spec.network().layers(2).noise_variance(), 0.5);
  ASSERT_TRUE(spec.sampler().has_nuts());
  const core::Spec core = ToCoreSpec(spec, 5);
  EXPECT_EQ(core.network.posterior, core::PosteriorKind::kClassical);
  const auto& nuts = std::get<core::GradientSamplerSpec>(core.sampler);
  EXPECT_EQ(nuts.kind, core::GradientSamplerKind::kNuts);
  EXPECT_EQ(nuts.max_tree_depth, 10);
  EXPECT_EQ(nuts.target_acceptance, 0.8);
  EXPECT_FALSE(nuts.step_size.has_value());
  EXPECT_EQ(nuts.metric, core::MetricKind::kDiagonal);
}

TEST(JobSpecTest, SettingsOfTheSamplersReachCore) {
  auto spec = FromText<v1::JobSpec>(kTeacher);
  spec.MergeFrom(FromText<v1::JobSpec>(R"pb(
    sampler {
      hmc {
        leapfrog_steps: 7
        step_size_jitter: 0.25
        gradient {
          step_size: 0.125
          target_acceptance: 0.7
          metric: METRIC_DENSE
          max_energy_error: 50
        }
      }
    }
  )pb"));
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  const auto hmc = std::get<core::GradientSamplerSpec>(ToCoreSpec(spec, 5).sampler);
  EXPECT_EQ(hmc.kind, core::GradientSamplerKind::kHmc);
  EXPECT_EQ(hmc.leapfrog_steps, 7);
  EXPECT_EQ(hmc.step_size_jitter, 0.25);
  EXPECT_EQ(hmc.step_size, 0.125);
  EXPECT_EQ(hmc.target_acceptance, 0.7);
  EXPECT_EQ(hmc.metric, core::MetricKind::kDense);
  EXPECT_EQ(hmc.max_energy_error, 50);

  spec = FromText<v1::JobSpec>(kTeacher);
  spec.mutable_sampler()->mutable_mala();
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  EXPECT_EQ(std::get<core::GradientSamplerSpec>(ToCoreSpec(spec, 5).sampler).target_acceptance,
            0.574);
}

TEST(JobSpecTest, LearnedScalesReachCore) {
  auto spec = FromText<v1::JobSpec>(kRegression);
  *spec.mutable_network()->mutable_layers(2) = FromText<v1::Layer>(R"pb(
    dense { units: 2 }
    noise_precision_prior { shape: 2 rate: 0.5 }
    weight_precision_prior { shape: 3 rate: 4 }
  )pb");
  ASSERT_EQ(Complete(spec), absl::OkStatus());
  const core::LayerSpec layer = ToCoreSpec(spec, 5).network.layers[2];
  ASSERT_TRUE(layer.noise_precision_prior.has_value());
  EXPECT_EQ(layer.noise_precision_prior->shape, 2);
  EXPECT_EQ(layer.noise_precision_prior->rate, 0.5);
  EXPECT_EQ(layer.weight_precision_prior->rate, 4);
  EXPECT_FALSE(layer.bias_precision_prior.has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Architectures, BadSpecTest,
    ::testing::Values(
        BadSpec{kImages, "network { input_shape { height: 5 } }", "spec.network.input_shape"},
        BadSpec{kImages, "network { input_shape { width: -1 } }", "spec.network.input_shape.width"},
        BadSpec{kRegression,
                "network { layers { avg_pool2d { height: 2 width: 2 } } layers { dense { units: 2 "
                "} } }",
                "spec.network.layers[3]"},
        BadSpec{kRegression,
                "network { layers { conv2d { channels: 1 kernel_height: 1 kernel_width: 0 } } "
                "layers { dense { units: 2 } } }",
                "spec.network.layers[3].conv2d.kernel_width"},
        BadSpec{kRegression,
                "network { layers { activation { kind: KIND_TANH negative_slope: 1 } } layers { "
                "dense { units: 2 } } }",
                "spec.network.layers[3].activation.negative_slope"},
        BadSpec{kRegression,
                "network { layers { flatten {} noise_variance: 1 } layers { dense { units: 2 } } }",
                "spec.network.layers[3].noise_variance"},
        BadSpec{kRegression,
                "network { layers { dense { units: 2 } noise_precision_prior { shape: 1 } } }",
                "spec.network.layers[3].noise_precision_prior.rate"},
        BadSpec{kRegression,
                "network { layers { activation {} weight_precision_prior { shape: 1 rate: 1 } } "
                "layers { dense { units: 2 } } }",
                "spec.network.layers[3].weight_precision_prior"}));

INSTANTIATE_TEST_SUITE_P(
    Samplers, BadSpecTest,
    ::testing::Values(
        BadSpec{kTeacher, "network { posterior: POSTERIOR_CLASSICAL } sampler { gibbs {} }",
                "spec.sampler.gibbs"},
        BadSpec{kTeacher, "network { likelihood { softmax {} } } sampler { gibbs {} }",
                "spec.sampler.gibbs"},
        BadSpec{kTeacher,
                "network { layers { activation { kind: KIND_SIGN } } layers { dense { units: 2 } } "
                "} sampler { hmc {} }",
                "spec.sampler.hmc"},
        BadSpec{kTeacher, "network { likelihood { probit {} } } sampler { nuts {} }",
                "spec.sampler.nuts"},
        BadSpec{kTeacher,
                "network { layers { dense { units: 2 } weight_precision_prior { shape: 1 rate: 1 } "
                "} } sampler { mala {} }",
                "spec.sampler.mala"},
        BadSpec{kTeacher, "sampler { hmc { leapfrog_steps: -1 } }",
                "spec.sampler.hmc.leapfrog_steps"},
        BadSpec{kTeacher, "sampler { hmc { step_size_jitter: 1 } }",
                "spec.sampler.hmc.step_size_jitter"},
        BadSpec{kTeacher, "sampler { nuts { max_tree_depth: 21 } }",
                "spec.sampler.nuts.max_tree_depth"},
        BadSpec{kTeacher, "sampler { nuts { gradient { step_size: 0 } } }",
                "spec.sampler.nuts.gradient.step_size"},
        BadSpec{kTeacher, "sampler { nuts { gradient { target_acceptance: 1 } } }",
                "spec.sampler.nuts.gradient.target_acceptance"},
        BadSpec{kTeacher, "sampler { nuts { gradient { inverse_mass: 1 } } }",
                "spec.sampler.nuts.gradient.inverse_mass"},
        BadSpec{kTeacher,
                "data { gaussian { train_samples: 10000 } } "
                "sampler { nuts { gradient { metric: METRIC_DENSE } } }",
                "spec.sampler.nuts.gradient.metric"},
        BadSpec{kTeacher, "sampler { gibbs { collapsed_from_sweep: 1 } }",
                "spec.sampler.gibbs.collapsed_from_sweep"},
        BadSpec{kTeacher,
                "network { likelihood { softmax { temperature: 2 } } } "
                "chain_groups { informed {} }",
                "spec.chain_groups[0].informed"},
        BadSpec{kTeacher,
                "network { likelihood { softmax { temperature: 0 } } } chain_groups { zero {} }",
                "spec.network.likelihood.softmax.temperature"}));

TEST(JobSpecTest, ProbitOfTheClassicalPosteriorIsRefusedWhateverTheSampler) {
  const auto violated = [](const char* sampler) {
    return ViolatedFields(CompleteChanged(
        kTeacher,
        std::string("network { likelihood { probit {} } posterior: POSTERIOR_CLASSICAL }") +
            sampler));
  };
  EXPECT_THAT(violated("sampler { nuts {} }"),
              ElementsAre("spec.network.likelihood.probit", "spec.sampler.nuts"));
  EXPECT_THAT(violated("sampler { gibbs {} }"),
              ElementsAre("spec.network.likelihood.probit", "spec.sampler.gibbs"));
}

TEST(JobSpecTest, EmptySpecIsToldEverythingThatIsRequired) {
  v1::JobSpec spec;
  EXPECT_THAT(ViolatedFields(Complete(spec)),
              ElementsAre("spec.network", "spec.data", "spec.schedule.draws"));
}

TEST(JobSpecTest, GaussianInputsNeedATeacher) {
  EXPECT_THAT(ViolatedFields(CompleteEdited(
                  kTeacher, [](v1::JobSpec& spec) { spec.mutable_data()->clear_teacher(); })),
              ElementsAre("spec.data.teacher"));
}

TEST(JobSpecTest, NetworkNeedsALikelihoodAndNoise) {
  EXPECT_THAT(ViolatedFields(
                  CompleteEdited(kRegression,
                                 [](v1::JobSpec& spec) {
                                   spec.mutable_network()->clear_likelihood();
                                   spec.mutable_network()->clear_noise_variance();
                                   spec.mutable_network()->mutable_layers(0)->set_noise_variance(1);
                                 })),
              ElementsAre("spec.network.likelihood", "spec.network.layers[1].noise_variance",
                          "spec.network.layers[2].noise_variance"));
}

TEST(JobSpecTest, NetworkHasAtMost64Layers) {
  const auto with_relus = [](int count) {
    return CompleteEdited(kRegression, [count](v1::JobSpec& spec) {
      auto& layers = *spec.mutable_network()->mutable_layers();
      for (int i = 0; i < count; ++i) layers.Add()->mutable_activation();
      layers.SwapElements(2, layers.size() - 1);
    });
  };
  EXPECT_EQ(with_relus(61), absl::OkStatus());
  EXPECT_THAT(ViolatedFields(with_relus(62)), ElementsAre("spec.network.layers"));
}

TEST(JobSpecTest, NonFiniteParametersAreNamedOneByOne) {
  const absl::Status status = CompleteEdited(kTeacher, [](v1::JobSpec& spec) {
    auto& values = *spec.add_chain_groups()->mutable_parameters()->mutable_values();
    values.Resize(26, 0.0);
    values[3] = std::numeric_limits<double>::quiet_NaN();
    values[7] = -std::numeric_limits<double>::infinity();
  });
  EXPECT_THAT(ViolatedFields(status), ElementsAre("spec.chain_groups[0].parameters.values[3]",
                                                  "spec.chain_groups[0].parameters.values[7]"));
}

TEST(JobSpecTest, AllViolationsAreReportedTogether) {
  EXPECT_THAT(
      ViolatedFields(CompleteChanged(kRegression, R"pb(
        network {
          layers {
            dense { units: 7 }
            noise_variance: 0
          }
        }
        chain_groups { chains: 0 }
        schedule { warmup_sweeps: -1 }
        thermalization { tolerance: -1 observables: "nonsense" })pb")),
      ElementsAre("spec.network.layers[3].noise_variance", "spec.chain_groups[0].chains",
                  "spec.schedule.warmup_sweeps", "spec.thermalization.tolerance",
                  "spec.network.layers[3].dense.units", "spec.thermalization.observables[0]"));
}

TEST(JobSpecTest, TargetsOfADataSetAreLeftOutWhenATeacherLabels) {
  auto spec = FromText<v1::JobSpec>(kRegression);
  spec.mutable_data()->mutable_dataset()->add_target_columns("y");
  spec.mutable_data()->mutable_teacher();
  FieldViolations violations;
  CompleteSpec(spec, violations);
  EXPECT_TRUE(violations.empty());
  EXPECT_THAT(spec.data().dataset().target_columns(), IsEmpty());
}

}  // namespace
}  // namespace posteriord::server
