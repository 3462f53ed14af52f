// The sweep as a resumable operation; that it samples the right distribution is shown by
// joint_distribution_test.cc and exact_posterior_test.cc.
#include "core/sampling/gibbs.h"

#include <gtest/gtest.h>

#include "core/sampling/typed_problem.h"
#include "tests/core/testing/networks.h"
#include "tests/core/testing/precisions.h"

namespace posteriord::core {
namespace {

template <typename T>
class GibbsSamplerTest : public ::testing::Test {
 protected:
  // Several chunks of samples and two hidden layers: many polls in a sweep.
  static std::shared_ptr<const TypedProblem<T>> MakeProblem(LikelihoodKind likelihood) {
    Spec spec;
    spec.network = testing::ReluNetwork({3, 4, 3, 2}, 0.2, likelihood);
    spec.precision = sizeof(T) == 4 ? Precision::kFloat32 : Precision::kFloat64;
    spec.groups = {{StartKind::kPrior, {}, 1}};
    spec.schedule.draws = 1;
    return std::static_pointer_cast<const TypedProblem<T>>(
        Problem::Create(spec, testing::TeacherData(3, 2 * kChunkRows + 100, 0, 1)).value());
  }
};
TYPED_TEST_SUITE(GibbsSamplerTest, testing::Precisions, testing::PrecisionNames);

template <typename T>
void ExpectEqual(const State<T>& a, const State<T>& b) {
  for (std::size_t i = 0; i < a.parameters.size(); ++i) {
    EXPECT_EQ(a.parameters[i], b.parameters[i]);
    EXPECT_EQ(a.latents[i].augmented(), b.latents[i].augmented());
  }
}

TYPED_TEST(GibbsSamplerTest, ASweepStoppedAtAnyPollRepeatsIdentically) {
  for (const LikelihoodKind likelihood : {LikelihoodKind::kGaussian, LikelihoodKind::kProbit}) {
    const auto problem = this->MakeProblem(likelihood);
    const SweepAddress address{.seed = 1, .chain = 0, .sweep = 1};
    const State<TypeParam> start = problem->StartState(0);
    State<TypeParam> expected = start;
    GibbsSampler<TypeParam> sampler(problem->model(), problem->training());
    int polls = 0;
    ASSERT_TRUE(sampler.Sweep(
        address, [&] { return ++polls > 0; }, expected));
    EXPECT_GT(polls, 20);
    for (int stop = 0; stop < polls; ++stop) {
      State<TypeParam> state = start;
      int left = stop;
      ASSERT_FALSE(sampler.Sweep(
          address, [&] { return left-- > 0; }, state))
          << "poll " << stop;
      state = start;
      ASSERT_TRUE(sampler.Sweep(
          address, [] { return true; }, state));
      ExpectEqual(state, expected);
    }
  }
}

TYPED_TEST(GibbsSamplerTest, ASweepIsAFunctionOfStateAndAddress) {
  const auto problem = this->MakeProblem(LikelihoodKind::kProbit);
  GibbsSampler<TypeParam> one(problem->model(), problem->training());
  GibbsSampler<TypeParam> other(problem->model(), problem->training());
  const auto sweep = [&](GibbsSampler<TypeParam>& sampler, SweepAddress address) {
    State<TypeParam> state = problem->StartState(0);
    sampler.Sweep(
        address, [] { return true; }, state);
    return state;
  };
  const State<TypeParam> state = sweep(one, {1, 2, 3});
  ExpectEqual(state, sweep(other, {1, 2, 3}));
  for (const SweepAddress& address : {SweepAddress{2, 2, 3}, {1, 1, 3}, {1, 2, 4}}) {
    const State<TypeParam> different = sweep(other, address);
    for (int i = 0; i < problem->model().depth(); ++i) {
      if (state.parameters[i].size() > 0) {
        EXPECT_NE(state.parameters[i], different.parameters[i]);
      }
      EXPECT_NE(state.latents[i].augmented(), different.latents[i].augmented()) << i;
    }
  }
}

TYPED_TEST(GibbsSamplerTest, TheObservedLatentStaysAtTheTargets) {
  const auto problem = this->MakeProblem(LikelihoodKind::kGaussian);
  GibbsSampler<TypeParam> sampler(problem->model(), problem->training());
  State<TypeParam> state = problem->StartState(0);
  for (std::uint64_t sweep = 1; sweep < 5; ++sweep) {
    sampler.Sweep(
        {1, 0, sweep}, [] { return true; }, state);
    EXPECT_EQ(state.latents.back().values().template cast<double>(), problem->training().targets);
  }
}

TYPED_TEST(GibbsSamplerTest, TheProbitLatentAgreesWithTheLabelsAfterOneSweep) {
  const auto problem = this->MakeProblem(LikelihoodKind::kProbit);
  GibbsSampler<TypeParam> sampler(problem->model(), problem->training());
  State<TypeParam> state = problem->StartState(0);
  sampler.Sweep(
      {1, 0, 1}, [] { return true; }, state);
  EXPECT_EQ(problem->model().likelihood().MakeTargets(state.latents.back().values()),
            problem->training().targets);
}

}  // namespace
}  // namespace posteriord::core
