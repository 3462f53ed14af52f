#include "core/layers/dense.h"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <vector>

#include "core/random/draws.h"
#include "tests/core/testing/precisions.h"
#include "tests/core/testing/standard_normal_test.h"
#include "tests/core/testing/statistics.h"
#include "tests/testing/status.h"

namespace posteriord::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using testing::IsOk;
using testing::SampleCount;
using testing::StandardNormalTest;
using testing::StatusIs;

constexpr double kNoise = 0.3;
constexpr double kWeightPrecision = 2.5;
constexpr double kBiasPrecision = 0.7;

LayerSpec DenseLayer(int units, bool bias) {
  return {"dense1", DenseSpec{units, bias, kWeightPrecision, kBiasPrecision}, kNoise};
}

const auto kKeepGoing = [] { return true; };

// Normals that are not the layer's own.
MatrixXd Normals(Index rows, Index columns, std::uint64_t seed) {
  MatrixXd normals(rows, columns);
  DrawNormals<double>(RandomBlock(seed, 999, 0, 0), 0,
                      absl::MakeSpan(normals.data(), static_cast<std::size_t>(normals.size())));
  return normals;
}

template <typename T>
Latent<T> ToLatent(const MatrixXd& values) {
  Latent<T> latent(values.rows(), values.cols());
  latent.values() = values.cast<T>();
  return latent;
}

// Inputs with unequal scales, correlations and a mean, so that no term of a formula hides.
template <typename T>
Latent<T> Inputs(Index samples, Index width) {
  MatrixXd values = Normals(samples, width, 1);
  for (Index i = 0; i < width; ++i) values.col(i) *= 0.5 + static_cast<double>(i);
  if (width > 1) values.col(0) += 0.6 * values.col(1);
  values.array() += 0.4;
  return ToLatent<T>(values);
}

// Prior precisions of bias (if any) and weights.
VectorXd PriorPrecision(bool bias, Index inputs) {
  VectorXd precision = VectorXd::Constant((bias ? 1 : 0) + inputs, kWeightPrecision);
  if (bias) precision(0) = kBiasPrecision;
  return precision;
}

template <typename T>
class DenseTest : public ::testing::Test {};
TYPED_TEST_SUITE(DenseTest, testing::Precisions, testing::PrecisionNames);

// ----- Parameters -----

struct ParametersCase {
  Index samples;
  Index inputs;
  int units;
  bool bias;
};

// Parameters given input and output are Bayesian linear regression. Its posterior by QR of the
// design with the prior as extra rows: R' R = A / Delta, mean = least squares solution.
template <typename T>
void ExpectExactParameters(const ParametersCase& c) {
  SCOPED_TRACE(::testing::Message() << c.samples << " samples, " << c.inputs << " inputs, "
                                    << c.units << " units, bias " << c.bias);
  const auto layer = MakeDense<T>(DenseLayer(c.units, c.bias), c.inputs);
  const Latent<T> input = Inputs<T>(c.samples, c.inputs);
  const Matrix<T> output = (1.5 * Normals(c.samples, c.units, 2)).template cast<T>();

  const VectorXd precision = PriorPrecision(c.bias, c.inputs);
  const Index rows = precision.size();
  MatrixXd design = MatrixXd::Zero(c.samples + rows, rows);
  design.topRows(c.samples) =
      input.augmented().rightCols(rows).template cast<double>() / std::sqrt(kNoise);
  design.bottomRows(rows).diagonal() = precision.cwiseSqrt();
  MatrixXd wanted = MatrixXd::Zero(c.samples + rows, c.units);
  wanted.topRows(c.samples) = output.template cast<double>() / std::sqrt(kNoise);
  const Eigen::HouseholderQR<MatrixXd> qr(design);
  const MatrixXd mean = qr.solve(wanted);
  const MatrixXd r = qr.matrixQR().topRows(rows).template triangularView<Eigen::Upper>();

  ASSERT_OK_AND_ASSIGN(const auto cache, layer->CacheInput(input));
  StandardNormalTest standard(rows * c.units);
  const int draws = SampleCount(c.samples > 1000 ? 6'000 : 40'000);
  for (int draw = 0; draw < draws; ++draw) {
    const RandomBlock random(3, 0, draw, 0);
    Matrix<T> parameters;
    ASSERT_TRUE(layer->DrawParameters(input, output, layer->scales(), cache.get(), random,
                                      kKeepGoing, parameters));
    if (draw < 10) {
      Matrix<T> without_cache;
      ASSERT_TRUE(layer->DrawParameters(input, output, layer->scales(), nullptr, random, kKeepGoing,
                                        without_cache));
      ASSERT_EQ(parameters, without_cache);
    }
    MatrixXd whitened = r * (parameters.template cast<double>() - mean);
    standard.Add(Eigen::Map<VectorXd>(whitened.data(), whitened.size()));
  }
  EXPECT_LT(standard.LargestZ(), standard.Bound());
}

