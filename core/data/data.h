// Inputs and targets of a problem.
#ifndef POSTERIORD_CORE_DATA_DATA_H_
#define POSTERIORD_CORE_DATA_DATA_H_

#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <vector>

namespace posteriord::core {

// Paired inputs and targets. Targets are real outputs (samples x outputs) for a Gaussian
// likelihood and one column of class indices for a probit one.
struct Samples {
  Eigen::MatrixXd inputs;   // samples x inputs
  Eigen::MatrixXd targets;  // samples x outputs, or samples x 1; empty when a teacher labels
};

// A network of known parameters that labels the inputs. Its training labels carry the noise of
// every layer unless `noiseless`; its test labels never carry any.
struct TeacherSpec {
  std::uint64_t seed = 0;
  std::optional<std::vector<double>> parameters;  // a flat draw; drawn from the prior when absent
  bool noiseless = false;
};

struct Data {
  Samples train;
  Samples test;  // zero rows when nothing is held out
  std::optional<TeacherSpec> teacher;
};

// Independent standard normal inputs without targets, a function of the seed alone; the training
// inputs do not depend on the number of test samples.
Data GaussianInputs(int dimension, std::int64_t train_samples, std::int64_t test_samples,
                    std::uint64_t seed);

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_DATA_DATA_H_
