// Small networks and problems for tests.
#ifndef POSTERIORD_TESTS_CORE_TESTING_NETWORKS_H_
#define POSTERIORD_TESTS_CORE_TESTING_NETWORKS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/data/data.h"
#include "core/sampling/problem.h"

namespace posteriord::testing {

// inputs -> hidden ReLU units ... -> outputs, biases everywhere, precisions equal to the fan-in.
inline core::NetworkSpec ReluNetwork(const std::vector<int>& widths, double noise_variance,
                                     core::LikelihoodKind likelihood = {}) {
  core::NetworkSpec network;
  network.inputs = widths.front();
  network.likelihood = likelihood;
  for (std::size_t i = 1; i < widths.size(); ++i) {
    const double fan_in = widths[i - 1];
    network.layers.push_back({"dense" + std::to_string(i),
                              core::DenseSpec{widths[i], true, fan_in, fan_in}, noise_variance});
    if (i + 1 == widths.size()) break;
    network.layers.push_back({"relu" + std::to_string(i), core::ActivationSpec{}, noise_variance});
  }
  return network;
}

// Gaussian inputs labelled by a noisy teacher drawn from the prior.
inline core::Data TeacherData(int inputs, std::int64_t train, std::int64_t test,
                              std::uint64_t seed) {
  core::Data data = core::GaussianInputs(inputs, train, test, seed);
  data.teacher = core::TeacherSpec{.seed = seed};
  return data;
}

// Index of an observable of the problem; the problem must have it.
inline std::size_t ObservableIndex(const core::Problem& problem, const std::string& name) {
  std::size_t index = 0;
  while (problem.observables().at(index).name != name) ++index;
  return index;
}

}  // namespace posteriord::testing

#endif  // POSTERIORD_TESTS_CORE_TESTING_NETWORKS_H_