TYPED_TEST(DenseTest, ParametersHaveTheExactPosteriorMeanAndCovariance) {
  ExpectExactParameters<TypeParam>({.samples = 7, .inputs = 3, .units = 2, .bias = true});
  ExpectExactParameters<TypeParam>({.samples = 7, .inputs = 3, .units = 2, .bias = false});
  ExpectExactParameters<TypeParam>({.samples = 4, .inputs = 1, .units = 1, .bias = true});
}

TYPED_TEST(DenseTest, ParametersHaveThePriorWhereThereAreFewerSamplesThanInputs) {
  ExpectExactParameters<TypeParam>({.samples = 2, .inputs = 5, .units = 1, .bias = true});
}

TYPED_TEST(DenseTest, ParametersAreExactOverSeveralChunksOfSamples) {
  ExpectExactParameters<TypeParam>(
      {.samples = 2 * kChunkRows + 300, .inputs = 3, .units = 2, .bias = true});
}

TYPED_TEST(DenseTest, InterruptedParametersStayUntouched) {
  const auto layer = MakeDense<TypeParam>(DenseLayer(2, true), 3);
  const Latent<TypeParam> input = Inputs<TypeParam>(2 * kChunkRows, 3);
  const Matrix<TypeParam> output = Normals(2 * kChunkRows, 2, 2).template cast<TypeParam>();
  const Matrix<TypeParam> before = Matrix<TypeParam>::Constant(4, 2, 5);
  for (int polls = 0; polls < 4; ++polls) {  // two chunks for the Gram matrix, two for Xt' Z
    int left = polls;
    Matrix<TypeParam> parameters = before;
    EXPECT_FALSE(layer->DrawParameters(
        input, output, layer->scales(), nullptr, RandomBlock(1, 0, 1, 0),
        [&] { return left-- > 0; }, parameters));
    EXPECT_EQ(parameters, before);
  }
}

TYPED_TEST(DenseTest, CollinearInputsBeyondRoundingAreInvalid) {
  LayerSpec spec = DenseLayer(2, true);
  spec.noise_variance = 1e-30;
  const auto layer = MakeDense<TypeParam>(spec, 2);
  Latent<TypeParam> input = Inputs<TypeParam>(10, 2);
  input.values().col(1) = 2 * input.values().col(0);
  EXPECT_THAT(layer->CacheInput(input).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("'dense1'")));
}

TYPED_TEST(DenseTest, CollinearInputsHeldApartByThePriorAreFine) {
  const auto layer = MakeDense<TypeParam>(DenseLayer(2, true), 2);
  Latent<TypeParam> input = Inputs<TypeParam>(10, 2);
  input.values().col(1) = 2 * input.values().col(0);
  EXPECT_THAT(layer->CacheInput(input).status(), IsOk());
}

