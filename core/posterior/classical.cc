#include "core/posterior/classical.h"

#include <algorithm>

#include "core/posterior/prior_terms.h"

namespace posteriord::core {

using Eigen::Index;

template <typename T>
ClassicalPosterior<T>::ClassicalPosterior(const Model<T>& model, const TrainingSet<T>& data)
    : model_(model), data_(data) {
  const Index rows = std::min(kChunkRows, data.inputs.samples());
  for (int i = 0; i < model.depth(); ++i) {
    outputs_.push_back(Matrix<T>::Ones(rows, 1 + model.layer(i).outputs()));
    gradients_.emplace_back(rows, model.layer(i).outputs());
  }
}

template <typename T>
bool ClassicalPosterior<T>::Evaluate(const State<T>& state, bool /*want_latent_gradient*/,
                                     const std::function<bool()>& keep_going,
                                     PosteriorTerms<T>& terms) {
  SetPriorTerms(model_, state, terms);
  const bool whole = ForEachChunk(data_.inputs.samples(), keep_going, [&](Index first, Index rows) {
    AddChunk(first, rows, state, terms);
  });
  if (!whole) return false;
  if (model_.likelihood().latent_is_observed()) {
    terms.log_density +=
        LogNormal(terms.squared_residuals.back(), static_cast<double>(data_.targets.size()),
                  state.scales.back().noise_variance);
  }
  return true;
}

template <typename T>
void ClassicalPosterior<T>::AddChunk(Index first, Index rows, const State<T>& state,
                                     PosteriorTerms<T>& terms) {
  const int last = model_.depth() - 1;
  const auto input_of = [&](int layer) -> ConstRows<T> {
    if (layer == 0) return data_.inputs.augmented().middleRows(first, rows);
    return outputs_[layer - 1].topRows(rows);
  };
  for (int i = 0; i <= last; ++i) {
    model_.layer(i).Forward(state.parameters[i], input_of(i),
                            outputs_[i].block(0, 1, rows, model_.layer(i).outputs()));
  }

  const auto made = outputs_[last].block(0, 1, rows, model_.outputs());
  Rows<T> upstream = gradients_[last].topRows(rows);
  if (model_.likelihood().latent_is_observed()) {
    upstream = data_.targets.middleRows(first, rows).template cast<T>() - made;
    terms.squared_residuals[last] += upstream.template cast<double>().squaredNorm();
    upstream *= static_cast<T>(1 / state.scales[last].noise_variance);
  } else {
    terms.log_density += model_.likelihood().LogDensity(made, data_.targets, first, upstream);
  }

  for (int i = last; i >= 0; --i) {
    const Rows<T> gradient = gradients_[i].topRows(rows);
    model_.layer(i).AddGradient(input_of(i), gradient, terms.parameter_gradient[i]);
    if (i == 0) break;
    model_.layer(i).InputGradient(state.parameters[i], input_of(i), gradient,
                                  gradients_[i - 1].topRows(rows));
  }
}

template class ClassicalPosterior<float>;
template class ClassicalPosterior<double>;

}  // namespace posteriord::core
