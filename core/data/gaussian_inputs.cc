#include "absl/types/span.h"
#include "core/data/data.h"
#include "core/random/draws.h"

namespace posteriord::core {

Data GaussianInputs(int dimension, std::int64_t train_samples, std::int64_t test_samples,
                    std::uint64_t seed) {
  const auto draw = [&](Eigen::MatrixXd& inputs, std::int64_t samples, RandomUse use) {
    inputs.resize(samples, dimension);
    DrawNormals<double>(RandomBlock(seed, kDataChain, 0, MakeBlock(0, use)), 0,
                        absl::MakeSpan(inputs.data(), static_cast<std::size_t>(inputs.size())));
  };
  Data data;
  draw(data.train.inputs, train_samples, RandomUse::kInputs);
  draw(data.test.inputs, test_samples, RandomUse::kTestInputs);
  return data;
}

}  // namespace posteriord::core