TYPED_TEST(DenseTest, PriorDrawsHaveThePrecisionsOfTheSpec) {
  const auto layer = MakeDense<TypeParam>(DenseLayer(2, true), 2);
  const VectorXd root_precision = PriorPrecision(true, 2).cwiseSqrt();
  StandardNormalTest standard(6);
  const int draws = SampleCount(40'000);
  for (int draw = 0; draw < draws; ++draw) {
    const Matrix<TypeParam> parameters =
        layer->DrawPrior(layer->scales(), RandomBlock(4, 0, draw, 0));
    MatrixXd whitened = root_precision.asDiagonal() * parameters.template cast<double>();
    standard.Add(Eigen::Map<VectorXd>(whitened.data(), whitened.size()));
  }
  EXPECT_LT(standard.LargestZ(), standard.Bound());
}

TYPED_TEST(DenseTest, LogPriorIsTheSumOfNormalLogDensities) {
  for (const bool bias : {true, false}) {
    const auto layer = MakeDense<TypeParam>(DenseLayer(2, bias), 3);
    const Matrix<TypeParam> parameters = layer->DrawPrior(layer->scales(), RandomBlock(5, 0, 0, 0));
    const VectorXd precision = PriorPrecision(bias, 3);
    double expected = 0;
    for (Index row = 0; row < parameters.rows(); ++row) {
      for (Index unit = 0; unit < 2; ++unit) {
        const auto w = static_cast<double>(parameters(row, unit));
        expected +=
            -0.5 * precision(row) * w * w + 0.5 * std::log(precision(row) / (2 * std::numbers::pi));
      }
    }
    EXPECT_NEAR(LogPrior(layer->Squares(parameters), layer->scales()), expected, 1e-12);
  }
}

// ----- Input -----

struct InputCase {
  Index samples;
  Index inputs;
  int units;
  bool bias;
  double input_variance = 0.2;
  double noise_variance = kNoise;
};

template <typename T>
void ExpectExactInput(const InputCase& c) {
  SCOPED_TRACE(::testing::Message() << c.samples << " samples, " << c.inputs << " inputs, "
                                    << c.units << " units, bias " << c.bias);
  LayerSpec spec = DenseLayer(c.units, c.bias);
  spec.noise_variance = c.noise_variance;
  const auto layer = MakeDense<T>(spec, c.inputs);
  Matrix<T> parameters =
      (1.3 * Normals((c.bias ? 1 : 0) + c.inputs, c.units, 6)).template cast<T>();
  const Latent<T> output = ToLatent<T>(1.5 * Normals(c.samples, c.units, 7));
  const Matrix<T> prior_mean = Normals(c.samples, c.inputs, 8).template cast<T>();

  const MatrixXd weights =
      parameters.bottomRows(c.inputs).template cast<double>();  // inputs x units
  const MatrixXd precision = weights * weights.transpose() / c.noise_variance +
                             MatrixXd::Identity(c.inputs, c.inputs) / c.input_variance;
  MatrixXd target = output.values().template cast<double>();
  if (c.bias) target.rowwise() -= parameters.row(0).template cast<double>();
  const MatrixXd pull = target * weights.transpose() / c.noise_variance +
                        prior_mean.template cast<double>() / c.input_variance;
  const MatrixXd mean = precision.ldlt().solve(pull.transpose()).transpose();
  const MatrixXd whiten = precision.llt().matrixU();

  const auto cache = layer->CacheParameters(parameters, layer->scales(), c.input_variance);
  StandardNormalTest standard(c.inputs);
  const int draws = SampleCount(static_cast<int>(120'000 / c.samples));
  Latent<T> input(c.samples, c.inputs);
  for (int draw = 0; draw < draws; ++draw) {
    const RandomBlock random(9, 0, draw, 0);
    ForEachChunk(c.samples, kKeepGoing, [&](Index first, Index rows) {
      Matrix<T> chunk_mean = prior_mean.middleRows(first, rows);
      layer->DrawInput(parameters, cache.get(),
                       {first, c.samples, c.input_variance, c.noise_variance},
                       output.values().middleRows(first, rows), random, chunk_mean,
                       input.values().middleRows(first, rows));
    });
    const MatrixXd whitened = (input.values().template cast<double>() - mean) * whiten.transpose();
    for (Index row = 0; row < c.samples; ++row) standard.Add(whitened.row(row));
  }
  EXPECT_LT(standard.LargestZ(), standard.Bound());
}

TYPED_TEST(DenseTest, InputHasTheExactConditionalMeanAndCovariance) {
  ExpectExactInput<TypeParam>({.samples = 6, .inputs = 4, .units = 3, .bias = true});
  ExpectExactInput<TypeParam>({.samples = 6, .inputs = 4, .units = 3, .bias = false});
  ExpectExactInput<TypeParam>({.samples = 6, .inputs = 2, .units = 5, .bias = true});
  ExpectExactInput<TypeParam>({.samples = 6, .inputs = 1, .units = 1, .bias = true});
}

TYPED_TEST(DenseTest, InputOfOneOutputHasTheExactConditionalMeanAndCovariance) {
  ExpectExactInput<TypeParam>({.samples = 6, .inputs = 4, .units = 1, .bias = true});
  ExpectExactInput<TypeParam>({.samples = 6, .inputs = 4, .units = 1, .bias = false});
}

// Which are corrected draws from the prior (core/layers/linear_input.h).
TYPED_TEST(DenseTest, InputOfFewOutputsHasTheExactConditionalMeanAndCovariance) {
  ExpectExactInput<TypeParam>({.samples = 6, .inputs = 7, .units = 1, .bias = true});
  ExpectExactInput<TypeParam>({.samples = 6, .inputs = 7, .units = 1, .bias = false});
  ExpectExactInput<TypeParam>({.samples = 6, .inputs = 9, .units = 2, .bias = true});
  ExpectExactInput<TypeParam>(
      {.samples = 2 * kChunkRows + 300, .inputs = 9, .units = 2, .bias = true});
  for (const double ratio : {1e-4, 1e4}) {
    ExpectExactInput<TypeParam>({.samples = 6,
                                 .inputs = 7,
                                 .units = 1,
                                 .bias = true,
                                 .input_variance = 0.1,
                                 .noise_variance = 0.1 * ratio});
  }
}

TYPED_TEST(DenseTest, InputIsExactWhereItsNoiseAndTheOutputsDifferByOrders) {
  ExpectExactInput<TypeParam>({.samples = 6,
                               .inputs = 3,
                               .units = 2,
                               .bias = true,
                               .input_variance = 1,
                               .noise_variance = 1e-3});
  ExpectExactInput<TypeParam>({.samples = 6,
                               .inputs = 3,
                               .units = 2,
                               .bias = true,
                               .input_variance = 1e-4,
                               .noise_variance = 10});
}

TYPED_TEST(DenseTest, InputIsExactOverSeveralChunksOfSamples) {
  ExpectExactInput<TypeParam>(
      {.samples = 2 * kChunkRows + 300, .inputs = 3, .units = 2, .bias = true});
}

// ----- The rest -----

TYPED_TEST(DenseTest, ForwardIsTheAffineMap) {
  for (const bool bias : {true, false}) {
    const auto layer = MakeDense<TypeParam>(DenseLayer(2, bias), 3);
    const Matrix<TypeParam> parameters = layer->DrawPrior(layer->scales(), RandomBlock(5, 0, 0, 0));
    const Latent<TypeParam> input = Inputs<TypeParam>(4, 3);
    Matrix<TypeParam> out(4, 2);
    layer->Forward(parameters, input.augmented(), out);
    for (Index row = 0; row < 4; ++row) {
      for (Index unit = 0; unit < 2; ++unit) {
        double expected = bias ? static_cast<double>(parameters(0, unit)) : 0;
        for (Index i = 0; i < 3; ++i) {
          expected += static_cast<double>(input.values()(row, i)) *
                      static_cast<double>(parameters((bias ? 1 : 0) + i, unit));
        }
        EXPECT_NEAR(out(row, unit), expected, 1e-5);
      }
    }
  }
}

TYPED_TEST(DenseTest, ExportIsRowMajorWithWeightsBeforeBiasesAndImportUndoesIt) {
  const auto layer = MakeDense<TypeParam>(DenseLayer(2, true), 3);
  Matrix<TypeParam> parameters(4, 2);
  parameters << 10, 20,  // biases
      1, 4,              // weights of the first input, to either unit
      2, 5,              //
      3, 6;
  std::vector<double> flat(8);
  layer->Export(parameters, absl::MakeSpan(flat));
  EXPECT_EQ(flat, (std::vector<double>{1, 2, 3, 4, 5, 6, 10, 20}));
  EXPECT_EQ(layer->Import(flat), parameters);
}

}  // namespace
}  // namespace posteriord::core
