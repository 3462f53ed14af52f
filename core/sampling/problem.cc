#include "core/sampling/problem.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/sampling/typed_problem.h"

namespace posteriord::core {
namespace {

using Eigen::Index;

template <typename T>
Latent<T> ToLatent(const Eigen::MatrixXd& values) {
  Latent<T> latent(values.rows(), values.cols());
  latent.values() = values.cast<T>();
  return latent;
}

DataShape ShapeOf(const Data& data) {
  return {.train_samples = data.train.inputs.rows(),
          .test_samples = data.test.inputs.rows(),
          .has_teacher = data.teacher.has_value()};
}

absl::Status CheckClasses(const Eigen::MatrixXd& targets, Index classes, const char* part) {
  for (Index row = 0; row < targets.rows(); ++row) {
    const double label = targets(row, 0);
    if (label >= 0 && label < static_cast<double>(classes) && label == std::floor(label)) continue;
    return absl::InvalidArgumentError(absl::StrCat(part, " sample ", row, " has the label ", label,
                                                   ", which is not a class index from 0 to ",
                                                   classes - 1));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Problem>> Problem::Create(Spec spec, Data data) {
  FixEigenBlocking();
  if (spec.precision == Precision::kFloat32) {
    return TypedProblem<float>::Create(std::move(spec), std::move(data));
  }
  return TypedProblem<double>::Create(std::move(spec), std::move(data));
}

template <typename T>
absl::StatusOr<std::shared_ptr<const Problem>> TypedProblem<T>::Create(Spec spec, Data data) {
  std::shared_ptr<TypedProblem> problem(new TypedProblem(std::move(spec), data));
  if (!data.teacher.has_value()) {
    if (absl::Status status = problem->CheckLabels(data); !status.ok()) return status;
    problem->training_.targets = std::move(data.train.targets);
    problem->test_.targets = std::move(data.test.targets);
  } else {
    problem->Label(*data.teacher);
  }
  if (!std::holds_alternative<GibbsSpec>(problem->spec_.sampler)) return problem;
  auto cache = problem->model_.layer(0).CacheInput(problem->training_.inputs);
  if (!cache.ok()) return cache.status();
  problem->training_.input_cache = *std::move(cache);
  return problem;
}

template <typename T>
TypedProblem<T>::TypedProblem(Spec spec, const Data& data)
    : spec_(std::move(spec)),
      model_(spec_.network),
      observables_(ListObservables(spec_, ShapeOf(data))) {
  training_.inputs = ToLatent<T>(data.train.inputs);
  test_.inputs = ToLatent<T>(data.test.inputs);
  const Eigen::MatrixXd& probed =
      data.test.inputs.rows() > 0 ? data.test.inputs : data.train.inputs;
  test_.probes =
      ToLatent<T>(probed.topRows(std::min<Index>(spec_.observation.probes, probed.rows())));
}

template <typename T>
absl::Status TypedProblem<T>::CheckLabels(const Data& data) const {
  if (spec_.network.likelihood == LikelihoodKind::kGaussian) return absl::OkStatus();
  absl::Status status = CheckClasses(data.train.targets, model_.outputs(), "training");
  if (status.ok()) status = CheckClasses(data.test.targets, model_.outputs(), "test");
  return status;
}

template <typename T>
void TypedProblem<T>::Label(const TeacherSpec& teacher) {
  teacher_ = model_.ZeroState(training_.inputs.samples());
  if (teacher.parameters.has_value()) {
    model_.Import(*teacher.parameters, *teacher_);
  } else {
    model_.DrawPrior(teacher.seed, kDataChain, *teacher_);
  }
  const Likelihood<T>& likelihood = model_.likelihood();
  if (model_.has_latents()) {
    model_.DrawLatents(training_.inputs, !teacher.noiseless, teacher.seed, kDataChain, *teacher_);
    training_.targets = likelihood.MakeTargets(teacher_->latents.back().values());
  } else {
    Matrix<T> outputs = PredictAll(model_, teacher_->parameters, training_.inputs);
    if (!teacher.noiseless) {
      likelihood.AddOutputNoise(teacher_->scales.back().noise_variance,
                                RandomBlock(teacher.seed, kDataChain, 0,
                                            MakeBlock(model_.depth() - 1, RandomUse::kLatent)),
                                outputs);
    }
    training_.targets = likelihood.MakeTargets(outputs);
  }
  test_.targets = likelihood.MakeTargets(PredictAll(model_, teacher_->parameters, test_.inputs));
}

template <typename T>
double TypedProblem<T>::PredictiveTestError(absl::Span<const double> sum,
                                            std::int64_t draws) const {
  if (test_.inputs.samples() == 0 || draws == 0) return std::numeric_limits<double>::quiet_NaN();
  const Eigen::Map<const Eigen::MatrixXd> matrix(sum.data(), test_.inputs.samples(),
                                                 model_.outputs());
  return model_.likelihood().Error(matrix / static_cast<double>(draws), test_.targets);
}

template <typename T>
State<T> TypedProblem<T>::StartState(int chain) const {
  const ChainGroupSpec& group = spec_.groups[spec_.group_of(chain)];
  if (group.start == StartKind::kInformed) return *teacher_;
  State<T> state = model_.ZeroState(training_.inputs.samples());
  if (group.start == StartKind::kPrior || group.start == StartKind::kParameters) {
    const auto index = static_cast<std::uint32_t>(chain);
    if (group.start == StartKind::kPrior) {
      model_.DrawPrior(spec_.seed, index, state);
    } else {
      model_.Import(group.parameters, state);
    }
    if (model_.has_latents()) {
      model_.DrawLatents(training_.inputs, /*noise=*/true, spec_.seed, index, state);
    }
  }
  if (model_.has_latents() && model_.likelihood().latent_is_observed()) {
    state.latents.back().values() = training_.targets.template cast<T>();
  }
  return state;
}

namespace {

// What a layer allocates for one conjugate update.
double LayerCacheBytes(const LayerSpec& layer, double inputs, double outputs, bool draws_input) {
  if (std::holds_alternative<DenseSpec>(layer.operation)) {
    return 5.0 * 8 * (1 + inputs) * (1 + inputs);
  }
  const auto* conv = std::get_if<Conv2dSpec>(&layer.operation);
  if (conv == nullptr || !draws_input) return 0;
  return 8 * (3 * inputs * inputs + 2 * inputs * outputs);
}

// What a gradient sampler keeps of positions and momenta, and a second state to evaluate them in.
double GradientBytes(const Spec& spec, const DataShape& shape, double state) {
  const auto* sampler = std::get_if<GradientSamplerSpec>(&spec.sampler);
  if (sampler == nullptr) return 0;
  const auto dimension = static_cast<double>(PositionDimension(spec.network, shape.train_samples));
  const double vectors =
      22 + (sampler->kind == GradientSamplerKind::kNuts ? 10 + 3 * sampler->max_tree_depth : 0);
  const double squares = sampler->metric == MetricKind::kDense ? 8 * dimension * dimension : 0;
  return 8 * (vectors * dimension + squares) + 2 * state;
}

}  // namespace

ResourceEstimate EstimateResources(const Spec& spec, const DataShape& shape, int storage_bytes) {
  const auto n = static_cast<double>(shape.train_samples);
  const auto n_test = static_cast<double>(shape.test_samples);
  const double width = spec.precision == Precision::kFloat32 ? 4 : 8;
  std::vector<int> widths;
  for (const Shape& shape_of_latent : LayerShapes(spec.network)) {
    widths.push_back(shape_of_latent.size());
  }
  const auto parameters = static_cast<double>(MakeParameterLayout(spec.network).size);
  const double chains = spec.chain_count();
  const double outputs = widths.back();
  const auto observables = static_cast<double>(ListObservables(spec, shape).size());

  const bool has_latents = spec.network.posterior == PosteriorKind::kIntermediateNoise;
  double latents = 0;
  // Gram matrices and factors: of the data, shared by the chains, and of the largest other layer.
  double input_cache = 0;
  double caches = 0;
  for (std::size_t i = 1; i < widths.size(); ++i) {
    if (has_latents) latents += n * (1 + widths[i]) * width;
    const LayerSpec& layer = spec.network.layers[i - 1];
    const double bytes = LayerCacheBytes(layer, widths[i - 1], widths[i], /*draws_input=*/i > 1);
    if (i == 1) input_cache = bytes;
    if (i > 1 || LearnsScales(layer)) caches = std::max(caches, bytes);
  }
  const double chunk = std::min<double>(kChunkRows, std::max(n, n_test)) *
                       *std::max_element(widths.begin(), widths.end()) * 8 * 3;
  const double inputs = (n + n_test) * (1 + widths.front()) * width;
  // While a job is prepared, its data are also there in double precision.
  const double preparation = (n + n_test) * (widths.front() + outputs) * 8;
  const double state = latents + parameters * width;
  const double predictive = n_test * outputs * 8;
  const double points_kept = 1.0 * spec.observation.max_points;
  const double trace = points_kept * observables * 8;
  const double forward = (n + n_test) * outputs * 16;
  // A checkpoint is a second copy of the state while it is written.
  const double per_chain = 2 * (state + predictive) + caches + chunk + trace + forward +
                           GradientBytes(spec, shape, state);
  const double teacher = shape.has_teacher ? state : 0;
  double populations = 0;  // states of further members, and of their copies in a checkpoint
  for (const ChainGroupSpec& group : spec.groups) {
    if (group.start == StartKind::kPopulation) {
      populations += 2.0 * group.chains * group.population.members * state;
    }
  }
  const double memory =
      inputs + preparation + teacher + input_cache + chains * per_chain + populations;

  const auto sweeps = static_cast<double>(spec.schedule.total_sweeps());
  const double doublings = std::max(
      0.0,
      std::log2(sweeps / (static_cast<double>(spec.observation.initial_stride) * points_kept)));
  const double even_points = std::min(sweeps, points_kept * (1 + doublings / 2));
  const double log_points = 20 * std::log10(1 + sweeps);
  const double per_point = observables * 8 + 64;
  const double disk = chains * (static_cast<double>(spec.schedule.total_draws()) *
                                    (parameters * storage_bytes + 16) +
                                (even_points + log_points) * per_point + state + predictive * 4) +
                      log_points * observables * 128;
  const auto clamp = [](double bytes) { return static_cast<std::int64_t>(std::min(bytes, 9e18)); };
  return {.memory_bytes = clamp(memory), .disk_bytes = clamp(disk)};
}

template class TypedProblem<float>;
template class TypedProblem<double>;

}  // namespace posteriord::core
